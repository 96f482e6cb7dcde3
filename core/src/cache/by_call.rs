//! Lookups by loads that each call brings and that own what they need.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Cache, GetStale, LookupOptions, ask::AskBy, lookup_by::LookupBy, lookup_future::lookup_future, means::ByCall,
};
use crate::{Key, LoadError, Loaded, Outcome, Runtime, Source, TakesCalls, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the value of `key`, loading it by `load` if need be.
    ///
    /// For caches without a loader of their own ([`per_call`](crate::Builder::per_call)). The closure and its future
    /// own what they need; the load is boxed and rests in the cache, where any waiting caller carries it on: all that
    /// is promised of [`get`](Self::get) holds. If somebody loads the key already, the closure is not called.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get): the load is not lost with the caller who brought it.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// let cache: Cache<String, _, _> =
    ///     Cache::builder(Std::new(ManualClock::new())).per_call::<usize, std::io::Error>().build()?;
    /// let name = String::from("larder");
    /// let owned = name.clone();
    /// let length = block_on(cache.get_or_load(&name, move || async move { Ok(owned.len()) }))?;
    /// assert_eq!(length, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_load<'a, Q, C, F>(&'a self, key: &'a Q, load: C) -> GetOrLoad<'a, K, Q, L, R, P, H, C, F>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<L::Value, L::Error>>,
        L: TakesCalls<K, C, F, <L as Source<K>>::Value>,
    {
        GetOrLoad(AskBy::new(&self.inner, key, ByCall::new(load)))
    }

    /// Returns the value of `key` and how it was found.
    ///
    /// As [`get_or_load`](Self::get_or_load), with options of the call's own; the load may say a lifetime and a weight.
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
    /// # use larder::TimeLeft;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
    /// let load = || async { Ok(Loaded::new(20).ttl(Duration::from_secs(60))) };
    /// let outcome = block_on(cache.lookup_or_load(&1, LookupOptions::new(), load))?;
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(60)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        LookupOrLoad(LookupBy::new(AskBy::new(&self.inner, key, ByCall::new(load)), options))
    }

    /// Returns the value of `key`, stale or not, and its refresh.
    ///
    /// As [`lookup_stale`](Self::lookup_stale), for caches to which each call brings a load of its own. The refresh, if
    /// there is one, is made by this call's closure.
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
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder::<u32>(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .per_call::<u32, io::Error>()
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    ///
    /// let load = || async { Ok(Loaded::new(20)) };
    /// let stale = block_on(cache.stale_or_load(&1, LookupOptions::new(), load))?;
    /// assert_eq!(*stale.outcome.value(), 10);
    /// block_on(stale.refresh.expect("the first to find it stale has the refresh"));
    /// assert_eq!(cache.get_if_present(&1), Some(20));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        GetStale::by(LookupBy::stale(AskBy::new(&self.inner, key, ByCall::new(load)), options))
    }
}

/// The future of [`Cache::stale_or_load`].
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
/// # use std::io;
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
/// let stale = cache.stale_or_load(&1, LookupOptions::new(), || async { Ok(Loaded::new(20)) });
/// assert!(block_on(stale)?.refresh.is_none()); // nothing was stored, so it was loaded
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type StaleOrLoad<'a, K, Q, L, R, P, H, C, F> =
    GetStale<'a, K, Q, L, R, P, H, ByCall<C, F, Loaded<<L as Source<K>>::Value>, <L as Source<K>>::Future>>;

/// The future of [`Cache::get_or_load`].
///
/// The load that it brings outlives it, if somebody else waits for the key.
///
/// ```
/// # use futures_lite::future::{block_on, poll_once, yield_now};
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
/// let mut first = cache.get_or_load(&1, || async { yield_now().await; yield_now().await; Ok(10) });
/// let mut second = cache.get_or_load(&1, || async { Ok(20) });
/// assert!(block_on(poll_once(&mut first)).is_none());
/// assert!(block_on(poll_once(&mut second)).is_none());
/// drop(first);
/// assert_eq!(block_on(second)?, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct GetOrLoad<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    AskBy<'a, K, Q, L, R, P, H, ByCall<C, F, L::Value, L::Future>>,
);

lookup_future!(GetOrLoad[C, F]: poll_value -> Result<L::Value, LoadError<L::Error>>, where L: TakesCalls<K, C, F, <L as Source<K>>::Value>);

/// The future of [`Cache::lookup_or_load`].
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
/// # use std::io;
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder::<u32>(Std::new(clock.clone())).per_call::<u32, io::Error>().build()?;
/// let lookup = cache.lookup_or_load(&1, LookupOptions::new(), || async { Ok(Loaded::new(20)) });
/// assert_eq!(block_on(lookup)?.attempt(), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupOrLoad<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F>(
    LookupBy<'a, K, Q, L, R, P, H, ByCall<C, F, Loaded<L::Value>, L::Future>>,
);

lookup_future!(LookupOrLoad[C, F]: poll -> Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>, where L: TakesCalls<K, C, F, Loaded<<L as Source<K>>::Value>>);
