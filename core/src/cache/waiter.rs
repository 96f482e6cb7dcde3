//! One caller who waits: the loop of being told, driving and sleeping.

use alloc::sync::Arc;
use core::{
    future::Future,
    hash::BuildHasher,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    abandoned::Abandoned,
    crowd::Registration,
    inner::{Deferred, Handle, Inner},
    means::Means,
    visit::{Driven, End, Handed, Turn, hand_in, leave, turn_of},
};
use crate::{
    Cause, Failure, Instant, Key, Runtime, Source,
    flight::{Job, Work},
    policy::Policy,
    shard::{At, AtPoll, Next, Waiting},
};

/// A seat in a flight and what its holder needs to wait there. Dropping it gives up the seat.
pub(crate) struct Waiter<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I>
where
    I: Handle<Inner<K, L, R, P, H>>,
{
    pub(super) inner: I,
    /// `None` once the seat is given up.
    waiting: Option<Waiting>,
    registration: Registration<R::Notify>,
    sleep: Option<(Instant, R::Sleep)>,
    /// A time that has surely come.
    reached: Instant,
    /// Whether that is the present time, in this poll.
    is_present: bool,
    /// The attempt that is being driven: should the stack unwind, it has panicked.
    driving: Option<u32>,
    /// Whether the clock is being read: should it panic, it is not asked again.
    reading: bool,
    /// Whether the spawner may take over what this caller leaves.
    pub(super) may_hand_over: bool,
    insides: PhantomData<fn() -> (K, L, P, H)>,
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I> Waiter<K, L, R, P, H, I>
where
    I: Handle<Inner<K, L, R, P, H>>,
{
    /// Takes over a seat that was claimed at `reached`; `is_present` says whether that is now.
    pub(crate) fn new(inner: I, waiting: Waiting, reached: Instant, is_present: bool) -> Self {
        let (registration, waiting) = (Registration::default(), Some(waiting));
        Self {
            inner,
            waiting,
            registration,
            sleep: None,
            reached,
            is_present,
            driving: None,
            reading: false,
            may_hand_over: true,
            insides: PhantomData,
        }
    }

    /// Carries the flight on as far as possible; ready when this caller's wait is over and his seat given up.
    pub(crate) fn poll<M: Means<K, L>>(
        &mut self,
        cx: &mut Context<'_>,
        means: &mut M,
    ) -> Poll<End<L::Value, L::Error>> {
        let polling = Polling(self);
        let this = &mut *polling.0;
        let (mut driven, mut after, mut handed) = (Driven::Nothing, 0, None);
        loop {
            match this.turn(driven, after, handed.take(), cx.waker(), means) {
                Turn::End(end) => return Poll::Ready(end),
                Turn::Drive(job, next) => {
                    after = job.number;
                    handed = next;
                    driven = this.drive(job, handed.as_ref(), cx, means);
                }
                Turn::Again => driven = Driven::Nothing,
                Turn::ReadClock => {
                    this.reached = this.reached.max(this.now());
                    this.is_present = true;
                    driven = Driven::Nothing;
                }
                Turn::Sleep(deadline) => {
                    if this.sleep_until(deadline, cx).is_pending() {
                        this.is_present = false;
                        return Poll::Pending;
                    }
                    // He may be late: what he begins now begins now, and what he is served has its present age.
                    this.reached = this.reached.max(deadline).max(this.now());
                    this.is_present = true;
                    driven = Driven::Nothing;
                }
            }
        }
    }

    /// One visit to the shard: hands in what was driven, and learns what comes next.
    fn turn<M: Means<K, L>>(
        &mut self,
        driven: Driven<L::Future, L::Value, L::Error>,
        after: u32,
        handed: Option<Handed<R::Notify>>,
        waker: &Waker,
        means: &mut M,
    ) -> Turn<L::Future, L::Value, L::Error, R::Notify> {
        let may_hand_over = self.may_hand_over && self.inner.get().spawn.is_some();
        let Self { inner, waiting: slot, registration, reached, is_present, driving, .. } = self;
        let Some(hash) = slot.as_ref().map(|waiting| waiting.hash) else { return Turn::Sleep(Instant::NEVER) };
        let inner = inner.get();
        let (mut displaced, mut left) = ([None, None], None);
        // Declared last, so that on unwinding it is dropped first: whoever has to be woken is woken before the rest.
        let mut effects = Deferred::<K, L, R>::new();
        let turn = inner.with(hash, |shard| {
            let Some(waiting) = slot.as_mut() else { return Turn::Sleep(Instant::NEVER) };
            let again =
                hand_in(shard, waiting, driven, (registration, reached), inner, &mut effects, &mut displaced[0]);
            *driving = None;
            let turn = match shard.told(waiting) {
                Some(Ok(outcome)) => Turn::End(End::Told(Ok(outcome))),
                Some(Err(failure)) => Turn::End(End::Failed(failure)),
                None => {
                    let flight = shard.flights.seated(&waiting.seat);
                    let seats = flight.seats();
                    displaced[1] = flight.crowd.register(registration, seats, waker);
                    let next = match again {
                        Some(job) => Next::Drive(job),
                        None => {
                            let (shared, reached) = (flight.crowd.is_shared(), *reached);
                            let at = AtPoll { after, shared, reached, is_present: *is_present };
                            let (start, own) = (|| means.start(), || waker.clone());
                            shard.proceed(waiting, &at, &inner.rules, start, own, &mut effects.0)
                        }
                    };
                    turn_of::<K, L, R, P>(next, shard, waiting)
                }
            };
            match &turn {
                Turn::End(_) if may_hand_over && shard.flights.worth_finishing(&waiting.seat) => {
                    waiting.counted = false
                }
                Turn::End(_) => {
                    left = slot.take().map(|waiting| leave::<K, L, R, P>(shard, waiting, core::mem::take(registration)))
                }
                Turn::Drive(job, _) => *driving = Some(job.number),
                _ => {}
            }
            turn
        });
        drop(effects);
        // A load that was woken while it was polled is looked after by whoever is woken now.
        if let Some(handed) = handed.filter(|handed| handed.hub.wakes() != handed.wakes) {
            handed.hub.notify_all();
        }
        drop((left, displaced));
        if matches!(turn, Turn::End(_)) {
            // Whoever leaves a load that nobody else waits for may leave it to the spawner.
            self.depart();
        }
        turn
    }

    /// Polls a load, with no lock held.
    fn drive<M: Means<K, L>>(
        &mut self,
        job: Job<L::Future>,
        handed: Option<&Handed<R::Notify>>,
        cx: &mut Context<'_>,
        means: &mut M,
    ) -> Driven<L::Future, L::Value, L::Error> {
        let number = job.number;
        let (load, poll) = match job.work {
            Work::Own => (None, means.poll_own(cx)),
            work => {
                let load = match work {
                    Work::Poll(load) => Some(load),
                    _ => self.key().and_then(|key| self.inner.get().source.begin(key)),
                };
                // Only a loader's attempts begin without a load, so there always is one.
                let Some(mut load) = load else { return self.failed(number, Cause::Panicked) };
                let mut context = Context::from_waker(handed.map_or_else(|| cx.waker(), |handed| &handed.waker));
                let poll = Pin::new(&mut load).poll(&mut context);
                (Some(load), poll)
            }
        };
        match (poll, load) {
            (Poll::Pending, Some(load)) => Driven::Pending(number, load),
            (Poll::Pending, None) => Driven::OwnPending(number),
            (Poll::Ready(Ok(loaded)), load) => {
                // The load goes before the clock is read: its drop is part of it.
                drop(load);
                let now = self.now();
                let inner = self.inner.get();
                let weighs = L::WEIGHS && loaded.weight.is_none();
                let weighed =
                    weighs.then(|| self.key().and_then(|key| inner.source.weigh(&key, &loaded.value))).flatten();
                if loaded.ttl.expires() {
                    inner.expects_expiry();
                }
                Driven::Answered(number, loaded, weighed, now)
            }
            (Poll::Ready(Err(error)), load) => {
                drop(load);
                self.failed(number, Cause::Error(Arc::new(error)))
            }
        }
    }

    fn failed(&mut self, number: u32, cause: Cause<L::Error>) -> Driven<L::Future, L::Value, L::Error> {
        Driven::Failed(number, Failure::new(cause), self.now())
    }

    fn now(&mut self) -> Instant {
        self.reading = true;
        let now = self.inner.get().runtime.now();
        self.reading = false;
        now
    }

    /// Returns a clone of the flight's key.
    fn key(&self) -> Option<K> {
        let waiting = self.waiting.as_ref()?;
        self.inner.get().with(waiting.hash, |shard| shard.flights.seated(&waiting.seat).key().cloned())
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
        let Self { inner: handle, waiting: slot, registration, .. } = self;
        let Some(hash) = slot.as_ref().map(|waiting| waiting.hash) else { return };
        let inner = handle.get();
        let spawn = inner.spawn.filter(|_| self.may_hand_over);
        let left = inner.with(hash, |shard| {
            let waiting = slot.as_mut()?;
            if core::mem::take(&mut waiting.counted) {
                shard.counts.abandoned += 1;
            }
            if spawn.is_some() && shard.flights.worth_finishing(&waiting.seat) {
                return None;
            }
            slot.take().map(|waiting| leave::<K, L, R, P>(shard, waiting, core::mem::take(registration)))
        });
        drop(left);
        if let (Some(spawn), Some(waiting)) = (spawn, slot.take()) {
            let shared = handle.share();
            let mut waiter = Waiter::new(shared, waiting.uncounted(), self.reached, false);
            waiter.registration = core::mem::take(registration);
            waiter.may_hand_over = false;
            // Refused, it is dropped, and the load with it.
            let _refused = spawn(&handle.get().runtime, Abandoned::new(waiter));
        }
    }

    /// Tells everybody that the load which was being driven has panicked.
    fn contain_panic(&mut self) {
        let Some(number) = self.driving.take() else { return };
        let now = if self.reading { self.reached } else { self.now() };
        let (Some(waiting), inner) = (&self.waiting, self.inner.get()) else { return };
        let mut effects = Deferred::<K, L, R>::new();
        inner.with(waiting.hash, |shard| {
            let failure = Failure::new(Cause::Panicked);
            shard.fail(&waiting.seat, number, failure, At { now, rules: &inner.rules }, &mut effects.0);
        });
    }
}

/// A waiter while it is polled.
struct Polling<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I>(&'a mut Waiter<K, L, R, P, H, I>)
where
    I: Handle<Inner<K, L, R, P, H>>;

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I> Drop for Polling<'_, K, L, R, P, H, I>
where
    I: Handle<Inner<K, L, R, P, H>>,
{
    fn drop(&mut self) {
        self.0.contain_panic();
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I> Drop for Waiter<K, L, R, P, H, I>
where
    I: Handle<Inner<K, L, R, P, H>>,
{
    fn drop(&mut self) {
        self.depart();
    }
}
