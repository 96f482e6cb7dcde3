//! Lookups by loads that each call brings and that own what they need.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{Cache, GetStale, LookupOptions, ask::Ask, lookup_by::LookupBy, means::ByCall};
use crate::{Key, LoadError, Loaded, Outcome, Runtime, Source, TakesCalls, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the value of `key`, loading it by `load` if nobody loads it already.
    ///
    /// For caches without a loader of their own ([`per_call`](crate::Builder::per_call)). The closure and its future own
    /// what they need; the load is boxed and rests in the cache, where any waiting caller carries it on: all that is
    /// promised of [`get`](Self::get) holds. If somebody loads the key already, the closure is not called.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use std::future::Future;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache: Cache<String, _, _> =
    ///     Cache::builder(Std::new(ManualClock::new())).per_call::<usize, std::io::Error>().build()?;
    /// let name = String::from("larder");
    /// let load = { let name = name.clone(); move || async move { Ok(name.len()) } };
    /// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// # let mut get = cache.get_or_load(&name, load);
    /// // In an async function: `cache.get_or_load(&name, load).await?`
    /// let std::task::Poll::Ready(length) = std::pin::Pin::new(&mut get).poll(&mut cx) else { unreachable!() };
    /// assert_eq!(length?, 6);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_or_load<'a, Q, C, F>(&'a self, key: &'a Q, load: C) -> GetOrLoad<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<L::Value, L::Error>>,
        L: TakesCalls<K, C, F, <L as Source<K>>::Value>,
    {
        GetOrLoad(Ask::new(&self.inner, key, ByCall::new(load)))
    }

    /// As [`get_or_load`](Self::get_or_load) with options of the call's own, and returns all there is to say.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn lookup_or_load<'a, Q, C, F>(
        &'a self,
        key: &'a Q,
        options: LookupOptions,
        load: C,
    ) -> LookupOrLoad<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<Loaded<L::Value>, L::Error>>,
        L: TakesCalls<K, C, F, Loaded<<L as Source<K>>::Value>>,
    {
        LookupOrLoad(LookupBy::new(Ask::new(&self.inner, key, ByCall::new(load)), options))
    }

    /// As [`lookup_stale`](Self::lookup_stale), for caches to which each call brings a load of its own.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    pub fn stale_or_load<'a, Q, C, F>(
        &'a self,
        key: &'a Q,
        options: LookupOptions,
        load: C,
    ) -> StaleOrLoad<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<Loaded<L::Value>, L::Error>>,
        L: TakesCalls<K, C, F, Loaded<<L as Source<K>>::Value>>,
    {
        GetStale::by(LookupBy::stale(Ask::new(&self.inner, key, ByCall::new(load)), options))
    }
}

/// The future of [`Cache::stale_or_load`].
pub type StaleOrLoad<'a, K, Q, L, R, P, H, C, F> =
    GetStale<'a, K, Q, L, R, P, H, ByCall<C, F, Loaded<<L as Source<K>>::Value>, <L as Source<K>>::Future>>;

/// The future of [`Cache::get_or_load`].
#[must_use = "a future does nothing unless it is polled"]
pub struct GetOrLoad<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    Ask<'a, K, Q, L, R, P, H, ByCall<C, F, L::Value, L::Future>>,
);

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Unpin
    for GetOrLoad<'_, K, Q, L, R, P, H, C, F>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Future
    for GetOrLoad<'_, K, Q, L, R, P, H, C, F>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    L: TakesCalls<K, C, F, <L as Source<K>>::Value>,
{
    type Output = Result<L::Value, LoadError<L::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_value(cx)
    }
}

/// The future of [`Cache::lookup_or_load`].
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupOrLoad<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    LookupBy<'a, K, Q, L, R, P, H, ByCall<C, F, Loaded<L::Value>, L::Future>>,
);

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Unpin
    for LookupOrLoad<'_, K, Q, L, R, P, H, C, F>
{
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F> Future
    for LookupOrLoad<'_, K, Q, L, R, P, H, C, F>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    L: TakesCalls<K, C, F, Loaded<<L as Source<K>>::Value>>,
{
    type Output = Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}
