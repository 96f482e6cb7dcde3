//! One caller's wait, from its first poll to its end.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    mem,
    task::{Context, Poll},
};

use super::sleep::Sleep;
use crate::{
    Instant, Runtime,
    shard::{AsKey, Waiting},
};

/// One caller's wait.
pub(crate) struct Stay<R: Runtime> {
    pub(crate) waiting: Waiting<R::Notify>,
    /// A time that has certainly been reached.
    pub(super) reached: Instant,
    pub(super) state: State,
    sleep: Sleep<R>,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not polled yet.
    New,
    Waiting,
    /// Its outcome was returned; it is never ready again.
    Over,
}

/// A caller that needs nothing to wait with until it has to wait: a hit writes one byte.
pub(crate) enum Caller<R: Runtime> {
    /// It has not looked yet.
    New,
    /// It has found a value at its first look.
    Served,
    /// It has to wait, or had to.
    Stays(Stay<R>),
}

impl<R: Runtime> Caller<R> {
    /// Begins to wait with the first poll.
    #[inline]
    pub(super) fn begin(&mut self, hash: u64, now: Instant, may_hand_over: bool) -> Option<&mut Stay<R>> {
        if let Self::Stays(stay) = self {
            stay.begin(hash, now, may_hand_over);
        } else {
            let mut waiting = Waiting::new(hash, now);
            waiting.may_hand_over = may_hand_over;
            *self = Self::Stays(Stay { waiting, reached: now, state: State::New, sleep: Sleep::None });
        }
        self.stay()
    }

    /// What it waits with, made if there is none; nothing if it is served.
    #[inline]
    pub(crate) fn stay(&mut self) -> Option<&mut Stay<R>> {
        if let Self::New = self {
            *self = Self::Stays(Stay::new());
        }
        match self {
            Self::Stays(stay) => Some(stay),
            _ => None,
        }
    }
}

impl<R: Runtime> Stay<R> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { waiting: Waiting::new(0, Instant::ZERO), reached: Instant::ZERO, state: State::New, sleep: Sleep::None }
    }

    /// A wait that another caller began: that of a ticket, or one handed to the spawner.
    pub(crate) fn of(waiting: Waiting<R::Notify>, reached: Instant) -> Self {
        Self { waiting, reached, state: State::Waiting, sleep: Sleep::None }
    }

    /// The wait of one key of many, whose call sleeps for it.
    pub(super) fn of_member() -> Self {
        Self { sleep: Sleep::OfCall(Instant::ZERO), ..Self::new() }
    }

    /// Its call has slept until then.
    pub(super) fn has_slept_until(&mut self, deadline: Instant) {
        self.sleep = Sleep::OfCall(deadline);
    }

    #[inline]
    pub(crate) const fn is_new(&self) -> bool {
        // A first poll that unwound may have left it a seat.
        matches!(self.state, State::New) && !self.waiting.seat.is_taken()
    }

    /// Begins with the first poll.
    #[inline]
    pub(super) const fn begin(&mut self, hash: u64, now: Instant, may_hand_over: bool) {
        let waiting = &mut self.waiting;
        (waiting.hash, waiting.started, waiting.may_hand_over) = (hash, now, may_hand_over);
        self.reached = now;
    }

    /// Sets the time of the first look, which did not read the clock.
    pub(super) const fn know_time(&mut self, now: Instant) {
        (self.reached, self.waiting.started) = (now, now);
    }

    /// Takes the wait out, to go on with it elsewhere.
    pub(crate) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// Waits until the deadline, or for a wake.
    #[inline]
    pub(super) fn sleep_until(&mut self, runtime: &R, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline == Instant::NEVER {
            self.sleep.end();
            return Poll::Pending;
        }
        self.sleep.until(runtime, deadline, cx)
    }

    /// Has it a sleep?
    #[inline]
    pub(super) const fn sleeps(&self) -> bool {
        self.sleep.is_own()
    }

    /// Drops the sleep, which it no longer needs.
    pub(super) fn end_sleep(&mut self) {
        self.sleep.end();
    }
}

/// A borrowed key, in any form that the map knows.
pub(crate) struct Borrowed<'a, Q: ?Sized>(pub(crate) &'a Q);

impl<K, Q> AsKey<K> for Borrowed<'_, Q>
where
    K: Borrow<Q>,
    Q: Eq + ToOwned<Owned = K> + ?Sized,
{
    fn is(&self, key: &K) -> bool {
        key.borrow() == self.0
    }

    fn to_key(&self) -> K {
        self.0.to_owned()
    }
}

/// An owned key.
pub(crate) struct OwnKey<K>(pub(crate) K);

impl<K: Eq + Clone> AsKey<K> for OwnKey<K> {
    fn is(&self, key: &K) -> bool {
        self.0 == *key
    }

    fn to_key(&self) -> K {
        self.0.clone()
    }
}
