//! What is done under a shard's lock on behalf of a waiting caller.

use alloc::sync::Arc;
use core::{hash::BuildHasher, task::Waker};

use super::{
    crowd::{Crowd, Hub, Registration},
    inner::{Deferred, Inner, ShardOf},
};
use crate::{
    Failure, Instant, Key, LoadError, Loaded, Notify, Outcome, Runtime, Source, Status,
    flight::{CheckIn, Flight, Job, Leaving, Work},
    policy::Policy,
    shard::{At, Next, Waiting},
};

/// How a caller's wait ends.
pub(crate) enum End<V, E> {
    /// By this result.
    Told(Result<Outcome<V, E>, LoadError<E>>),
    /// By a failure, which a stale value may soften.
    Failed(Failure<E>),
    /// By loading alone, with this status in the end.
    Alone(Status),
}

/// What a visit to the shard says.
pub(crate) enum Turn<F, V, E, N> {
    End(End<V, E>),
    Drive(Job<F>, Option<Handed<N>>),
    Again,
    ReadClock,
    Sleep(Instant),
}

/// What was driven, and what came of it.
pub(crate) enum Driven<F, V, E> {
    Nothing,
    Pending(u32, F),
    OwnPending(u32),
    Answered(u32, Loaded<V>, Option<u64>, Instant),
    Failed(u32, Failure<E>, Instant),
}

/// The waker of all, and how often it had been woken when a load was handed out.
pub(crate) struct Handed<N> {
    pub(crate) hub: Arc<Hub<N>>,
    pub(crate) waker: Waker,
    pub(crate) wakes: usize,
}

/// Hands in what was driven; returns what has to be polled once more.
pub(crate) fn hand_in<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    shard: &mut ShardOf<K, L, R, P>,
    waiting: &Waiting,
    driven: Driven<L::Future, L::Value, L::Error>,
    (registration, reached): (&mut Registration<R::Notify>, &mut Instant),
    inner: &Inner<K, L, R, P, H>,
    effects: &mut Deferred<K, L, R>,
    displaced: &mut Option<Waker>,
) -> Option<Job<L::Future>> {
    let (seat, rules, effects) = (&waiting.seat, &inner.rules, &mut effects.0);
    if let Driven::Answered(.., now) | Driven::Failed(.., now) = &driven {
        *reached = (*now).max(*reached);
        // Whoever ends the flight need not be woken for it.
        *displaced = shard.flights.seated(seat).crowd.withdraw(core::mem::take(registration));
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
        Driven::OwnPending(number) => *displaced = shard.flights.own_pending(seat, number),
        Driven::Answered(number, loaded, weighed, now) => {
            shard.succeed(seat, number, loaded, weighed, At { now, rules }, effects);
        }
        Driven::Failed(number, failure, now) => {
            shard.fail(seat, number, failure, At { now, rules }, effects);
        }
    }
    None
}

/// Translates a shard's decision, and takes the waker of all along where a load is polled with it.
pub(crate) fn turn_of<K: Key, L: Source<K>, R: Runtime, P: Policy>(
    next: Next<L::Value, L::Error, L::Future>,
    shard: &mut ShardOf<K, L, R, P>,
    waiting: &Waiting,
) -> Turn<L::Future, L::Value, L::Error, R::Notify> {
    match next {
        Next::Drive(job) if job.shared && !matches!(job.work, Work::Own) => {
            let hub = shard.flights.seated(&waiting.seat).crowd.hub();
            let handed = hub.map(|(hub, waker)| Handed { wakes: hub.wakes(), hub, waker });
            Turn::Drive(job, handed)
        }
        Next::Drive(job) => Turn::Drive(job, None),
        Next::Again => Turn::Again,
        Next::ReadClock => Turn::ReadClock,
        Next::Alone(status) => Turn::End(End::Alone(status)),
        Next::Leave(told) => Turn::End(End::Told(told)),
        Next::Sleep(deadline) => Turn::Sleep(deadline),
    }
}

/// What is left of a seat that was given up. Dropping it wakes those who have to lead now, and drops the rest.
pub(crate) struct Left<K, F, V, E, N: Notify> {
    vacant: Option<Arc<Hub<N>>>,
    _flight: Option<Flight<K, F, V, E, Waker, Crowd<N>>>,
    _waker: Option<Waker>,
    _untold: Option<Failure<E>>,
}

impl<K, F, V, E, N: Notify> Drop for Left<K, F, V, E, N> {
    fn drop(&mut self) {
        if let Some(hub) = self.vacant.take() {
            hub.notify_all();
        }
    }
}

/// Gives up a seat.
pub(crate) fn leave<K: Key, L: Source<K>, R: Runtime, P: Policy>(
    shard: &mut ShardOf<K, L, R, P>,
    waiting: Waiting,
    registration: Registration<R::Notify>,
) -> Left<K, L::Future, L::Value, L::Error, R::Notify> {
    let place = waiting.seat.place();
    let waker = shard.flights.seated(&waiting.seat).crowd.withdraw(registration);
    match shard.flights.leave(waiting.seat) {
        Leaving::Others { vacant, untold } => {
            let hub = if vacant { shard.flights.flight(place).crowd.hub() } else { None };
            Left { vacant: hub.map(|(hub, _)| hub), _flight: None, _waker: waker, _untold: untold }
        }
        Leaving::Last(flight) => Left { vacant: None, _flight: Some(flight), _waker: waker, _untold: None },
    }
}
