//! Stale values at once, and their refresh as a ticket.

use alloc::{borrow::ToOwned, sync::Arc};
use core::{
    borrow::Borrow,
    fmt,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Cache, LookupOptions,
    ask::Ask,
    inner::Inner,
    lookup_by::LookupBy,
    means::{ByLoader, Means},
    waiter::Waiter,
};
use crate::{HasLoader, Key, LoadError, Outcome, Runtime, Source, Spawn, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H>
where
    L: HasLoader,
{
    /// Returns the value of `key`, at once even if it is stale, and then the duty to refresh it.
    ///
    /// A value that expired no longer ago than [`stale_while_refresh`](crate::Builder::stale_while_refresh) is served
    /// without waiting. The first caller who finds it so gets a [`Refresh`] with it; as long as that is held, or a load of
    /// the key is in flight, the others get the value alone. Beyond the limit this waits for a load as
    /// [`get`](Self::get) does.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn get_stale<'a, Q>(&'a self, key: &'a Q) -> GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup_stale(key, LookupOptions::new())
    }

    /// As [`get_stale`](Self::get_stale) with options of the call's own.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn lookup_stale<'a, Q>(
        &'a self,
        key: &'a Q,
        options: LookupOptions,
    ) -> GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        GetStale(LookupBy::stale(Ask::new(&self.inner, key, ByLoader::new()), options))
    }

    /// As [`get_stale`](Self::get_stale), and has the runtime's spawner do the refresh.
    ///
    /// At most one refresh per key is in flight. Where no runtime is at hand, the refresh is handed back.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn get_stale_spawn<'a, Q>(&'a self, key: &'a Q) -> GetStaleSpawn<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        R: Spawn<Refresh<K, L, R, P, H>>,
    {
        GetStaleSpawn(self.get_stale(key))
    }
}

/// What a lookup that takes stale values comes to.
pub struct StaleOutcome<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    /// The value and what there is to say about it.
    pub outcome: Outcome<L::Value, L::Error>,
    /// The refresh, if it is this caller's to await, to spawn or to drop.
    pub refresh: Option<Refresh<K, L, R, P, H>>,
}

/// The refresh of a stale value: await it, spawn it, or drop it and leave it to the next caller.
///
/// It owns its share of the cache. It ends once the key has a new outcome, whoever brought that about, and tells nothing:
/// a failed refresh leaves the value as it is. Until it is polled it costs no load; while it is held, nobody else is asked
/// to refresh the key, for as long as the lock age says.
///
/// # Cancel safety
///
/// Dropping it drops the load unless somebody else waits for it.
#[must_use = "dropping a refresh leaves the value stale"]
pub struct Refresh<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    waiter: Option<Waiter<K, L, R, P, H, Arc<Inner<K, L, R, P, H>>>>,
    means: ByLoader<L::Future>,
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin for Refresh<K, L, R, P, H> {}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for Refresh<K, L, R, P, H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(waiter) = &mut this.waiter else { return Poll::Ready(()) };
        let poll = waiter.poll(cx, &mut this.means).map(drop);
        if poll.is_ready() {
            this.waiter = None;
        }
        poll
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> fmt::Debug for Refresh<K, L, R, P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("is_over", &self.waiter.is_none()).finish_non_exhaustive()
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> fmt::Debug for StaleOutcome<K, L, R, P, H>
where
    L::Value: fmt::Debug,
    L::Error: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaleOutcome").field("outcome", &self.outcome).field("refresh", &self.refresh).finish()
    }
}

/// The future of [`Cache::get_stale`] and [`Cache::lookup_stale`].
#[must_use = "a future does nothing unless it is polled"]
pub struct GetStale<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M>(
    LookupBy<'a, K, Q, L, R, P, H, M>,
);

/// The future of [`Cache::get_stale_spawn`].
#[must_use = "a future does nothing unless it is polled"]
pub struct GetStaleSpawn<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

impl<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> GetStale<'a, K, Q, L, R, P, H, M> {
    pub(super) const fn by(lookup: LookupBy<'a, K, Q, L, R, P, H, M>) -> Self {
        Self(lookup)
    }
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> Unpin
    for GetStale<'_, K, Q, L, R, P, H, M>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> Future for GetStale<'_, K, Q, L, R, P, H, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, L>,
{
    type Output = Result<StaleOutcome<K, L, R, P, H>, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.0.ask.inner;
        self.0.poll_asks(cx).map(|result| {
            result.map(|(outcome, ticket)| StaleOutcome {
                outcome,
                refresh: ticket.map(|(waiting, now)| Refresh {
                    waiter: Some(Waiter::new(Arc::clone(inner), waiting, now, false)),
                    means: ByLoader::new(),
                }),
            })
        })
    }
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin
    for GetStaleSpawn<'_, K, Q, L, R, P, H>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for GetStaleSpawn<'_, K, Q, L, R, P, H>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    R: Spawn<Refresh<K, L, R, P, H>>,
{
    type Output = Result<StaleOutcome<K, L, R, P, H>, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.0.0.ask.inner;
        Pin::new(&mut self.0).poll(cx).map(|result| {
            result.map(|mut stale| {
                stale.refresh = stale.refresh.and_then(|refresh| inner.runtime.spawn(refresh).err());
                stale
            })
        })
    }
}
