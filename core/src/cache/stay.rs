//! One caller's stay in a flight, and what is done for him under the shard's lock.

use core::{mem, task::Waker};

use super::{
    crowd::Registration,
    inner::{Inner, ShardOf},
    means::Means,
    poller::Poller,
    ride::Ride,
    visit::{Driven, End, Handed, Left, Scraps, Turn},
};
use crate::{
    Instant, Key, Notify, Runtime, Tuning,
    flight::{CheckIn, Job, Leaving, Work},
    policy::Policy,
    shard::{At, AtPoll, Next, Waiting},
};

/// A seat, and how far its holder has come.
pub(crate) struct Stay<N: Notify> {
    /// `None` once the seat is given up.
    pub(super) waiting: Option<Waiting>,
    pub(super) registration: Registration<N>,
    /// A time that has surely come.
    pub(super) reached: Instant,
    /// Whether that is the present time, in this poll.
    pub(super) is_present: bool,
    /// The attempt that is being driven: should the stack unwind, it has panicked.
    pub(super) driving: Option<u32>,
    /// Whether the clock is being read: should it panic, it is not asked again.
    pub(super) reading: bool,
    /// Whether the spawner may take over what this caller leaves, if there is one.
    pub(super) may_hand_over: bool,
}

impl<N: Notify> Stay<N> {
    /// Takes the load out that was claimed with this seat: nobody else knows of it yet.
    pub(crate) fn set_out<K, V, E, R, P>(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, P>,
        waker: &Waker,
    ) -> Turn<Ride<K, V, E, R>, V, E, N>
    where
        K: Key,
        V: Clone,
        R: Runtime<Notify = N>,
        P: Policy,
    {
        let Some(waiting) = &self.waiting else { return Turn::Again };
        let crowd = &mut shard.flights.seated(&waiting.seat).crowd;
        // The first of a crowd displaces nobody.
        let _nobody = crowd.register(&mut self.registration, 1, waker);
        match shard.flights.check_out(&waiting.seat, 0, false, || Poller::here(waker)) {
            Some(job) => {
                self.driving = Some(job.number);
                Turn::Drive(job, None)
            }
            None => Turn::Again,
        }
    }

    /// Hands in what was driven in this poll, up to attempt `after`, and learns what comes next.
    ///
    /// The seat is given up at the end, unless it may be handed over with a load that nobody else waits for.
    pub(crate) fn visit<K, V, E, R, S, M>(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, S::Policy>,
        inner: &Inner<K, V, E, R, S>,
        (driven, after): (Driven<Ride<K, V, E, R>, V, E>, u32),
        waker: &Waker,
        means: &mut M,
        scraps: &mut Scraps<'_, K, V, E, R>,
    ) -> Turn<Ride<K, V, E, R>, V, E, N>
    where
        K: Key,
        V: Clone,
        R: Runtime<Notify = N>,
        S: Tuning,
        M: Means<K, V, E, R::Threads>,
    {
        let is_own = matches!(driven, Driven::OwnPending(_));
        let again = self.hand_in(shard, inner, driven, scraps);
        self.driving = None;
        let Some(waiting) = &mut self.waiting else { return Turn::Sleep(Instant::NEVER) };
        let turn = match shard.told(waiting) {
            Some(Ok(outcome)) => Turn::End(End::Told(Ok(outcome))),
            Some(Err(failure)) => Turn::End(End::Failed(failure, waiting.so_far())),
            None => {
                let flight = shard.flights.seated(&waiting.seat);
                let seats = flight.seats();
                scraps.wakers[1] = flight.crowd.register(&mut self.registration, seats, waker);
                let next = match again {
                    Some(job) => Next::Drive(job),
                    // It is polled once before any deadline counts, however short.
                    None if is_own && means.is_put_off() => Next::Sleep(Instant::NEVER),
                    None => {
                        let Self { reached, is_present, .. } = *self;
                        let at = AtPoll { after, shared: flight.crowd.is_shared(), reached, is_present };
                        let start = || means.start(&inner.source).map(|start| start.map(Ride::Own));
                        let own = || Poller::here(waker);
                        shard.proceed(waiting, &at, &inner.rules, start, own, scraps.deferred.effects())
                    }
                };
                turn_of::<K, V, E, R, S::Policy>(next, shard, waiting)
            }
        };
        scraps.deferred.nudge(shard.flights.seated(&waiting.seat));
        match &turn {
            Turn::Drive(job, _) => self.driving = Some(job.number),
            Turn::End(_)
                if self.may_hand_over && inner.spawn.is_some() && shard.flights.worth_finishing(&waiting.seat) =>
            {
                waiting.counted = false;
            }
            Turn::End(_) => {
                if let Some(left) = self.leave::<K, V, E, R, S::Policy>(shard) {
                    scraps.left = Some(left);
                }
            }
            _ => {}
        }
        turn
    }

