//! Lookups by the cache's own loader.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{Cache, LookupOptions, ask::AskBy, lookup_by::LookupBy, lookup_future::lookup_future, means::ByLoader};
use crate::{HasLoader, Key, LoadError, Outcome, Runtime, Source, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H>
where
    L: HasLoader,
{
    /// Returns the value of `key`, loading it if need be.
    ///
    /// That is if it is missing or has expired. Callers of one key share one load. A stale value is served only when
    /// the load fails, within [`stale_if_error`](crate::Builder::stale_if_error), or at the lock timeout, if that says
    /// so. A hit allocates nothing.
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
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
    ///     .build()?;
    /// // In an async function: `cache.get("larder").await?`
    /// assert_eq!(block_on(cache.get("larder"))?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get<'a, Q>(&'a self, key: &'a Q) -> Get<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Get(AskBy::new(&self.inner, key, ByLoader::new()))
    }

    /// Returns the value of `key` and how it was found.
    ///
    /// As [`get`](Self::get), with options of the call's own.
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
    /// # use core::time::Duration;
    /// # use larder::Status;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.lookup(&21, brief))?.status(), Status::Miss);
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.lookup(&21, brief))?.status(), Status::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup<'a, Q>(&'a self, key: &'a Q, options: LookupOptions) -> Lookup<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Lookup(LookupBy::new(AskBy::new(&self.inner, key, ByLoader::new()), options))
    }

    /// Loads the value of `key` anew, though it is fresh.
    ///
    /// As [`lookup`](Self::lookup) with [`reload`](LookupOptions::reload): refreshers share one load, and join one that
    /// is in flight; a kept failure is ignored. Others have the old value meanwhile.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), though a stale value would be there for others; a value that was there stays.
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// let outcome = block_on(cache.refresh(&1))?;
    /// assert_eq!((*outcome.value(), outcome.status()), (2, Status::Miss));
    /// assert_eq!(cache.get_if_present(&1), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh<'a, Q>(&'a self, key: &'a Q) -> Lookup<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup(key, LookupOptions::new().reload())
    }
}

/// The future of [`Cache::get`].
///
/// It does nothing before its first poll, and needs no pinning.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder(Std::new(clock.clone()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let get = cache.get(&21);
/// assert_eq!(cache.stats().loads_begun, 0);
/// assert_eq!(block_on(get)?, 42);
/// assert_eq!(cache.stats().loads_begun, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Get<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    AskBy<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

lookup_future!(Get[]: poll_value -> Result<L::Value, LoadError<L::Error>>);

/// The future of [`Cache::lookup`] and [`Cache::refresh`].
///
/// ```
/// # use futures_lite::future::poll_once;
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder(Std::new(clock.clone()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let mut lookup = cache.lookup(&21, LookupOptions::new());
/// // Polled by reference; a load that is ready at once needs one poll.
/// let outcome = block_on(poll_once(&mut lookup));
/// assert_eq!(outcome.transpose()?.map(|outcome| outcome.into_value()), Some(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Lookup<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    LookupBy<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

lookup_future!(Lookup[]: poll -> Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>);
