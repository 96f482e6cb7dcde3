//! A lookup with options, by any means.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    task::{Context, Poll},
};

use super::{
    LookupOptions,
    ask::{Ask, AskBy, Asks},
    means::Means,
};
use crate::{Key, LoadError, Outcome, Runtime, Source, policy::Policy, shard::Takes};

/// A lookup and its options.
pub(crate) struct LookupBy<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> {
    pub(super) ask: AskBy<'a, K, Q, L, R, P, H, M>,
    options: LookupOptions,
    takes_stale: bool,
}

impl<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> LookupBy<'a, K, Q, L, R, P, H, M> {
    pub(crate) const fn new(ask: AskBy<'a, K, Q, L, R, P, H, M>, options: LookupOptions) -> Self {
        Self { ask, options, takes_stale: false }
    }

    /// As `new`, and takes a stale value at once.
    pub(crate) const fn stale(ask: AskBy<'a, K, Q, L, R, P, H, M>, options: LookupOptions) -> Self {
        Self { ask, options, takes_stale: true }
    }
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> LookupBy<'_, K, Q, L, R, P, H, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, L>,
{
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>> {
        self.poll_asks(cx).map(|result| result.map(|(outcome, _)| outcome))
    }

    pub(crate) fn poll_asks(&mut self, cx: &mut Context<'_>) -> Poll<Asks<K, L, R, P, H>> {
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
