//! One caller's wait, from its first poll to its end.

use alloc::{borrow::ToOwned, boxed::Box, sync::Arc};
use core::{
    borrow::Borrow,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::Batch;
use crate::{
    Instant, Runtime,
    shard::{AsKey, Call, Waiting},
};

/// One caller's wait.
pub(crate) struct Stay<R: Runtime> {
    pub(crate) waiting: Waiting<R::Notify>,
    /// A time that has surely come.
    pub(super) reached: Instant,
    /// Whether that is the present time.
    pub(super) is_present: bool,
    pub(super) state: State,
    sleep: Option<Box<(Instant, R::Sleep)>>,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not polled yet, or told so by a poll that unwound.
    New,
    Waiting,
    /// Its outcome was given out; it is never ready again.
    Over,
}

/// What a caller asks for.
pub(crate) struct Asked<'a, K, V, E, R: Runtime> {
    /// The key, where the caller has it.
    pub(crate) key: Option<&'a dyn AsKey<K>>,
    pub(crate) call: &'a Call,
    /// The load of many keys that its own is to be a part of.
    pub(crate) batch: Option<&'a dyn Fn(bool) -> Arc<Batch<K, V, E, R>>>,
    /// What the call is polled with, where its members have wakers of their own.
    pub(crate) inside: Option<&'a Waker>,
}

impl<R: Runtime> Stay<R> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            waiting: Waiting::new(0, Instant::ZERO),
            reached: Instant::ZERO,
            is_present: false,
            state: State::New,
            sleep: None,
        }
    }

    /// A wait that another caller began: a ticket's, or one that is handed to the spawner.
    pub(crate) fn of(waiting: Waiting<R::Notify>, reached: Instant) -> Self {
        Self { waiting, reached, is_present: false, state: State::Waiting, sleep: None }
    }

    #[inline]
    pub(crate) const fn is_new(&self) -> bool {
        // (A first poll that unwound may have left it a seat.)
        matches!(self.state, State::New) && !self.waiting.seat.is_taken()
    }

    /// The time of the first look, where that did not need to know it.
    pub(super) fn know_time(&mut self, now: impl FnOnce() -> Instant) {
        if !self.is_present {
            (self.reached, self.is_present) = (now(), true);
            self.waiting.started = self.reached;
        }
    }

    /// The first poll.
    pub(super) fn begin(&mut self, hash: u64, now: Option<Instant>, may_hand_over: bool) {
        self.waiting = Waiting::new(hash, now.unwrap_or(Instant::ZERO));
        self.waiting.may_hand_over = may_hand_over;
        (self.reached, self.is_present) = (now.unwrap_or(Instant::ZERO), now.is_some());
    }

    /// A time that has surely come, and whether it is the present one.
    pub(super) const fn time(&self) -> (Instant, bool) {
        (self.reached, self.is_present)
    }

    /// The poll is over.
    pub(super) const fn rest(&mut self) {
        self.is_present = false;
    }

    /// Takes the wait out, for one who goes on with it.
    pub(crate) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// Waits until the deadline, or for a wake.
    pub(super) fn sleep_until(&mut self, runtime: &R, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline == Instant::NEVER {
            self.sleep = None;
            return Poll::Pending;
        }
        if self.sleep.as_ref().is_none_or(|sleep| sleep.0 != deadline) {
            self.sleep = Some(Box::new((deadline, runtime.sleep_until(deadline))));
        }
        let poll = self.sleep.as_mut().map_or(Poll::Pending, |sleep| Pin::new(&mut sleep.1).poll(cx));
        if poll.is_ready() {
            self.sleep = None;
        }
        poll
    }

    /// Drops what it needs no more.
    pub(super) fn end_sleep(&mut self) {
        self.sleep = None;
    }
}

/// A key that is borrowed, in any form that the map knows.
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

/// A key of one's own.
pub(crate) struct OwnKey<K>(pub(crate) K);

impl<K: Eq + Clone> AsKey<K> for OwnKey<K> {
    fn is(&self, key: &K) -> bool {
        self.0 == *key
    }

    fn to_key(&self) -> K {
        self.0.clone()
    }
}