    /// Gives up the seat; what is left of it has to be dropped outside the lock.
    pub(crate) fn leave<K: Key, V: Clone, E, R: Runtime<Notify = N>, P: Policy>(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, P>,
    ) -> Option<Left<K, Ride<K, V, E, R>, V, E, N>> {
        let Waiting { seat, .. } = self.waiting.take()?;
        let place = seat.place();
        let waker = shard.flights.seated(&seat).crowd.withdraw(mem::take(&mut self.registration));
        Some(match shard.flights.leave(seat) {
            Leaving::Nothing | Leaving::Others { vacant: false, untold: None } if waker.is_none() => return None,
            Leaving::Nothing => Left::others(None, None, waker),
            Leaving::Others { vacant, untold } => {
                let hub = if vacant { shard.flights.flight(place).crowd.hub() } else { None };
                Left::others(hub.map(|(hub, _)| hub), untold, waker)
            }
            Leaving::Last(flight) => Left::last(flight, waker),
        })
    }

    /// Hands in what was driven; returns what has to be polled once more.
    fn hand_in<K, V, E, R, S>(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, S::Policy>,
        inner: &Inner<K, V, E, R, S>,
        driven: Driven<Ride<K, V, E, R>, V, E>,
        scraps: &mut Scraps<'_, K, V, E, R>,
    ) -> Option<Job<Ride<K, V, E, R>>>
    where
        K: Key,
        V: Clone,
        R: Runtime<Notify = N>,
        S: Tuning,
    {
        let seat = &self.waiting.as_ref()?.seat;
        let (rules, effects) = (&inner.rules, scraps.deferred.effects());
        if let Driven::Answered(.., now) | Driven::Failed(.., now) = &driven {
            self.reached = self.reached.max(*now);
            // Whoever ends the flight need not be woken for it.
            let registration = mem::take(&mut self.registration);
            scraps.wakers[0] = shard.flights.seated(seat).crowd.withdraw(registration);
        }
        match driven {
            Driven::Nothing => {}
            Driven::Pending(number, load) => {
                let shared = shard.flights.seated(seat).crowd.is_shared();
                match shard.flights.check_in(seat, number, load, shared) {
                    CheckIn::Kept => {}
                    CheckIn::Again(load) => return Some(Job { number, work: Work::Poll(load), shared }),
                    CheckIn::Over(load) => effects.loads.push(load),
                }
            }
            Driven::OwnPending(number) => {
                scraps.wakers[0] = shard.flights.own_pending(seat, number).map(Poller::into_waker);
            }
            Driven::Answered(number, news, now) => {
                shard.succeed(seat, number, news, At { now, rules }, effects);
            }
            Driven::Failed(number, failure, now) => {
                shard.fail(seat, number, failure, At { now, rules }, effects);
            }
        }
        None
    }
}

/// Translates a shard's decision, and takes the waker of all along where a load is polled with it.
fn turn_of<K: Key, V: Clone, E, R: Runtime, P: Policy>(
    next: Next<V, E, Ride<K, V, E, R>>,
    shard: &mut ShardOf<K, V, E, R, P>,
    waiting: &Waiting,
) -> Turn<Ride<K, V, E, R>, V, E, R::Notify> {
    match next {
        Next::Drive(job) if job.shared && !matches!(job.work, Work::Own) => {
            let hub = shard.flights.seated(&waiting.seat).crowd.hub();
            let handed = hub.map(|(hub, waker)| Handed { wakes: hub.wakes(), hub, waker });
            Turn::Drive(job, handed)
        }
        Next::Drive(job) => Turn::Drive(job, None),
        Next::Again => Turn::Again,
        Next::ReadClock => Turn::ReadClock,
        Next::Alone(status, since) => Turn::End(End::Alone(status, since)),
        Next::Leave(told) => Turn::End(End::Told(told)),
        Next::Sleep(deadline) => Turn::Sleep(deadline),
    }
}
