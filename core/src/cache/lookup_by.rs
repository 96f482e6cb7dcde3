//! A lookup with options, by any means.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    LookupOptions,
    ask::{Ask, AskBy, Asks},
    means::Means,
};
use crate::{Key, LoadError, Outcome, Runtime, Tuning, shard::Takes};

/// A lookup and its options.
pub(crate) struct LookupBy<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> {
    pub(super) ask: AskBy<'a, K, Q, V, E, R, S, M>,
    pub(super) options: LookupOptions,
    takes_stale: bool,
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> LookupBy<'a, K, Q, V, E, R, S, M> {
    pub(crate) const fn new(ask: AskBy<'a, K, Q, V, E, R, S, M>, options: LookupOptions) -> Self {
        Self { ask, options, takes_stale: false }
    }

    /// Takes a stale value at once.
    pub(crate) fn stale(self) -> Self {
        Self { takes_stale: true, ..self }
    }

    /// Loads by these means instead. It was not polled yet.
    pub(crate) fn with<N>(self, means: N) -> LookupBy<'a, K, Q, V, E, R, S, N> {
        let Self { ask: AskBy { ask, .. }, options, takes_stale } = self;
        LookupBy { ask: AskBy { ask, means }, options, takes_stale }
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> LookupBy<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, V, E, R::Threads>,
{
    pub(crate) fn poll_asks(&mut self, cx: &mut Context<'_>) -> Poll<Asks<K, V, E, R, S>> {
        let Ask { inner, key, .. } = self.ask.ask;
        if self.options.expires() {
            inner.expects_expiry();
        }
        let mut call = self.options.over(&inner.rules);
        if self.takes_stale {
            call.takes = Takes::Ticket;
            if self.ask.ask.is_new() {
                call.random = inner.source.random();
            }
        }
        self.ask.poll(cx, &call, inner.hash(key), None)
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> Unpin for LookupBy<'_, K, Q, V, E, R, S, M> {}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for LookupBy<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, V, E, R::Threads>,
{
    type Output = Result<Outcome<V, E>, LoadError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_asks(cx).map(|result| result.map(|(outcome, _)| outcome))
    }
}
