//! Lookups of a value and how it was found, and what a call may say for itself.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll},
};

use super::{AnyCache, Cache, KeyLookup, LookupOptions, OutcomeLookup, StaleOutcome, stale::GetStale};
use crate::{
    Key, LoadError, Loaded, Outcome, Runtime, Takes, Tuning,
    share::{ByCall, ByLoader, CallerLoad, Lent},
    source::NewValue,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the value of `key` and how it was found.
    ///
    /// As [`get`](Self::get), by the cache's own loader. Methods of [`Lookup`] change how this call looks or loads.
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
    /// assert_eq!(block_on(cache.lookup(&21).options(brief))?.status(), Status::Miss);
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.lookup(&21).options(brief))?.status(), Status::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup<'a, Q>(&'a self, key: &'a Q) -> Lookup<'a, Self, Q>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Lookup(OutcomeLookup { ask: KeyLookup::new(&self.inner, key, ByLoader), options: LookupOptions::new() })
    }

    /// Loads the value of `key` again, even if it is fresh.
    ///
    /// As [`lookup`](Self::lookup) with [`reload`](LookupOptions::reload): refreshing callers share one load, and join
    /// one that is in flight; a kept failure is ignored. Other callers get the old value meanwhile.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), even where a stale value could be served to other callers; a stored value stays.
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
    pub fn refresh<'a, Q>(&'a self, key: &'a Q) -> Lookup<'a, Self, Q>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup(key).options(LookupOptions::new().reload())
    }
}

/// The future of [`Cache::lookup`] and [`Cache::refresh`].
///
/// Before it is polled, its methods set what this call wants; everything else is as in the cache. It does nothing
/// before its first poll, and needs no pinning.
///
/// ```
/// # use core::time::Duration;
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
/// # use std::io;
/// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
/// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
/// let outcome = block_on(cache.lookup(&21).options(brief).by(|| async { Ok(Loaded::new(42)) }))?;
/// assert_eq!(outcome.into_value(), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Lookup<'a, C: AnyCache, Q: ?Sized, M = ByLoader>(
    OutcomeLookup<'a, C::Key, Q, C::Value, C::Error, C::Runtime, C::Tuning, M>,
);

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> Lookup<'a, Cache<K, V, E, R, S>, Q, M> {
    /// Sets options for this call; they take precedence over the cache's.
    ///
    /// A [refresh](Cache::refresh) stays a refresh, whatever they say.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, Status, TimeLeft, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
    /// let outcome = block_on(cache.refresh(&1).options(brief))?;
    /// assert_eq!((*outcome.value(), outcome.status()), (2, Status::Miss));
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn options(mut self, options: LookupOptions) -> Self {
        self.0.options = if self.0.options.get_reload() { options.reload() } else { options };
        self
    }
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning> Lookup<'a, Cache<K, V, E, R, S>, Q> {
    /// Loads with `load` if needed, whether or not the cache has a loader.
    ///
    /// As [`get_or_load`](Cache::get_or_load); the load may also give a lifetime and a weight.
    ///
    /// # Errors
    ///
    /// As [`get`](Cache::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Cache::get).
    ///
    /// ```
    /// # use larder::TimeLeft;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// let load = || async { Ok(Loaded::new(20).ttl(Duration::from_secs(60))) };
    /// let outcome = block_on(cache.lookup(&1).by(load))?;
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(60)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn by<C, F>(self, load: C) -> Lookup<'a, Cache<K, V, E, R, S>, Q, ByCall<C, F, NewValue>>
    where
        V: 'static,
        E: 'static,
        C: FnOnce() -> F,
        F: Future<Output = Result<Loaded<V>, E>>,
        R::Threads: Takes<F>,
    {
        Lookup(self.0.with(ByCall::new(load, NewValue)))
    }

    /// Loads with `load` if needed; it may borrow and stays with this caller.
    ///
    /// As [`get_with`](Cache::get_with); the load may also give a lifetime and a weight.
    ///
    /// # Errors
    ///
    /// As [`get`](Cache::get); the error is shared by all waiting callers.
    ///
    /// # Cancel safety
    ///
    /// As [`get_with`](Cache::get_with).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// let prices = vec![10, 20, 30];
    /// let outcome = block_on(cache.lookup(&1).lend(|| async {
    ///     Ok(Loaded::new(prices[1]).ttl(Duration::from_secs(60)))
    /// }))?;
    /// assert_eq!(outcome.status(), Status::Miss);
    /// assert_eq!(outcome.into_value(), 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lend<C, F>(self, load: C) -> Lookup<'a, Cache<K, V, E, R, S>, Q, Lent<C, F, Loaded<V>, V>>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<Loaded<V>, E>>,
    {
        Lookup(self.0.with(Lent::new(load, |loaded| loaded)))
    }
}

impl<'a, K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Lookup<'a, Cache<K, V, E, R, S>, Q, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    /// Takes a stale value at once, with its refresh.
    ///
    /// As [`get_stale`](Cache::get_stale). The refresh, if there is one, uses what this call loads with: its own
    /// [load](Self::by), or else the cache's loader. If there is neither, the stale value comes without a refresh. A load
    /// that is [lent](Self::lend) ends with this call, so no refresh uses it. To have it done in the background, spawn it:
    /// [`get_stale_spawn`](Cache::get_stale_spawn) does so for lookups without options or a load of their own.
    ///
    /// # Errors
    ///
    /// As [`get`](Cache::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Cache::get).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, Status, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .ttl(Duration::from_secs(60))
    /// #     .stale_while_refresh(Duration::from_secs(30))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let fussy = LookupOptions::new().stale_while_refresh(Duration::from_secs(5));
    /// let stale = block_on(cache.lookup(&1).options(fussy).stale())?;
    /// assert_eq!(stale.outcome.status(), Status::Expired); // too old for this caller: it waited for a load
    /// assert_eq!(*stale.outcome.value(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stale(self) -> impl Future<Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>> + Unpin {
        GetStale { ask: self.0.ask, options: self.0.options }
    }
}

impl<C: AnyCache, Q: ?Sized, M> Unpin for Lookup<'_, C, Q, M> {}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for Lookup<'_, Cache<K, V, E, R, S>, Q, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    type Output = Result<Outcome<V, E>, LoadError<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}
