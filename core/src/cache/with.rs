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
    ask::AskBy,
    lookup_by::LookupBy,
    lookup_future::lookup_future,
    means::{Borrowed, Plainly},
};
use crate::{Key, LoadError, Loaded, Outcome, Runtime, Source, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the value of `key`, loading it by `load` if need be.
    ///
    /// If somebody loads the key already, that load is joined. The closure and its future may borrow, so they stay with
    /// this caller: nobody else can carry the load on. If this caller is dropped, the one who has waited longest leads
    /// by his own means; if it is alive and not polled, the others wait for as long as the lock age says. A load that
    /// owns what it needs has none of these limits: see [`get_or_load`](Self::get_or_load).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the error is shared by all who wait.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops its load; who waits for it is woken and loads by himself.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
    /// let prices = vec![10, 20, 30];
    /// let price = block_on(cache.get_with(&1, || async {
    ///     prices.get(1).copied().ok_or_else(|| io::Error::other("no such thing"))
    /// }))?;
    /// assert_eq!(price, 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_with<'a, Q, C, F>(&'a self, key: &'a Q, load: C) -> GetWith<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<L::Value, L::Error>>,
    {
        GetWith(AskBy::new(&self.inner, key, Plainly(Borrowed::new(load))))
    }

    /// Returns the value of `key` and how it was found.
    ///
    /// As [`get_with`](Self::get_with), with options of the call's own; the load may say a lifetime and a weight.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the error is shared by all who wait.
    ///
    /// # Cancel safety
    ///
    /// As [`get_with`](Self::get_with).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
    /// let prices = vec![10, 20, 30];
    /// let outcome = block_on(cache.lookup_with(&1, LookupOptions::new(), || async {
    ///     Ok(Loaded::new(prices[1]).ttl(Duration::from_secs(60)))
    /// }))?;
    /// assert_eq!(outcome.status(), Status::Miss);
    /// assert_eq!(outcome.into_value(), 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        LookupWith(LookupBy::new(AskBy::new(&self.inner, key, Borrowed::new(load)), options))
    }
}

/// The future of [`Cache::get_with`].
///
/// It keeps the load, so dropping it drops that.
///
/// ```
/// # use futures_lite::future::{block_on, pending, poll_once};
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
/// let mut get = cache.get_with(&1, pending);
/// assert!(block_on(poll_once(&mut get)).is_none());
/// drop(get);
/// assert_eq!(cache.stats().loads_dropped, 1);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct GetWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    AskBy<'a, K, Q, L, R, P, H, Plainly<Borrowed<C, F>>>,
);

lookup_future!(GetWith[C, F]: poll_value -> Result<L::Value, LoadError<L::Error>>, where C: FnOnce() -> F, F: Future<Output = Result<L::Value, L::Error>>);

/// The future of [`Cache::lookup_with`].
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
/// # use std::io;
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
/// let lookup = cache.lookup_with(&1, LookupOptions::new(), || async { Ok(Loaded::new(20)) });
/// assert!(block_on(lookup)?.led());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    LookupBy<'a, K, Q, L, R, P, H, Borrowed<C, F>>,
);

lookup_future!(LookupWith[C, F]: poll -> Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>, where C: FnOnce() -> F, F: Future<Output = Result<Loaded<L::Value>, L::Error>>);
