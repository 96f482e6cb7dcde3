//! The short way of a miss: a load of a key of which nothing is known but perhaps an expired value, that answers in its first poll.

use core::{
    mem,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    After, CallerLoad, Engine, ShardOf, Stay, VisitOf,
    guard::Driving,
    stay::{Caller, State},
};
use crate::{
    Failure, Instant, Key, LoadError, Loaded, Lock, Runtime, Ttl, Tuning,
    shard::{AsKey, At, Effects, Lead, News, Step},
    source::{Answered, First, FirstOf, Judgement, Touched},
    store::Leavers,
    sync::Arc,
};

/// What a caller goes on with.
type On<'a, 'c, K, V, E, R> =
    (&'a dyn AsKey<K>, &'a mut dyn CallerLoad<K, V, E, <R as Runtime>::Threads>, &'a mut Context<'c>);

/// What there is for a caller but a value that it has at once.
type Rest<V, E> = Poll<Result<V, LoadError<E>>>;

/// How late a reading may be that is about the time.
const UNCERTAIN: Duration = Duration::from_millis(10);

/// A caller that leads a flight in its first poll. It needs a seat only if its load does not answer at once.
pub(super) struct AtOnce<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Arc<Engine<K, V, E, R, S>>,
    caller: &'a mut Caller<R>,
    hash: u64,
    /// Where its flight is, unless that has moved.
    lock: &'a R::Lock<ShardOf<K, V, E, R, S>>,
    /// None once it has its seat.
    lead: Option<Lead>,
    begun: Instant,
    /// What it is about to get.
    value: Option<V>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Whether there are short ways. A program that has to be small has no need of them.
    pub(crate) const HAS_SHORT_WAYS: bool = cfg!(feature = "std") && !S::IS_BESIDE;

    /// May a caller that has found no value go the short way?
    #[inline(always)]
    pub(super) fn leads_at_once(&self, now: Option<Instant>, by: &dyn CallerLoad<K, V, E, R::Threads>) -> bool {
        (if now.is_some() { self.is_plain } else { self.is_plain_untimed }) && by.makes(&self.source)
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
    #[inline(always)]
    pub(super) const fn new(
        engine: &'a Arc<Engine<K, V, E, R, S>>,
        caller: &'a mut Caller<R>,
        (hash, lock): (u64, &'a R::Lock<ShardOf<K, V, E, R, S>>),
        lead: Lead,
    ) -> Self {
        Self { engine, caller, hash, lock, lead: Some(lead), begun: Instant::ZERO, value: None }
    }

    /// Makes a load, and polls it once. If there is more to do than to store its answer, all goes on as in any flight, up to
    /// `rest`.
    ///
    /// `now` tells the time if the clock was read for the look.
    #[inline(never)]
    pub(super) fn load(
        &mut self,
        now: Option<Instant>,
        key: &dyn AsKey<K>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
        rest: &mut Rest<V, E>,
    ) -> Option<V> {
        let (engine, hash) = (self.engine, self.hash);
        let lead = self.lead?;
        // (Should a clock panic here, a second panic of it is caught when this is dropped.)
        let is_told_only = now.is_none();
        let begun = now.unwrap_or_else(|| engine.about_now().told());
        self.begun = begun;
        #[cfg(feature = "std")]
        let mut first = by.make_and_poll(&engine.source, key, cx);
        #[cfg(not(feature = "std"))]
        let mut first = First::Pending(None);
        let loaded = match &mut first {
            First::Ready(Ok(Answered::Value(loaded, _))) => loaded,
            _ => {
                return self.goes_on(first, is_told_only, (key, by, cx), rest);
            }
        };
        // (The load was dropped, because its drop is part of it.)
        let mut now = if is_told_only { engine.about_now() } else { engine.runtime.now() };
        let judgement = engine.judge_loaded(loaded, Some(key));
        let ends = |ttl: &Ttl| !matches!(ttl, Ttl::Inherit);
        if is_told_only && (ends(&loaded.ttl) || judgement.is_some_and(|judgement| ends(&judgement.ttl))) {
            // A value that ends needs the exact time.
            now = engine.exact_now();
        }
        let (mut left, at) = (Leavers::new(), At { now, rules: &engine.rules });
        let says = (loaded.ttl, loaded.weight);
        let terms = match judgement {
            // (It is known what comes of that.)
            None => at.rules.terms_at_once(says, Judgement::default(), now),
            Some(judgement) => at.rules.terms_at_once(says, judgement, now),
        };
        let is_stored = terms.is_some_and(|terms| {
            let leaving = Leaving(engine, &mut left);
            let value = &loaded.value;
            let is_stored =
                self.lock.with(|shard| shard.finish_at_once((lead, hash, begun), value, terms, at, leaving.1));
            mem::forget(leaving);
            is_stored
        });
        if !is_stored {
            return self.publish(first, judgement.unwrap_or_default(), now, (key, by, cx), rest, left);
        }
        // (Only here is it moved, and alone: to move all that comes with it takes longer than what is done with it.)
        let First::Ready(Ok(Answered::Value(Loaded { value, .. }, _))) = first else { return None };
        // Its flight has ended.
        (self.lead, self.value) = (None, Some(value));
        if engine.stores_at_once {
            engine.drop_left(left);
        } else {
            engine.tell_stored(left);
        }
        *self.caller = Caller::Served;
        self.value.take()
    }

    /// Its load has brought a value, and there is more to do than to store it.
    #[cold]
    #[inline(never)]
    fn publish(
        &mut self,
        first: FirstOf<V, E, R::Threads>,
        judgement: Judgement,
        now: Instant,
        on: On<'_, '_, K, V, E, R>,
        rest: &mut Rest<V, E>,
        left: Leavers<K, V>,
    ) -> Option<V> {
        let First::Ready(Ok(Answered::Value(loaded, former))) = first else { return None };
        self.ends(on, (now, left), rest, |_, _| Ok(News::new(loaded, judgement).with_former(former)))
    }

    /// Its load has failed, or goes on.
    #[cold]
    #[inline(never)]
    fn goes_on(
        &mut self,
        first: FirstOf<V, E, R::Threads>,
        is_told_only: bool,
        (key, by, cx): On<'_, '_, K, V, E, R>,
        rest: &mut Rest<V, E>,
    ) -> Option<V> {
        let (engine, hash) = (self.engine, self.hash);
        match (first, self.lead) {
            (First::Pending(load), Some(lead)) => {
                if is_told_only {
                    self.begin_exactly();
                }
                self.go_on((key, by, cx), rest, Leavers::new(), |mut driving, visit, after| {
                    let step = engine.with(hash, |shard| {
                        shard.unfold(lead, &mut driving.waiting.seat, visit.reached, after.effects());
                        driving.check_in(shard, load, visit, after.effects())
                    });
                    driving.disarm_polled();
                    step
                })
            }
            (First::Ready(verdict), _) => {
                // (A failure that is kept needs the exact time.)
                let now = engine.exact_now();
                self.ends((key, by, cx), (now, Leavers::new()), rest, |driving, after| {
                    Err(engine.failed(verdict, driving.waiting, 1, Some(key), now, after))
                })
            }
            _ => None,
        }
    }

    /// Its load takes time of its own from now on. What its first poll took is less than what was uncertain.
    #[cold]
    #[inline(never)]
    fn begin_exactly(&mut self) {
        let runtime = &self.engine.runtime;
        if runtime.about_now().is_some() {
            let now = runtime.now().told();
            if now.saturating_since(self.begun) < UNCERTAIN {
                self.begun = now;
            }
        }
    }

    /// Takes its seat, as any caller that waits.
    fn sit(&mut self) -> Option<&mut Stay<R>> {
        let lead = self.lead.take()?;
        let stay = self.caller.begin(self.hash, self.begun, self.engine.hand_over.is_some())?;
        stay.waiting.sit(lead);
        stay.state = State::Waiting;
        Some(stay)
    }

    /// Its load has answered, and there is more to do than to store the answer.
    #[cold]
    #[inline(never)]
    fn ends(
        &mut self,
        on: On<'_, '_, K, V, E, R>,
        // What has left for it already, and was not enough.
        (now, left): (Instant, Leavers<K, V>),
        rest: &mut Rest<V, E>,
        news: impl FnOnce(&mut Driving<'_, K, V, E, R, S>, &mut After<'_, K, V, E, R, S>) -> Result<News<V>, Failure<E>>,
    ) -> Option<V> {
        let (engine, hash, lead) = (self.engine, self.hash, self.lead);
        self.go_on(on, rest, left, |mut driving, visit, after| {
            if let Some(lead) = lead {
                let seat = &mut driving.waiting.seat;
                engine.with(hash, |shard| shard.unfold(lead, seat, now, after.effects()));
            }
            let news = news(&mut driving, after);
            engine.publish(driving, Some(news), now, visit, after)
        })
    }

    /// Takes its seat, and goes on from this step.
    #[cold]
    #[inline(never)]
    fn go_on(
        &mut self,
        (key, by, cx): On<'_, '_, K, V, E, R>,
        rest: &mut Rest<V, E>,
        left: Leavers<K, V>,
        step: impl FnOnce(
            Driving<'_, K, V, E, R, S>,
            &mut VisitOf<'_, K, V, E, R, S>,
            &mut After<'_, K, V, E, R, S>,
        ) -> Step,
    ) -> Option<V> {
        let (engine, begun) = (self.engine, self.begun);
        let mut after = After::new(engine);
        after.effects().leavers = left;
        let stay = self.sit()?;
        let mut visit = engine.visit(Some(key), &engine.call, by, cx.waker());
        (visit.reached, visit.is_present, visit.wants_value, visit.is_first) = (begun, true, true, false);
        after.effects().number = 1;
        let step = step(Driving::new(engine, &mut stay.waiting, 1, begun), &mut visit, &mut after);
        if Engine::carry_on(engine, stay, &mut visit, by, Some(step), &mut after, cx).is_pending() {
            return None;
        }
        after.told_value(rest)
    }

    /// A panic is on its way.
    #[cold]
    #[inline(never)]
    fn unwind(&mut self) {
        let (engine, hash, begun) = (self.engine, self.hash, self.begun);
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
            drop(Driving::new(engine, &mut stay.waiting, 1, begun));
        }
    }
}

/// Values that leave for one whose clone may panic: then they are told and dropped all the same.
struct Leaving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning>(&'a Engine<K, V, E, R, S>, &'a mut Leavers<K, V>);

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Leaving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        After::new(self.0).effects().leavers = mem::replace(self.1, Leavers::new());
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for AtOnce<'_, K, V, E, R, S> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.lead.is_some() || self.value.is_some() {
            self.unwind();
        }
    }
}
