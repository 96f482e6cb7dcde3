//! Lookups by a closure of the call's own that may borrow.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Cache, LookupOptions,
    ask::Ask,
    lookup_by::LookupBy,
    means::{Borrowed, Plainly},
};
use crate::{Key, LoadError, Loaded, Outcome, Runtime, Source, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the value of `key`, loading it by `load` if nobody loads it already.
    ///
    /// The closure and its future may borrow, so they stay with this caller: nobody else can carry the load on. If this
    /// caller is dropped, the next one who waits leads by his own means; if it is parked, the others wait for as long as
    /// the lock age says. A load that owns what it needs has none of these limits: see
    /// [`get_or_load`](Self::get_or_load).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the error is shared by all who wait.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops its load; who waits for it is woken and loads by himself.
    pub fn get_with<'a, Q, C, F>(&'a self, key: &'a Q, load: C) -> GetWith<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<L::Value, L::Error>>,
    {
        GetWith(Ask::new(&self.inner, key, Plainly(Borrowed::new(load))))
    }

    /// As [`get_with`](Self::get_with) with options of the call's own, and returns all there is to say about the value.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the error is shared by all who wait.
    ///
    /// # Cancel safety
    ///
    /// As [`get_with`](Self::get_with).
    pub fn lookup_with<'a, Q, C, F>(
        &'a self,
        key: &'a Q,
        options: LookupOptions,
        load: C,
    ) -> LookupWith<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<Loaded<L::Value>, L::Error>>,
    {
        LookupWith(LookupBy::new(Ask::new(&self.inner, key, Borrowed::new(load)), options))
    }
}

/// The future of [`Cache::get_with`].
#[must_use = "a future does nothing unless it is polled"]
pub struct GetWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    Ask<'a, K, Q, L, R, P, H, Plainly<Borrowed<C, F>>>,
);

/// The future of [`Cache::lookup_with`].
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    LookupBy<'a, K, Q, L, R, P, H, Borrowed<C, F>>,
);

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Unpin
    for GetWith<'_, K, Q, L, R, P, H, C, F>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Future
    for GetWith<'_, K, Q, L, R, P, H, C, F>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    C: FnOnce() -> F,
    F: Future<Output = Result<L::Value, L::Error>>,
{
    type Output = Result<L::Value, LoadError<L::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_value(cx)
    }
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Unpin
    for LookupWith<'_, K, Q, L, R, P, H, C, F>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Future
    for LookupWith<'_, K, Q, L, R, P, H, C, F>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    C: FnOnce() -> F,
    F: Future<Output = Result<Loaded<L::Value>, L::Error>>,
{
    type Output = Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}
