//! Stale values, and their refreshes.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Cache, KeyLookup, LookupOptions};
use crate::{
    Key, LoadError, Outcome, Runtime, Spawn, Tuning,
    contain::aside,
    share::{CallerLoad, Owned},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the value of `key`, stale or not, and its refresh.
    ///
    /// A value that expired no longer ago than [`stale_while_refresh`](crate::Builder::stale_while_refresh), the limit
    /// included, is served without waiting. The first caller that finds it so also gets a [`Refresh`]; while that is
    /// held, or a load of the key is in flight, other callers get the value alone. Beyond the limit, this call waits
    /// for a load as [`get`](Self::get) does.
    ///
    /// [`get`](Self::get) and [`lookup`](Self::lookup) do **not** serve stale values at once, whatever the limits: they
    /// wait for the load, and take a stale value only at the lock timeout
    /// ([`OnTimeout::Stale`](crate::OnTimeout::Stale)), on an error
    /// ([`stale_if_error`](crate::Builder::stale_if_error)), or from inside a load of the same key. With
    /// [`refresh_early`](crate::Builder::refresh_early), [`refresh_ahead`](crate::Builder::refresh_ahead) or
    /// [`refresh_early_by_chance`](crate::Builder::refresh_early_by_chance), the refresh may come with a fresh value.
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
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    ///
    /// let stale = block_on(cache.get_stale(&1))?;
    /// assert_eq!(*stale.outcome.value(), 10);
    /// assert_eq!(stale.outcome.status(), Status::Stale(Duration::from_secs(10)));
    /// assert!(block_on(cache.get_stale(&1))?.refresh.is_none()); // the first caller has it
    ///
    /// block_on(stale.refresh.expect("the first to find it stale has the refresh"));
    /// assert_eq!(cache.get_if_present(&1), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_stale<'a, Q>(
        &'a self,
        key: &'a Q,
    ) -> impl Future<Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup(key).stale()
    }

    /// Returns the value of `key`, stale or not, and refreshes it.
    ///
    /// As [`get_stale`](Self::get_stale), but the runtime's spawner runs the refresh. At most one refresh of a key is
    /// in flight. If no runtime is at hand, the refresh is returned to the caller.
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
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # use larder::{Clock, Instant, Runtime, Spawn, Timer};
    /// # /// A runtime whose spawner does the work at once.
    /// # struct Inline(Std<ManualClock>);
    /// # impl Clock for Inline {
    /// #     fn now(&self) -> Instant {
    /// #         self.0.now()
    /// #     }
    /// # }
    /// # impl Timer for Inline {
    /// #     type Sleep = larder::parts::ManualSleep;
    /// #     fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
    /// #         self.0.sleep_until(deadline)
    /// #     }
    /// # }
    /// # impl Runtime for Inline {
    /// #     type Lock<T> = <Std<ManualClock> as Runtime>::Lock<T>;
    /// #     type Notify = <Std<ManualClock> as Runtime>::Notify;
    /// #     type Threads = larder::ManyThreads;
    /// # }
    /// # impl<F: Future<Output = ()>> Spawn<F> for Inline {
    /// #     fn spawn(&self, future: F) -> Result<(), F> {
    /// #         futures_lite::future::block_on(future);
    /// #         Ok(())
    /// #     }
    /// # }
    /// let cache = Cache::builder(Inline(Std::new(clock.clone()))) // a runtime that can `Spawn`
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let stale = block_on(cache.get_stale_spawn(&1))?;
    /// assert_eq!(*stale.outcome.value(), 10);
    /// assert!(stale.refresh.is_none());
    /// assert_eq!(cache.get_if_present(&1), Some(2)); // refreshed in the background
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_stale_spawn<'a, Q>(
        &'a self,
        key: &'a Q,
    ) -> impl Future<Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        R: Spawn<Refresh<K, V, E, R, S>>,
    {
        GetStaleSpawn { call: self.get_stale(key), cache: self, served: None }
    }
}

/// What a lookup that takes stale values returns.
///
/// ```
/// # use core::time::Duration;
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, Status, parts::Std};
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder(Std::new(clock.clone()))
/// #     .ttl(Duration::from_secs(60))
/// #     .stale_while_refresh(Duration::from_secs(30))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let stale = block_on(cache.get_stale(&1))?;
/// assert_eq!(stale.outcome.status(), Status::Miss);
/// assert!(stale.refresh.is_none()); // it is fresh
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StaleOutcome<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    /// The value and how it was found.
    pub outcome: Outcome<V, E>,
    /// The refresh, if this caller is to await, spawn or drop it.
    pub refresh: Option<Refresh<K, V, E, R, S>>,
}

