//! The short way of a miss: a load of a key of which nothing is known but perhaps an expired value, that answers in its first poll.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    After, CallerLoad, Engine, Stay, VisitOf,
    guard::Driving,
    stay::{Caller, State},
};
use crate::{
    Instant, Key, LoadError, Runtime, Tuning,
    shard::{AsKey, At, Effects, Lead, News, Step},
    source::{Answered, Touched},
    store::Leavers,
    sync::Arc,
};

/// A caller that leads a flight in its first poll. It needs a seat only if its load does not answer at once.
struct AtOnce<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Arc<Engine<K, V, E, R, S>>,
    caller: &'a mut Caller<R>,
    hash: u64,
    /// None once it has its seat.
    lead: Option<Lead>,
    begun: Instant,
    /// The clock may be read; false while it is being read, because it may panic.
    reads: bool,
    /// What it is about to get.
    value: Option<V>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Whether there are short ways. A program that has to be small has no need of them.
    pub(crate) const HAS_SHORT_WAYS: bool = cfg!(feature = "std") && !S::IS_BESIDE;

    /// May a caller that has found no value go the short way?
    #[inline(always)]
    pub(super) fn leads_at_once(&self, now: Option<Instant>, by: &dyn CallerLoad<K, V, E, R::Threads>) -> bool {
        self.is_plain && (now.is_some() || !self.rules.needs_time()) && by.makes(&self.source)
    }

    /// Is there nobody to tell of a value that was stored, or has left?
    #[inline(always)]
    pub(crate) fn stores_at_once(&self) -> bool {
        Self::HAS_SHORT_WAYS && self.source.listener.is_none() && self.source.watcher.is_none()
    }

    /// Drops what has left for a value that was stored.
    #[inline(always)]
    pub(crate) fn drop_left(&self, left: Leavers<K, V>) {
        if left.are_few() {
            drop(left);
        } else {
            // If one of these drops panics, the others are done all the same.
            self.tell_stored(left);
        }
    }

    /// Makes a load, and polls it once. If there is more to do than to store its answer, all goes on as in any flight.
    #[inline(never)]
    pub(super) fn load_at_once(
        this: &Arc<Self>,
        caller: &mut Caller<R>,
        (hash, now, lead): (u64, Option<Instant>, Lead),
        key: &dyn AsKey<K>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<V, LoadError<E>>> {
        let begun = now.unwrap_or(Instant::ZERO);
        let mut leading = AtOnce { engine: this, caller, hash, lead: Some(lead), begun, reads: true, value: None };
        if now.is_none() {
            leading.begun = leading.read_clock().told();
        }
        let mut load = by.make(&this.source, key, None);
        // Looked at where it is, because it may be large.
        let mut polled = load.as_mut().map_or(Poll::Pending, |load| Pin::new(load).poll(cx));
        let Poll::Ready(verdict) = &mut polled else {
            return leading.go_on((key, by, cx), |driving, visit, after| {
                let step = this.with(hash, |shard| {
                    shard.unfold(lead, &mut driving.waiting.seat, visit.reached, after.effects());
                    shard.check_in(driving.waiting, load, visit, after.effects())
                });
                driving.disarm_polled();
                step
            });
        };
        // The load is dropped before the clock is read, because its drop is part of it.
        drop(load);
        let now = leading.read_clock();
        let judgement = this.judge_answer(verdict, Some(key));
        let (mut left, begun) = (Leavers::new(), leading.begun);
        let stored = match verdict {
            Ok(Answered::Value(loaded, _)) => {
                let at = At { now, rules: &this.rules };
                this.with(hash, |shard| shard.finish_at_once((lead, hash, begun), loaded, judgement, at, &mut left))
            }
            _ => false,
        };
        leading.value = match polled {
            Poll::Ready(Ok(Answered::Value(loaded, _))) if stored => Some(loaded.into_value()),
            polled => {
                return leading.go_on((key, by, cx), |driving, visit, after| {
                    let seat = &mut driving.waiting.seat;
                    this.with(hash, |shard| shard.unfold(lead, seat, now, after.effects()));
                    let news = match polled {
                        Poll::Ready(Ok(Answered::Value(loaded, former))) => {
                            Ok(News::new(loaded, judgement).with_former(former))
                        }
                        Poll::Ready(verdict) => Err(this.failed(verdict, driving.waiting, 1, Some(key), now, after)),
                        Poll::Pending => return Step::Again,
                    };
                    this.publish(driving, Some(news), now, visit, after)
                });
            }
        };
        // Its flight has ended.
        leading.lead = None;
        if this.stores_at_once() {
            this.drop_left(left);
        } else {
            this.tell_stored(left);
        }
        leading.end()
    }

    /// Tells the watcher and the listener of a value that was stored, and of what has left for it, and drops that.
    #[cold]
    #[inline(never)]
    fn tell_stored(&self, left: Leavers<K, V>) {
        let mut after = After::new(self);
        (after.effects().leavers, after.effects().touched) = (left, Some(Touched::Value));
        after.run();
    }
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> AtOnce<'a, K, V, E, R, S> {
    /// Reads the clock, which may panic itself.
    #[inline(always)]
    fn read_clock(&mut self) -> Instant {
        self.reads = false;
        let now = self.engine.runtime.now();
        self.reads = true;
        now
    }

    /// Returns the value: the wait is over.
    #[inline(always)]
    fn end(mut self) -> Poll<Result<V, LoadError<E>>> {
        *self.caller = Caller::Served;
        let value = self.value.take();
        mem::forget(self);
        value.map_or(Poll::Pending, |value| Poll::Ready(Ok(value)))
    }

    /// Takes its seat, as any caller that waits.
    fn sit(&mut self) -> Option<&mut Stay<R>> {
        let lead = self.lead.take()?;
        let stay = self.caller.begin(self.hash, self.begun, self.engine.hand_over.is_some())?;
        stay.waiting.sit(lead);
        stay.state = State::Waiting;
        Some(stay)
    }

    /// Takes its seat, and goes on from this step.
    #[cold]
    #[inline(never)]
    fn go_on(
        mut self,
        (key, by, cx): (&dyn AsKey<K>, &mut dyn CallerLoad<K, V, E, R::Threads>, &mut Context<'_>),
        step: impl FnOnce(
            Driving<'_, K, V, E, R, S>,
            &mut VisitOf<'_, K, V, E, R, S>,
            &mut After<'_, K, V, E, R, S>,
        ) -> Step,
    ) -> Poll<Result<V, LoadError<E>>> {
        let (engine, begun) = (self.engine, self.begun);
        let mut after = After::new(engine);
        let Some(stay) = self.sit() else { return Poll::Pending };
        let mut visit = engine.visit(Some(key), &engine.call, by, cx.waker());
        (visit.reached, visit.is_present, visit.wants_value, visit.is_first) = (begun, true, true, false);
        after.effects().number = 1;
        let step = step(Driving::new(engine, &mut stay.waiting, 1, begun), &mut visit, &mut after);
        if Engine::carry_on(engine, stay, &mut visit, by, Some(step), &mut after, cx).is_pending() {
            return Poll::Pending;
        }
        after.told_value()
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for AtOnce<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let (engine, hash, begun, reads) = (self.engine, self.hash, self.begun, self.reads);
        if let Some(value) = self.value.take() {
            // What is done before the value is returned has panicked: it is kept for the next poll.
            let Some(stay) = self.caller.begin(hash, begun, false) else { return };
            stay.state = State::Waiting;
            let mut effects = Effects::default();
            effects.value = Some(value);
            engine.with(hash, |shard| shard.keep_told(&mut stay.waiting, &mut effects));
        } else if let Some(lead) = self.lead {
            // What makes, polls or judges the load has panicked.
            let Some(stay) = self.sit() else { return };
            engine.with(hash, |shard| shard.flights.unfold_led(lead, &mut stay.waiting.seat));
            drop(Driving::unwinding(engine, &mut stay.waiting, 1, begun, reads));
        }
    }
}
