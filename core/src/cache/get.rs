//! Lookups by the cache's own loader.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{Cache, LookupOptions, ask::Ask, lookup_by::LookupBy, means::ByLoader};
use crate::{HasLoader, Key, LoadError, Outcome, Runtime, Source, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H>
where
    L: HasLoader,
{
    /// Returns the value of `key`, loading it if it is missing or has expired.
    ///
    /// Callers of one key share one load. A stale value is served only when the load fails, within
    /// [`stale_if_error`](crate::Builder::stale_if_error). A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// [`LoadError::Failed`] with what everybody has who waited for the same load, [`LoadError::LockTimeout`] after the
    /// lock timeout, and [`LoadError::Reentrant`] for a load that asks for its own key. A load that panics unwinds
    /// through the caller who polled it; the others get the error.
    ///
    /// # Cancel safety
    ///
    /// Nothing happens before the first poll. Dropping the future leaves the load to the others who wait for it; if
    /// there are none, the load is dropped, or left to the spawner with
    /// [`finish_abandoned`](crate::Builder::finish_abandoned).
    ///
    /// ```
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
    ///     .build()?;
    /// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// # let mut get = cache.get("larder");
    /// // In an async function: `cache.get("larder").await?`
    /// let std::task::Poll::Ready(length) = std::pin::Pin::new(&mut get).poll(&mut cx) else { unreachable!() };
    /// assert_eq!(length?, 6);
    /// # Ok(())
    /// # }
    /// # use std::future::Future;
    /// ```
    #[inline]
    pub fn get<'a, Q>(&'a self, key: &'a Q) -> Get<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Get(Ask::new(&self.inner, key, ByLoader::new()))
    }

    /// As [`get`](Self::get) with options of the call's own, and returns all there is to say about the value.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn lookup<'a, Q>(&'a self, key: &'a Q, options: LookupOptions) -> Lookup<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Lookup(LookupBy::new(Ask::new(&self.inner, key, ByLoader::new()), options))
    }
}

/// The future of [`Cache::get`].
#[must_use = "a future does nothing unless it is polled"]
pub struct Get<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    Ask<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

/// The future of [`Cache::lookup`].
#[must_use = "a future does nothing unless it is polled"]
pub struct Lookup<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    LookupBy<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin for Get<'_, K, Q, L, R, P, H> {}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for Get<'_, K, Q, L, R, P, H>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    type Output = Result<L::Value, LoadError<L::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_value(cx)
    }
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin for Lookup<'_, K, Q, L, R, P, H> {}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for Lookup<'_, K, Q, L, R, P, H>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    type Output = Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}
