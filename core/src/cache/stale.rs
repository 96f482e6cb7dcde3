//! Stale values at once, and their refresh as a ticket.

use alloc::borrow::ToOwned;
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
    ask::{AskBy, Ticket},
    lookup_by::LookupBy,
    means::{ByLoader, Means},
};
use crate::{HasLoader, Key, LoadError, Outcome, Runtime, Source, Spawn, policy::Policy};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H>
where
    L: HasLoader,
{
    /// Returns the value of `key`, stale or not, and its refresh.
    ///
    /// A value that expired no longer ago than [`stale_while_refresh`](crate::Builder::stale_while_refresh), the limit
    /// included, is served without waiting. The first caller who finds it so gets a [`Refresh`] with it; as long as
    /// that is held, or a load of the key is in flight, the others get the value alone. Beyond the limit this waits for
    /// a load as [`get`](Self::get) does. This is the only way to be served a value while it is refreshed, for only
    /// here is there somebody to hand the refresh to. With [`refresh_early`](crate::Builder::refresh_early) or
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
    pub fn get_stale<'a, Q>(&'a self, key: &'a Q) -> GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup_stale(key, LookupOptions::new())
    }

    /// Returns the value of `key`, stale or not, and its refresh.
    ///
    /// As [`get_stale`](Self::get_stale) with options of the call's own.
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
    /// let stale = block_on(cache.lookup_stale(&1, fussy))?;
    /// assert_eq!(stale.outcome.status(), Status::Expired); // too old for this caller, who has waited for a load
    /// assert_eq!(*stale.outcome.value(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_stale<'a, Q>(
        &'a self,
        key: &'a Q,
        options: LookupOptions,
    ) -> GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        GetStale(LookupBy::stale(AskBy::new(&self.inner, key, ByLoader::new()), options))
    }

    /// Returns the value of `key`, stale or not, and has it refreshed.
    ///
    /// As [`get_stale`](Self::get_stale), and the runtime's spawner does the refresh. At most one refresh of a key is
    /// in flight. Where no runtime is at hand, the refresh is handed back.
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
pub struct StaleOutcome<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    /// The value and what there is to say about it.
    pub outcome: Outcome<L::Value, L::Error>,
    /// The refresh, if it is this caller's to await, to spawn or to drop.
    pub refresh: Option<Refresh<K, L, R, P, H>>,
}

/// The refresh of a value: a future to await, spawn or drop.
///
/// It owns its share of the cache. It ends once the key has a new outcome, whoever brought that about, and tells
/// nothing: a failed refresh leaves the value as it is. Until it is polled it costs no load; while it is held, nobody
/// else is asked to refresh the key, for as long as the lock age says.
///
/// # Cancel safety
///
/// Dropping it drops the load unless somebody else waits for it, and leaves the refresh to the next caller.
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
/// drop(block_on(cache.get_stale(&1))?.refresh); // not I
/// let refresh = block_on(cache.get_stale(&1))?.refresh;
/// block_on(refresh.expect("it is the next caller's"));
/// assert_eq!(cache.get_if_present(&1), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a refresh leaves the value as it is"]
pub struct Refresh<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    waiter: Option<Ticket<K, L, R, P, H>>,
    means: ByLoader<L::Future>,
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin for Refresh<K, L, R, P, H> {}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for Refresh<K, L, R, P, H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(waiter) = &mut this.waiter else { return Poll::Ready(()) };
        let poll = waiter.poll(cx, None, &mut this.means, |waiter| waiter.key()).map(drop);
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
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # let clock = ManualClock::new();
/// # let cache = Cache::builder(Std::new(clock.clone()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let stale = cache.get_stale(&21);
/// assert_eq!(block_on(stale)?.outcome.into_value(), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct GetStale<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M>(
    LookupBy<'a, K, Q, L, R, P, H, M>,
);

/// The future of [`Cache::get_stale_spawn`].
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
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
/// # }
/// # impl<F: Future<Output = ()>> Spawn<F> for Inline {
/// #     fn spawn(&self, future: F) -> Result<(), F> {
/// #         futures_lite::future::block_on(future);
/// #         Ok(())
/// #     }
/// # }
/// # let cache = Cache::builder(Inline(Std::new(ManualClock::new())))
/// #     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
/// #     .build()?;
/// let stale = cache.get_stale_spawn(&21);
/// assert_eq!(block_on(stale)?.outcome.into_value(), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct GetStaleSpawn<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    GetStale<'a, K, Q, L, R, P, H, ByLoader<L::Future>>,
);

impl<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> GetStale<'a, K, Q, L, R, P, H, M> {
    pub(crate) const fn by(lookup: LookupBy<'a, K, Q, L, R, P, H, M>) -> Self {
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
        self.0.poll_asks(cx).map(|result| {
            result.map(|(outcome, ticket)| StaleOutcome {
                outcome,
                refresh: ticket.map(|waiter| Refresh { waiter: Some(waiter), means: ByLoader::new() }),
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
        let inner = self.0.0.ask.ask.inner;
        Pin::new(&mut self.0).poll(cx).map(|result| {
            result.map(|mut stale| {
                stale.refresh = stale.refresh.and_then(|refresh| inner.runtime.spawn(refresh).err());
                stale
            })
        })
    }
}
