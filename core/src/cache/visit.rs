//! The words of a visit to a shard: what is handed in, what is learned, and what is left over.

use alloc::{boxed::Box, sync::Arc};
use core::task::Waker;

use super::{
    crowd::{Crowd, Hub},
    deferred::Deferred,
    poller::Poller,
    ride::Ride,
};
use crate::{
    Failure, Instant, LoadError, Notify, Outcome, Runtime, Status,
    contain::{Contained, contain},
    flight::{Flight, Job},
    shard::{News, Wait},
    source::Sources,
};

/// How a caller's wait ends.
pub(crate) enum End<V, E> {
    /// By this result.
    Told(Result<Outcome<V, E>, LoadError<E>>),
    /// By a failure, which a stale value may soften, after this wait.
    Failed(Failure<E>, Wait),
    /// By loading alone, with this status in the end; he has waited since then.
    Alone(Status, Instant),
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
    Answered(u32, News<V>, Instant),
    Failed(u32, Failure<E>, Instant),
}

/// The waker of all, and how often it had been woken when a load was handed out.
pub(crate) struct Handed<N> {
    pub(crate) hub: Arc<Hub<N>>,
    pub(crate) waker: Waker,
    pub(crate) wakes: usize,
}

/// What is left of a seat that was given up. Dropping it wakes those who have to lead now, and drops the rest.
pub(crate) struct Left<K, F, V, E, N: Notify> {
    vacant: Option<Arc<Hub<N>>>,
    _rest: Contained<Rest<K, F, V, E, N>>,
}

/// The flight if nobody is left in it, a failure that nobody was told of, and the waker of who left.
///
/// The flight is boxed, as few visits leave one over and all would carry its size around.
type Rest<K, F, V, E, N> = (Option<Box<Flight<K, F, V, E, Poller, Crowd<N>>>>, Option<Failure<E>>, Option<Waker>);

impl<K, F, V, E, N: Notify> Left<K, F, V, E, N> {
    /// Others wait on, of whom one has to lead if there is a hub here.
    pub(crate) const fn others(vacant: Option<Arc<Hub<N>>>, untold: Option<Failure<E>>, waker: Option<Waker>) -> Self {
        Self { vacant, _rest: Contained((None, untold, waker)) }
    }

    /// Nobody waits any more.
    pub(crate) fn last(flight: Flight<K, F, V, E, Poller, Crowd<N>>, waker: Option<Waker>) -> Self {
        Self { vacant: None, _rest: Contained((Some(Box::new(flight)), None, waker)) }
    }
}

impl<K, F, V, E, N: Notify> Drop for Left<K, F, V, E, N> {
    fn drop(&mut self) {
        if let Some(hub) = self.vacant.take() {
            contain(|| hub.notify_all());
        }
    }
}

/// What a visit leaves over, in the order in which it is dropped: whoever has to be woken is woken before the rest goes.
pub(crate) struct Scraps<'a, K, V, E, R: Runtime> {
    pub(crate) deferred: Deferred<'a, K, V, E, R>,
    pub(crate) left: Option<Left<K, Ride<K, V, E, R>, V, E, R::Notify>>,
    /// Of the registration that ended, and of the one that was renewed.
    pub(crate) wakers: [Option<Waker>; 2],
}

impl<'a, K, V, E, R: Runtime> Scraps<'a, K, V, E, R> {
    pub(crate) const fn new(source: &'a Sources<K, V, E, R::Threads>) -> Self {
        Self { deferred: Deferred::new(source), left: None, wakers: [None, None] }
    }
}