/// The refresh of a value: a future to await, spawn or drop.
///
/// It owns its share of the cache. It ends once the key has a new outcome, whichever call brought that about. It
/// returns nothing, because spawners take futures without a result; [`outcome`](Self::outcome) returns the result. A
/// failed refresh leaves the value as it is.
///
/// No load begins until the refresh is polled, or until another call takes the stale value, which polls the refresh
/// once. While it is held, no other caller gets a refresh of the key, until the lock age is over.
///
/// # Cancel safety
///
/// Dropping it drops the load, unless other callers wait for it, and leaves the refresh to the next caller.
///
/// ```
/// # use core::time::Duration;
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder(Std::new(clock.clone()))
/// #     .ttl(Duration::from_secs(60))
/// #     .stale_while_refresh(Duration::from_secs(30))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// cache.insert(1, 10);
/// clock.advance(Duration::from_secs(70));
/// drop(block_on(cache.get_stale(&1))?.refresh); // not refreshed
/// let refresh = block_on(cache.get_stale(&1))?.refresh;
/// block_on(refresh.expect("the next caller gets it"));
/// assert_eq!(cache.get_if_present(&1), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a refresh leaves the value as it is"]
pub struct Refresh<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    waiter: Owned<K, V, E, R, S>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Refresh<K, V, E, R, S> {
    /// Runs the refresh, and returns how it ended.
    ///
    /// The result is what a [`lookup`](Cache::lookup) that waited for the same load would get: the new value, or why
    /// there is none, even if lookups were served the old one by [`stale_if_error`](crate::Builder::stale_if_error). A
    /// refresh that has ended already stays pending for ever.
    ///
    /// # Errors
    ///
    /// As [`get`](Cache::get).
    ///
    /// # Cancel safety
    ///
    /// As for the refresh itself.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let stale = block_on(cache.get_stale(&1))?;
    /// let refresh = stale.refresh.expect("the first to find it stale has the refresh");
    /// let error = block_on(refresh.outcome()).unwrap_err();
    /// assert_eq!(error.error().map(io::Error::to_string), Some("no route".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outcome(self) -> impl Future<Output = Result<Outcome<V, E>, LoadError<E>>> + Unpin {
        Ending(self)
    }

    /// Polls it once for a caller that has been served, so that it has begun before the runtime gets to it.
    fn begin(&mut self, cx: &mut Context<'_>) {
        let mut unwinds = true;
        let mut poll = || {
            _ = self.waiter.poll(cx);
            unwinds = false;
        };
        aside(&mut poll);
        if unwinds {
            // The load that it polled need not be the only one: asked once more, it says whether it is over.
            aside(|| _ = self.waiter.poll(cx));
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Unpin for Refresh<K, V, E, R, S> {}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Future for Refresh<K, V, E, R, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waiter.poll(cx)
    }
}

/// A refresh that returns how it ended.
struct Ending<K: Key, V: Clone, E, R: Runtime, S: Tuning>(Refresh<K, V, E, R, S>);

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Future for Ending<K, V, E, R, S> {
    type Output = Result<Outcome<V, E>, LoadError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.waiter.poll_told(cx)
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> fmt::Debug for Refresh<K, V, E, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("is_over", &self.waiter.is_over()).finish_non_exhaustive()
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> fmt::Debug for StaleOutcome<K, V, E, R, S>
where
    V: fmt::Debug,
    E: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaleOutcome").field("outcome", &self.outcome).field("refresh", &self.refresh).finish()
    }
}

/// A lookup that takes a stale value at once.
pub(crate) struct GetStale<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> {
    pub(crate) ask: KeyLookup<'a, K, Q, V, E, R, S, M>,
    pub(crate) options: LookupOptions,
}

/// The same, with the refresh spawned.
struct GetStaleSpawn<'a, F, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    call: F,
    cache: &'a Cache<K, V, E, R, S>,
    /// What this call returns, kept while its refresh is handed on: that may unwind.
    served: Option<StaleOutcome<K, V, E, R, S>>,
}

impl<F: Unpin, K: Key, V: Clone, E, R: Runtime, S: Tuning> Unpin for GetStaleSpawn<'_, F, K, V, E, R, S> {}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> Unpin for GetStale<'_, K, Q, V, E, R, S, M> {}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for GetStale<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    type Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { ask, options } = &mut *self;
        let stale = |(outcome, ticket): (_, Option<_>)| StaleOutcome {
            outcome,
            refresh: ticket.map(|waiter| Refresh { waiter }),
        };
        ask.poll_outcome(options, true, cx).map(|told| told.map(stale))
    }
}

impl<F, K: Key, V: Clone, E, R: Runtime, S: Tuning> Future for GetStaleSpawn<'_, F, K, V, E, R, S>
where
    F: Future<Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>> + Unpin,
    R: Spawn<Refresh<K, V, E, R, S>>,
{
    type Output = Result<StaleOutcome<K, V, E, R, S>, LoadError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, cache, served } = &mut *self;
        if served.is_none() {
            *served = Some(ready!(Pin::new(call).poll(cx))?);
        }
        if let Some(served) = served {
            // (It stays where it is while it is polled: that may unwind.)
            served.refresh.iter_mut().for_each(|refresh| refresh.begin(cx));
            let refresh = served.refresh.take().filter(|refresh| !refresh.waiter.is_over());
            served.refresh = refresh.and_then(|refresh| cache.inner.runtime.spawn(refresh).err());
        }
        served.take().map_or(Poll::Pending, |served| Poll::Ready(Ok(served)))
    }
}
