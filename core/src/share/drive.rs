//! A caller drives: lock, ask the shard, unlock; then poll, wake, tell and drop.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    After, CallerLoad, Engine, VisitOf,
    batch_load::LoadOf,
    engine::LinksOf,
    guard::{Driving, Telling},
    stay::{OwnKey, State, Stay},
};
use crate::{
    Instant, Key, Runtime, Tuning,
    flight::PolledBy,
    shard::{AsKey, Call, News, Seat, Step, Visit, Waiting},
    source::{Answered, Judgement},
    sync::Arc,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Begins a poll by this call, which has reached no time yet.
    #[inline]
    pub(crate) fn visit<'a>(
        &'a self,
        key: Option<&'a dyn AsKey<K>>,
        call: &'a Call,
        by: &(impl CallerLoad<K, V, E, R::Threads> + ?Sized),
        waker: &'a Waker,
    ) -> VisitOf<'a, K, V, E, R, S> {
        let (start, is_by_loader) = by.comes_with(&self.source);
        Visit {
            key,
            waker,
            rules: &self.rules,
            call,
            start,
            is_by_loader,
            batch: None,
            inside: waker,
            reached: Instant::ZERO,
            is_present: false,
            wants_value: false,
            arrives_only: false,
            is_first: true,
        }
    }

    /// A caller's first look: served, or seated in a flight; returns the next step. `links` links what the call needs
    /// beyond the settings of the cache.
    pub(crate) fn arrive(
        &self,
        stay: &mut Stay<R>,
        hash: u64,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        after: &mut After<'_, K, V, E, R, S>,
        links: fn(&mut LinksOf<K, V, E, R, S>),
    ) -> Step {
        (visit.reached, visit.is_present) = (self.runtime.now().told(), true);
        stay.begin(hash, visit.reached, self.hand_over.is_some());
        let step = self.with(hash, |shard| {
            links(&mut shard.links);
            shard.arrive(&mut stay.waiting, visit, after.effects())
        });
        stay.state = State::Waiting;
        step
    }

    /// Goes on with a caller's wait as far as it goes. If the wait is over, its result is among the effects.
    #[inline(never)]
    pub(crate) fn carry_on(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        first: Option<Step>,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut next = first;
        loop {
            let step = match next.take() {
                Some(step) => step,
                None => this.with(stay.waiting.hash, |shard| shard.visit(&mut stay.waiting, visit, after.effects())),
            };
            match step {
                Step::Make | Step::MakeAnew | Step::MakeShared | Step::Poll | Step::Lent => {
                    Self::hand_over_abandoned(this, stay, after);
                    next = Some(this.drive(stay, visit, by, step, after, cx));
                }
                Step::Told | Step::Ticket | Step::MakeTicket => {
                    let telling = Telling { engine: this, stay, after };
                    Self::hand_over_abandoned(this, telling.stay, telling.after);
                    telling.after.run();
                    telling.end(by);
                    return Poll::Ready(());
                }
                Step::Wait => {
                    let until = after.effects().until;
                    after.run();
                    if stay.sleep_until(&this.runtime, until, cx).is_pending() {
                        stay.reached = visit.reached;
                        return Poll::Pending;
                    }
                    // It may be late: a new load begins now, and a served value has its present age.
                    (visit.reached, visit.is_present) = (this.runtime.now().told().max(until), true);
                }
                Step::Gathered => {
                    Self::hand_over_abandoned(this, stay, after);
                    after.run();
                    after.effects().until = Instant::NEVER;
                    stay.reached = visit.reached;
                    return Poll::Pending;
                }
                Step::Again => {
                    after.run();
                    if after.effects().lacks_room() {
                        next = Some(this.visit_with_room(stay, visit, after));
                    }
                }
                Step::ReadClock => {
                    after.run();
                    (visit.reached, visit.is_present) = (this.runtime.now().told(), true);
                }
                Step::Batch => {
                    let effects = after.effects();
                    visit.is_first = false;
                    let (batch, is_unwoken) = (effects.batch.take(), effects.is_unwoken);
                    let handed = (effects.number, Step::Batch);
                    this.do_earlier(&mut stay.waiting, handed, &mut None, after);
                    if let Some(batch) = batch {
                        (batch.drive)(this, &batch, is_unwoken);
                    }
                }
            }
        }
    }

    /// Makes or polls the load that was handed out, without a lock; then puts it back, or publishes its answer.
    pub(super) fn drive(
        &self,
        stay: &mut Stay<R>,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Step {
        let hash = stay.waiting.hash;
        let number = after.effects().number;
        visit.is_first = false;
        let (mut load, waker) = (after.effects().load.take(), after.effects().waker.take());
        self.do_earlier(&mut stay.waiting, (number, step), &mut load, after);
        let mut driving = Driving::new(self, &mut stay.waiting, number, visit.reached);
        let makes = matches!(step, Step::Make | Step::MakeAnew | Step::MakeShared);
        let mut own = None;
        let key = match visit.key {
            None if makes || self.source.judges() => match self.key_of(driving.waiting) {
                Some(key) => Some(&*own.insert(OwnKey(key)) as &dyn AsKey<K>),
                // Its flight has ended, which the next look will see.
                None => {
                    driving.disarm_polled();
                    return Step::Again;
                }
            },
            key => key,
        };
        if driving.waiting.is_alone {
            let by = PolledBy::with(waker.as_ref().unwrap_or(visit.waker), visit.inside);
            key.iter().for_each(|key| driving.enter_alone(key.to_key(), by));
        }
        if let Some(key) = key.filter(|_| makes) {
            let loads_many = self.source.batches() && (step == Step::MakeShared || visit.is_by_loader);
            let as_many = self.as_many.filter(|_| loads_many);
            if let Some(drive) = as_many.or_else(|| after.effects().anew.take()) {
                let mut make = |keys| match as_many {
                    Some(_) => self.source.begin_many(keys, visit.call.reload).map(LoadOf::Many),
                    None => by.make(&self.source, key, self.asked(hash, key, visit.call)).map(LoadOf::One),
                };
                drive(self, key.to_key(), number, driving.waiting, &mut make, visit.waker);
                visit.start = by.start(&self.source);
                driving.waiting.newer = None;
                // A caller that was served looks after the load once, and has its result.
                let next = if driving.waiting.is_visitor { Step::Told } else { Step::Again };
                driving.disarm_polled();
                return next;
            }
            let asked = self.asked(hash, key, visit.call);
            load = if step == Step::Make {
                by.make(&self.source, key, asked)
            } else {
                self.source.begin(key.to_key(), asked)
            };
            // The caller may have no other load.
            if !visit.is_by_loader {
                visit.start = by.start(&self.source);
            }
        }
        let mut polled = match (&mut load, &waker) {
            (Some(load), None) => Pin::new(load).poll(cx),
            (Some(load), Some(waker)) => Pin::new(load).poll(&mut Context::from_waker(waker)),
            (None, _) => by.poll_lent(cx),
        };
        if polled.is_pending() {
            // What may panic comes before the lock, or a load handed out there would be lost.
            drop(own);
            let step = self.with(hash, |shard| driving.check_in(shard, load, visit, after.effects()));
            driving.disarm_polled();
            after.effects().keep_waker(waker);
            return step;
        }
        // The load is dropped before the clock is read, because its drop is part of it.
        drop(load);
        let now = driving.read_clock();
        // Judged and taken in place, because it may be large.
        let judgement = match &mut polled {
            Poll::Ready(verdict) => self.judge_answer(verdict, key),
            Poll::Pending => Judgement::default(),
        };
        let news = match polled {
            Poll::Ready(Ok(Answered::Value(loaded, former))) => {
                Some(Ok(News::new(loaded, judgement).with_former(former)))
            }
            Poll::Ready(verdict) => Some(Err(self.failed(verdict, driving.waiting, number, key, now, after))),
            Poll::Pending => None,
        };
        drop(own);
        let step = self.publish(driving, news, now, visit, after);
        after.effects().keep_waker(waker);
        step
    }

    /// Looks again at a load that was over its budget: other shards have to give room to keep that.
    #[cold]
    #[inline(never)]
    fn visit_with_room(
        &self,
        stay: &mut Stay<R>,
        visit: &VisitOf<'_, K, V, E, R, S>,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Step {
        let (hash, now) = (stay.waiting.hash, visit.reached);
        self.with_room_of_others(hash, now, after, |shard, effects| shard.visit(&mut stay.waiting, visit, effects))
    }

    /// The key that a ticket waits for.
    fn key_of(&self, waiting: &Waiting<R::Notify>) -> Option<K> {
        self.with(waiting.hash, |shard| shard.flights.slot(&waiting.seat).key.clone())
    }

    /// A caller is dropped, or ends in another way.
    // Apart, so that most callers, who have no seat, need not make room for what it needs.
    #[inline(never)]
    pub(crate) fn leave(this: &Arc<Self>, stay: &mut Stay<R>) {
        if !stay.waiting.seat.is_taken() {
            return;
        }
        let mut after = After::new(this);
        this.with(stay.waiting.hash, |shard| {
            shard.counts.abandoned += u64::from(mem::take(&mut stay.waiting.is_counted));
            shard.rise(&mut stay.waiting, after.effects());
        });
        Self::hand_over_abandoned(this, stay, &mut after);
    }

    /// Hands the load that the last caller left behind to the runtime's spawner, if that is configured.
    #[inline(always)]
    pub(super) fn hand_over_abandoned(this: &Arc<Self>, stay: &mut Stay<R>, after: &mut After<'_, K, V, E, R, S>) {
        if let Some((hash, seat)) = after.effects().take_handed() {
            Self::hand_over(this, hash, seat, stay);
        }
    }

    #[cold]
    fn hand_over(this: &Arc<Self>, hash: u64, seat: Seat<R::Notify>, stay: &mut Stay<R>) {
        let mut waiting = Waiting::new(hash, stay.waiting.started);
        waiting.make_quiet();
        waiting.seat = seat;
        let handed = Stay::of(waiting, stay.reached);
        // Its caller may have claimed a load of its own, which fails if the spawner panics.
        let own = stay.waiting.seat.began;
        let driving = (own != 0).then(|| Driving::new(this, &mut stay.waiting, own, stay.reached));
        if let Some(hand_over) = this.hand_over {
            hand_over(this, handed);
        }
        driving.into_iter().for_each(Driving::disarm);
    }
}
