//! One caller who waits: the loop of being told, driving and sleeping.

use core::{
    future::Future,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    crowd::Registration,
    deferred::Deferred,
    inner::{Handle, Inner},
    means::Means,
    ride::{Knell, Part, Ride},
    stay::Stay,
    visit::{Driven, End, Handed, Left, Scraps, Turn},
};
use crate::{
    Cause, Failure, Instant, Key, Outcome, Runtime, Tuning,
    contain::contain,
    flight::{Job, Work},
    shard::{At, News, Waiting},
    source::{Answered, Judgement},
};

/// A seat in a flight and what its holder needs to wait there. Dropping it gives up the seat.
pub(crate) struct Waiter<K: Key, V: Clone, E, R: Runtime, S: Tuning, I>
where
    I: Handle<Inner<K, V, E, R, S>>,
{
    pub(super) inner: I,
    pub(super) stay: Stay<R::Notify>,
    sleep: Option<(Instant, R::Sleep)>,
    insides: PhantomData<fn() -> (K, V, E, S)>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, I> Waiter<K, V, E, R, S, I>
where
    I: Handle<Inner<K, V, E, R, S>>,
{
    /// Takes over a seat that was claimed at `reached`; `is_present` says whether that is now.
    pub(crate) fn new(inner: I, waiting: Waiting, reached: Instant, is_present: bool) -> Self {
        let (registration, waiting) = (Registration::default(), Some(waiting));
        Self {
            inner,
            stay: Stay {
                waiting,
                registration,
                reached,
                is_present,
                driving: None,
                reading: false,
                may_hand_over: true,
            },
            sleep: None,
            insides: PhantomData,
        }
    }

    /// Carries the flight on as far as possible; ready when this caller's wait is over and his seat given up.
    ///
    /// `turn` is what his first visit to the shard has told, if that was part of claiming the seat; `key` is the key.
    pub(crate) fn poll<M: Means<K, V, E, R::Threads>>(
        &mut self,
        cx: &mut Context<'_>,
        turn: Option<Turn<Ride<K, V, E, R>, V, E, R::Notify>>,
        means: &mut M,
        key: impl Fn(&Self) -> Option<K>,
    ) -> Poll<End<V, E>> {
        let polling = Polling(self);
        let this = &mut *polling.0;
        let mut after = 0;
        let mut turn = turn.unwrap_or_else(|| this.visit(Driven::Nothing, after, None, cx.waker(), means));
        loop {
            let (mut driven, mut handed, mut knell) = (Driven::Nothing, None, Knell::new());
            match turn {
                Turn::End(end) => {
                    // Whoever leaves a load that nobody else waits for may leave it to the spawner.
                    this.depart();
                    return Poll::Ready(end);
                }
                Turn::Drive(job, waker_of_all) => {
                    after = job.number;
                    driven = this.drive(job, waker_of_all.as_ref(), cx, means, &key, &mut knell);
                    if matches!(driven, Driven::Nothing) {
                        // It was made just now and rests in the flight; what comes next is to poll it.
                        after -= 1;
                    }
                    handed = waker_of_all;
                    if handed.is_none() {
                        driven = match driven {
                            Driven::Answered(number, news, now) => match this.land(number, news, now) {
                                Ok(outcome) => {
                                    knell.ring(this.inner.get());
                                    return Poll::Ready(End::Told(Ok(outcome)));
                                }
                                Err(news) => Driven::Answered(number, news, now),
                            },
                            other => other,
                        };
                    }
                }
                Turn::Again => {}
                Turn::ReadClock => this.read_clock(Instant::ZERO),
                Turn::Sleep(deadline) => {
                    if this.sleep_until(deadline, cx).is_pending() {
                        this.stay.is_present = false;
                        return Poll::Pending;
                    }
                    // He may be late: what he begins now begins now, and what he is served has its present age.
                    this.read_clock(deadline);
                }
            }
            turn = this.visit(driven, after, handed, cx.waker(), means);
            knell.ring(this.inner.get());
        }
    }

    /// Publishes an answer that nobody else waits for, and ends the wait, in one visit; gives it back if others do.
    fn land(&mut self, number: u32, news: News<V>, now: Instant) -> LandedOf<V, E> {
        let (inner, stay) = (self.inner.get(), &mut self.stay);
        let Some(waiting) = &stay.waiting else { return Err(news) };
        let at = At { now, rules: &inner.rules };
        let (outcome, _flight);
        {
            let mut deferred = Deferred::<K, V, E, R>::new(&inner.source);
            (outcome, _flight) =
                inner.with(waiting.hash, |shard| shard.land(waiting, number, news, at, deferred.effects()))?;
            (stay.waiting, stay.driving) = (None, None);
        }
        Ok(outcome)
    }

    /// Visits the shard: hands in what was driven, and learns what comes next.
    fn visit<M: Means<K, V, E, R::Threads>>(
        &mut self,
        driven: Driven<Ride<K, V, E, R>, V, E>,
        after: u32,
        handed: Option<Handed<R::Notify>>,
        waker: &Waker,
        means: &mut M,
    ) -> Turn<Ride<K, V, E, R>, V, E, R::Notify> {
        let (inner, stay) = (self.inner.get(), &mut self.stay);
        let Some(hash) = stay.waiting.as_ref().map(|waiting| waiting.hash) else {
            return Turn::Sleep(Instant::NEVER);
        };
        let turn;
        {
            let mut scraps = Scraps::new(&inner.source);
            turn = inner.with(hash, |shard| stay.visit(shard, inner, (driven, after), waker, means, &mut scraps));
        }
        // A load that was woken while it was polled is looked after by whoever is woken now.
        if let Some(handed) = handed.filter(|handed| handed.hub.wakes() != handed.wakes) {
            handed.hub.notify_all();
        }
        turn
    }

    /// Polls a load, with no lock held.
    fn drive<M: Means<K, V, E, R::Threads>>(
        &mut self,
        job: Job<Ride<K, V, E, R>>,
        handed: Option<&Handed<R::Notify>>,
        cx: &mut Context<'_>,
        means: &mut M,
        key: &impl Fn(&Self) -> Option<K>,
        knell: &mut Knell<K, V, R::Notify>,
    ) -> Driven<Ride<K, V, E, R>, V, E> {
        let number = job.number;
        let (load, poll) = match job.work {
            Work::Own => {
                if let Some(load) = means.make() {
                    self.bring(Some(Ride::Own(load)), None);
                    return Driven::Nothing;
                }
                (None, means.poll_own(cx))
            }
            work => {
                let load = match work {
                    Work::Poll(load) => Some(load),
                    _ => key(self).and_then(|key| self.begin(key)),
                };
                // Only a loader's attempts begin without a load, so there always is one.
                let Some(mut load) = load else { return self.failed(number, Cause::Panicked) };
                let mut context = Context::from_waker(handed.map_or_else(|| cx.waker(), |handed| &handed.waker));
                let poll = load.poll(self.inner.get(), &mut context, knell);
                (Some(load), poll)
            }
        };
        match (poll, load) {
            (Poll::Pending, Some(load)) => Driven::Pending(number, load),
            (Poll::Pending, None) => Driven::OwnPending(number),
            (Poll::Ready(result), load) => {
                // The load goes before the clock is read: its drop is part of it.
                drop(load);
                match result {
                    Ok(answered) => self.answered(number, answered, key),
                    Err(cause) => self.failed(number, cause),
                }
            }
        }
    }

    /// Lets the user's rules judge an answer, with no lock held.
    fn answered(
        &mut self,
        number: u32,
        answered: Answered<V>,
        key: &impl Fn(&Self) -> Option<K>,
    ) -> Driven<Ride<K, V, E, R>, V, E> {
        let now = self.now();
        let inner = self.inner.get();
        let judge = |value: &V| match inner.source.judges().then(|| key(self)).flatten() {
            Some(key) => inner.source.judge(&key, value),
            None => Judgement::default(),
        };
        let news = match answered {
            Answered::New(loaded) => {
                let judgement = judge(&loaded.value);
                inner.expect_expiry_of([loaded.ttl, judgement.ttl]);
                News::new(loaded, judgement)
            }
            Answered::Kept(previous, ttl) => {
                let judgement = judge(&previous.value);
                inner.expect_expiry_of([ttl, judgement.ttl]);
                News::kept(previous, ttl, judgement)
            }
            Answered::Nothing(lack) => return Driven::Failed(number, Failure::new(lack.into()), now),
        };
        Driven::Answered(number, news, now)
    }

    fn failed(&mut self, number: u32, cause: Cause<E>) -> Driven<Ride<K, V, E, R>, V, E> {
        Driven::Failed(number, Failure::new(cause), self.now())
    }

    /// Reads the clock, which cannot be `before` a time that the timer says has come.
    fn read_clock(&mut self, before: Instant) {
        self.stay.reached = self.now().max(before);
        self.stay.is_present = true;
    }

    fn now(&mut self) -> Instant {
        self.stay.reading = true;
        let now = self.inner.get().runtime.now();
        self.stay.reading = false;
        now
    }

    /// Returns a clone of the flight's key, for callers who have none of their own.
    pub(crate) fn key(&self) -> Option<K> {
        let waiting = self.stay.waiting.as_ref()?;
        self.inner.get().with(waiting.hash, |shard| shard.flights.seated(&waiting.seat).key().cloned())
    }

    /// Asks the cache's loader for a load.
    fn begin(&self, key: K) -> Option<Ride<K, V, E, R>> {
        let (waiting, inner) = (self.stay.waiting.as_ref()?, self.inner.get());
        if inner.source.batches() {
            return Part::of([(waiting.hash, key)].into(), None).next().map(|part| Ride::Part(part.into()));
        }
        let previous = inner.previous(waiting.hash, &key);
        inner.source.begin(key, previous).map(Ride::Own)
    }

    fn sleep_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline == Instant::NEVER {
            self.sleep = None;
            return Poll::Pending;
        }
        if self.sleep.as_ref().is_none_or(|(present, _)| *present != deadline) {
            self.sleep = Some((deadline, self.inner.get().runtime.sleep_until(deadline)));
        }
        self.sleep.as_mut().map_or(Poll::Pending, |(_, sleep)| Pin::new(sleep).poll(cx))
    }

    /// Gives up the seat, if it is still held; the load goes to the spawner if that may have it.
    fn depart(&mut self) {
        let spawn = self.inner.get().spawn.filter(|_| self.stay.may_hand_over);
        let (inner, stay) = (self.inner.get(), &mut self.stay);
        let Some(hash) = stay.waiting.as_ref().map(|waiting| waiting.hash) else { return };
        let left = inner.with(hash, |shard| {
            let waiting = stay.waiting.as_mut()?;
            shard.counts.abandoned += u64::from(mem::take(&mut waiting.counted));
            let hands_over = spawn.is_some() && shard.flights.worth_finishing(&waiting.seat);
            if !hands_over {
                return stay.leave::<K, V, E, R, S::Policy>(shard);
            }
            // The spawner is one more waiter: it has begun nothing, and no load of this caller's goes with it.
            shard.flights.disown(&mut waiting.seat).map(|untold| Left::others(None, Some(untold), None))
        });
        drop(left);
        if let (Some(spawn), Some(waiting)) = (spawn, stay.waiting.take()) {
            let registration = mem::take(&mut stay.registration);
            spawn(&self.inner.share(), waiting.uncounted(), stay.reached, registration);
        }
    }

    /// Tells everybody that the load which was being driven has panicked.
    pub(super) fn contain_panic(&mut self) {
        let Some(number) = self.stay.driving.take() else { return };
        let mut now = self.stay.reached;
        if !self.stay.reading {
            // The load has panicked already, so that of a clock would be the second.
            contain(|| now = self.now());
        }
        let (Some(waiting), inner) = (&self.stay.waiting, self.inner.get()) else { return };
        let mut deferred = Deferred::<K, V, E, R>::new(&inner.source);
        inner.with(waiting.hash, |shard| {
            let failure = Failure::new(Cause::Panicked);
            shard.fail(&waiting.seat, number, failure, At { now, rules: &inner.rules }, deferred.effects());
            deferred.nudge(shard.flights.seated(&waiting.seat));
        });
    }
}

/// What an answer comes to that nobody else waits for, or the answer.
type LandedOf<V, E> = Result<Outcome<V, E>, News<V>>;

/// A waiter while it is polled.
pub(crate) struct Polling<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning, I>(
    pub(crate) &'a mut Waiter<K, V, E, R, S, I>,
)
where
    I: Handle<Inner<K, V, E, R, S>>;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, I> Drop for Polling<'_, K, V, E, R, S, I>
where
    I: Handle<Inner<K, V, E, R, S>>,
{
    fn drop(&mut self) {
        self.0.contain_panic();
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, I> Drop for Waiter<K, V, E, R, S, I>
where
    I: Handle<Inner<K, V, E, R, S>>,
{
    fn drop(&mut self) {
        self.depart();
    }
}
