//! A caller drives: lock, ask the shard, unlock; then poll, wake, tell and drop.

use alloc::sync::Arc;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    After, Batch, CallerLoad, Engine,
    caller_load::Verdict,
    stay::{Asked, OwnKey, State, Stay},
};
use crate::{
    Cause, Failure, Instant, Key, LoadError, Outcome, Runtime, Tuning,
    contain::contain,
    shard::{AsKey, At, News, Step, Visit, Waiting},
    source::{Answered, Judgement},
};

/// What a caller is told in the end.
pub(crate) type ToldOf<V, E> = Result<Outcome<V, E>, LoadError<E>>;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// A caller's first look: served, or seated in a flight. Gives back what comes next.
    pub(crate) fn arrive(
        &self,
        stay: &mut Stay<R>,
        hash: u64,
        asked: &Asked<'_, K, V, E, R>,
        by: &dyn CallerLoad<K, V, E, R::Threads>,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &Context<'_>,
    ) -> Step {
        let now = self.runtime.now().told();
        stay.begin(hash, Some(now), self.hand_over.is_some());
        let visit = self.visit(stay.time(), asked, by, cx, 0);
        let step = self.with(hash, |shard| shard.arrive(&mut stay.waiting, &visit, after.effects()));
        stay.state = State::Waiting;
        step
    }

    /// What the caller comes with; `number` is the last attempt that it drove in this poll.
    pub(super) fn visit<'a>(
        &'a self,
        (reached, is_present): (Instant, bool),
        asked: &Asked<'a, K, V, E, R>,
        by: &dyn CallerLoad<K, V, E, R::Threads>,
        cx: &'a Context<'_>,
        number: u32,
    ) -> Visit<'a, K, Arc<Batch<K, V, E, R>>> {
        Visit {
            key: asked.key,
            waker: cx.waker(),
            rules: &self.rules,
            call: asked.call,
            start: by.start(&self.source),
            is_by_loader: by.is_by_loader(),
            batch: asked.batch,
            inside: asked.inside.unwrap_or(cx.waker()),
            reached,
            is_present,
            arrives_only: false,
            is_first: number == 0,
            after: number,
        }
    }

    /// Goes on with a caller's wait as far as it goes. `number` is the last attempt that it drove in this poll.
    #[inline(never)]
    pub(crate) fn carry_on(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        first: Option<Step>,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Poll<ToldOf<V, E>> {
        let (mut next, mut number) = (first, 0);
        loop {
            let step = match next.take() {
                Some(step) => step,
                None => {
                    let visit = self.visit(stay.time(), asked, by, cx, number);
                    self.with(stay.waiting.hash, |shard| shard.visit(&mut stay.waiting, &visit, after.effects()))
                }
            };
            match step {
                Step::Told | Step::Ticket | Step::MakeTicket => {
                    let told = after.effects().told.take();
                    // If a waker or a listener panics now, a further poll asks anew.
                    stay.state = State::New;
                    self.hand_over_abandoned(stay, after);
                    after.run();
                    by.drop_lent();
                    stay.end_sleep();
                    stay.state = State::Over;
                    return told.map_or(Poll::Pending, Poll::Ready);
                }
                Step::Wait => {
                    let until = after.effects().until;
                    after.run();
                    if stay.sleep_until(&self.runtime, until, cx).is_pending() {
                        stay.is_present = false;
                        return Poll::Pending;
                    }
                    // It may be late: what it begins now begins now, and what it is served has its present age.
                    (stay.reached, stay.is_present) = (self.runtime.now().told().max(until), true);
                }
                Step::Gathered => {
                    after.run();
                    stay.rest();
                    return Poll::Pending;
                }
                Step::Again => after.run(),
                Step::ReadClock => {
                    after.run();
                    (stay.reached, stay.is_present) = (self.runtime.now().told(), true);
                }
                Step::Batch => {
                    number = after.effects().number;
                    let (batch, is_unwoken) = (after.effects().batch.take(), after.effects().is_unwoken);
                    after.run();
                    if let Some(batch) = batch {
                        self.drive_batch(&batch, is_unwoken);
                    }
                }
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent => {
                    number = after.effects().number;
                    next = Some(self.drive(stay, asked, by, step, after, cx));
                }
            }
        }
    }

    /// Makes or polls the load that was handed out, with no lock held; then it goes back, or its answer is published.
    pub(super) fn drive(
        &self,
        stay: &mut Stay<R>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Step {
        let (hash, time, reached) = (stay.waiting.hash, stay.time(), stay.reached);
        let number = after.effects().number;
        let mut driving = Driving::new(self, &mut stay.waiting, number, reached);
        let (mut load, waker) = (after.effects().load.take(), after.effects().waker.take());
        // What came before is done before the load is polled.
        after.run();
        after.effects().number = number;
        let mut own = None;
        if matches!(step, Step::Make | Step::MakeShared) || (self.source.judges() && asked.key.is_none()) {
            let key = match asked.key {
                Some(key) => key,
                None => &*own.insert(OwnKey(match self.key_of(driving.waiting) {
                    Some(key) => key,
                    // Its flight has ended; that is seen by the next look.
                    None => {
                        driving.disarm();
                        return Step::Again;
                    }
                })),
            };
            if step != Step::Poll {
                if self.rules.stores_surplus && self.source.batches() && (step == Step::MakeShared || by.is_by_loader())
                {
                    let seat = driving.waiting().seat.at_attempt(number);
                    self.drive_one_as_many(hash, key.to_key(), seat, driving.waiting().is_alone);
                    driving.disarm();
                    return Step::Again;
                }
                let previous = self.previous(hash, key);
                load = if step == Step::Make {
                    by.make(&self.source, key, previous)
                } else {
                    self.source.begin(key.to_key(), previous)
                };
            }
        }
        let polled = match (&mut load, &waker) {
            (Some(load), None) => Pin::new(load).poll(cx),
            (Some(load), Some(waker)) => Pin::new(load).poll(&mut Context::from_waker(waker)),
            (None, _) => by.poll_lent(cx),
        };
        let Poll::Ready(verdict) = polled else {
            // (What may panic comes before the lock: a load that is handed out there would be lost.)
            drop(own);
            let visit = self.visit(time, asked, by, cx, number);
            let step = self.with(hash, |shard| shard.check_in(driving.waiting, load, &visit, after.effects()));
            driving.disarm();
            after.effects().keep_waker(waker);
            return step;
        };
        // The load goes before the clock is read: its drop is part of it.
        drop(load);
        let now = driving.read_clock();
        let key = match (&own, asked.key) {
            (Some(own), _) => Some(own as &dyn AsKey<K>),
            (None, key) => key,
        };
        let news = self.news(verdict, key);
        drop(own);
        // (Never back: what was reached once stays so.)
        let reached = reached.max(now);
        let visit = self.visit((reached, true), asked, by, cx, number);
        let effects = after.effects();
        let step = self.with(hash, |shard| match news {
            Ok(news) => shard.land(driving.waiting, news, now, &visit, effects),
            Err(failure) => shard.land_failure(driving.waiting, failure, now, &visit, effects),
        });
        driving.disarm();
        (stay.reached, stay.is_present) = (reached, true);
        after.effects().keep_waker(waker);
        step
    }

    /// Lets the user's rules judge an answer, with no lock held.
    pub(super) fn news(&self, verdict: Verdict<V, E>, key: Option<&dyn AsKey<K>>) -> Result<News<V>, Failure<E>> {
        let judge = |value: &V, ttl| {
            let judges = self.source.judges();
            let judgement = match key.filter(|_| judges) {
                Some(key) => self.source.judge(&key.to_key(), value),
                None => Judgement::default(),
            };
            self.expect_expiry_of([ttl, judgement.ttl]);
            judgement
        };
        match verdict {
            Ok(Answered::New(loaded)) => {
                let judgement = judge(&loaded.value, loaded.ttl);
                Ok(News::new(loaded, judgement))
            }
            Ok(Answered::Kept(previous, ttl)) => {
                let judgement = judge(&previous.value, ttl);
                Ok(News::kept(previous, ttl, judgement))
            }
            Ok(Answered::Nothing(lack)) => Err(Failure::new(lack.into())),
            Err(error) => Err(Failure::new(Cause::Error(Arc::new(error)))),
        }
    }

    /// The key that a ticket waits for.
    fn key_of(&self, waiting: &Waiting<R::Notify>) -> Option<K> {
        self.with(waiting.hash, |shard| shard.flights.slot(&waiting.seat).key.clone())
    }

    /// A caller is dropped, or ends otherwise.
    pub(crate) fn leave(self: &Arc<Self>, stay: &mut Stay<R>) {
        if !stay.waiting.seat.is_taken() {
            return;
        }
        let mut after = After::new(self);
        self.with(stay.waiting.hash, |shard| {
            shard.counts.abandoned += u64::from(mem::take(&mut stay.waiting.is_counted));
            shard.rise(&mut stay.waiting, after.effects());
        });
        self.hand_over_abandoned(stay, &mut after);
    }

    /// The load that the last caller left behind is finished by the runtime's spawner, where that is wished.
    fn hand_over_abandoned(self: &Arc<Self>, stay: &mut Stay<R>, after: &mut After<'_, K, V, E, R, S>) {
        let Some((hash, seat)) = after.effects().handed.take() else { return };
        let mut waiting = Waiting::new(hash, stay.waiting.started);
        waiting.make_quiet();
        waiting.seat = seat;
        let handed = Stay::of(waiting, stay.reached);
        if let Some(hand_over) = self.hand_over {
            hand_over(self, handed);
        }
    }
}

/// A panic in what is made, polled or judged is told to those who wait.
pub(super) struct Driving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    waiting: &'a mut Waiting<R::Notify>,
    number: u32,
    now: Instant,
    /// The clock may be read; not so if it is the clock that panicked.
    reads: bool,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Driving<'a, K, V, E, R, S> {
    pub(super) const fn new(
        engine: &'a Engine<K, V, E, R, S>,
        waiting: &'a mut Waiting<R::Notify>,
        number: u32,
        now: Instant,
    ) -> Self {
        Self { engine, waiting, number, now, reads: true }
    }

    pub(super) const fn waiting(&self) -> &Waiting<R::Notify> {
        self.waiting
    }

    /// Reads the clock, which may panic itself.
    pub(super) fn read_clock(&mut self) -> Instant {
        self.reads = false;
        self.now = self.engine.runtime.now();
        self.reads = true;
        self.now
    }

    /// All went well.
    pub(super) fn disarm(self) {
        mem::forget(self);
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Driving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let engine = self.engine;
        let mut now = self.now;
        if self.reads {
            // The load has panicked already, so that of a clock would be the second.
            contain(|| now = engine.runtime.now());
        }
        let mut after = After::new(engine);
        engine.with(self.waiting.hash, |shard| {
            let place = shard.flights.place(&self.waiting.seat);
            let at = At { now, rules: &engine.rules };
            shard.fail(place, self.number, Failure::new(Cause::Panicked), at, after.effects());
        });
    }
}
