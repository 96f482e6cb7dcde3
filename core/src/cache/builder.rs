//! The configuration of a cache, checked once.

use alloc::boxed::Box;
use core::time::Duration;

use super::{Abandoned, Cache, ConfigError};
use crate::{
    DefaultHasher, Key, Runtime, Spawn, Standard, Ttl, Tuned, Tuning,
    jitter::Jitter,
    policy::Policy,
    shard::{Early, OnTimeout, Rules, Takes},
    share::{AsMany, HandOver, HoldInstead, LinksOf, Memory, Owned},
    source::Sources,
    store::{Backoff, Factor},
};

impl<K, V, E, R: Runtime> Cache<K, V, E, R> {
    /// Begins the configuration of a cache on this runtime.
    ///
    /// ```
    /// use core::time::Duration;
    /// use larder::{Cache, ManualClock, OnTimeout, parts::Std};
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .capacity(50_000)
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .lock_timeout(Duration::from_secs(2), OnTimeout::Stale)
    ///     .load_fn(|id: u64| async move { Ok::<_, std::io::Error>(format!("user {id}")) })
    ///     .build()?;
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn builder(runtime: R) -> Builder<K, V, E, R> {
        Self::builder_with(runtime, Standard::new())
    }
}

impl<K, V, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Begins the configuration of a cache with its own policy or hasher.
    ///
    /// Otherwise as [`builder`](Self::builder). The policy and the hasher are part of the cache's type; see [`Tuned`].
    ///
    /// ```
    /// use larder::{Cache, ManualClock, Tuned, parts::Std, policy::Lru};
    ///
    /// let cache = Cache::builder_with(Std::new(ManualClock::new()), Tuned::<Lru>::new())
    ///     .load_fn(|id: u64| async move { Ok::<_, std::io::Error>(format!("user {id}")) })
    ///     .build()?;
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn builder_with(runtime: R, tuning: S) -> Builder<K, V, E, R, S> {
        Builder {
            runtime,
            sources: Sources::new(),
            hasher: tuning.into_hasher(),
            settings: Settings {
                capacity: 10_000,
                shards: None,
                processors: None,
                rules: Rules {
                    ttl: Ttl::Inherit,
                    jitter: None,
                    early: Early::new(),
                    lock_age: None,
                    over_age_alone: false,
                    attempts: 4,
                    budget: None,
                    backoff: Backoff {
                        first: Duration::ZERO,
                        factor: Factor::ONE,
                        cap: Duration::MAX,
                        jitter: None,
                        endless: false,
                    },
                    lock_timeout: None,
                    stale_while_refresh: None,
                    stale_if_error: None,
                    hold: None,
                    stores_surplus: false,
                    takes: Takes::Fresh,
                    keeps_expired: false,
                    delays_empty: true,
                    has_loader: false,
                    max_batch: usize::MAX,
                },
                idle: None,
                revalidate_within: Duration::MAX,
                #[cfg(feature = "std")]
                copies: 0,
            },
            spawn: None,
            name: None,
            as_many: None,
            hold_instead: None,
            memory: None,
            links: LinksOf::new(),
        }
    }
}

/// The configuration of a [`Cache`].
///
/// Set where values come from, and whatever should differ from the defaults. By default there is room for 10 000
/// entries, values never expire, errors are not kept, nothing is served stale, callers wait without a limit, and no
/// load is too old to be waited for. Everything is checked once, by [`build`](Self::build).
///
/// ```
/// use core::time::Duration;
/// use larder::{Builder, Cache, ManualClock, parts::Std};
///
/// let builder: Builder<String, usize, std::io::Error, Std<ManualClock>> = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
///     .capacity(1_000)
///     .ttl(Duration::from_secs(60));
/// let cache = builder.build()?;
/// assert_eq!(cache.capacity(), 1_000);
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct Builder<K, V, E, R: Runtime, S: Tuning = Standard> {
    pub(super) runtime: R,
    pub(crate) sources: Sources<K, V, E, R::Threads>,
    pub(super) hasher: Option<S::Hasher>,
    pub(crate) settings: Settings,
    pub(super) spawn: Option<HandOver<K, V, E, R, S>>,
    pub(super) name: Option<Box<str>>,
    pub(super) as_many: Option<AsMany<K, V, E, R, S>>,
    pub(super) hold_instead: Option<HoldInstead<K, V, E, R, S>>,
    pub(super) memory: Option<Memory<K, V, E, R, S>>,
    pub(crate) links: LinksOf<K, V, E, R, S>,
}

/// The settings that do not change the cache's type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(super) capacity: u64,
    pub(super) shards: Option<usize>,
    pub(super) processors: Option<usize>,
    pub(crate) rules: Rules,
    pub(super) idle: Option<Duration>,
    pub(super) revalidate_within: Duration,
    #[cfg(feature = "std")]
    pub(super) copies: usize,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Sets the largest weight that may be held.
    ///
    /// With zero, loads are coalesced and nothing is stored. Every value weighs 1 unless the load, the call or the
    /// [`weigher`](Self::weigher) says otherwise.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock))
    ///     .capacity(100)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// for id in 0..1_000 {
    ///     cache.insert(id, id);
    /// }
    /// assert!(cache.weight() <= 100);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn capacity(mut self, weight: u64) -> Self {
        self.settings.capacity = weight;
        self
    }

    /// Sets the number of shards, each with a lock of its own.
    ///
    /// Shards share one account of room: how much can be stored does not depend on their number, and one shard may hold
    /// more while others hold less. But when something has to leave, each shard sees only its own keys, and with many
    /// shards those are few to judge by. By default there are a few shards for each processor, but at most one for
    /// every 48 units of the capacity, so that none is too small to tell what is worth keeping, and they become more when
    /// the [capacity grows](Cache::set_capacity); a cache that [preallocates](Self::preallocate) has one. A number that is
    /// given here stays, but no more are made than the capacity at build has units, nor more than 65,536.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock))
    ///     .capacity(100)
    ///     .shards(4)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// assert_eq!(cache.max_weight(), 100);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn shards(mut self, shards: usize) -> Self {
        self.settings.shards = Some(shards);
        self
    }

    /// Chooses the number of shards as for this many processors, for tests.
    #[doc(hidden)]
    #[must_use]
    pub const fn processors(mut self, processors: usize) -> Self {
        self.settings.processors = Some(processors);
        self
    }

    /// Sets how long values are fresh, from their publication on.
    ///
    /// A lifetime given by the load, the call or [`expire_after`](Self::expire_after) takes precedence. By default
    /// values never expire.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// block_on(cache.get(&1))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(cache.get_if_present(&1), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.settings.rules.ttl = ttl.into();
        self
    }

    /// Returns how long values are fresh, from their publication on.
    ///
    /// For what is built around a cache that somebody else has configured.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, Ttl, parts::Std};
    /// # use std::io;
    /// let mut cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()));
    /// if cache.get_ttl() == Ttl::Inherit {
    ///     cache = cache.ttl(Duration::from_secs(60));
    /// }
    /// assert_eq!(cache.get_ttl(), Ttl::For(Duration::from_secs(60)));
    /// ```
    pub const fn get_ttl(&self) -> Ttl {
        self.settings.rules.ttl
    }

    /// Sets the age beyond which callers no longer wait for a load.
    ///
    /// *Lock* is pingora's word for a load that others wait for. The next caller then begins a newer attempt; of the
    /// callers that wait already, one does. The attempts run side by side, and the first success ends the wait of all.
    /// An attempt's age counts from its claim. By default no load is too old.
    ///
    /// **This alone ends no outage.** Loads that never end pile up to the bound of [`attempts`](Self::attempts); from
    /// then on **callers wait**, however old those loads are. A [`load_budget`](Self::load_budget) ends such loads, and
    /// with them the wait; a [`lock_timeout`](Self::lock_timeout) bounds a caller's own wait.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .lock_age(Duration::from_secs(5))
    ///     .build()?;
    /// let mut stuck = cache.get_or_load(&1, pending);
    /// assert!(block_on(poll_once(&mut stuck)).is_none());
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.get_or_load(&1, || async { Ok(7) }))?, 7);
    /// assert_eq!(block_on(stuck)?, 7); // the newer attempt serves this caller too
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn lock_age(mut self, age: Duration) -> Self {
        self.settings.rules.lock_age = Some(age);
        self.links.heed_deadlines();
        self
    }

    /// Makes callers load alone once a load is over its age.
    ///
    /// Instead of beginning a newer attempt, a caller that comes then loads for itself; its value is neither shared nor
    /// stored. Needs a [`lock_age`](Self::lock_age): without one, [`build`](Self::build) fails with
    /// [`ConfigError::OverAgeAlone`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .lock_age(Duration::from_secs(5))
    ///     .over_age_alone()
    ///     .build()?;
    /// let mut stuck = cache.get_or_load(&1, pending);
    /// assert!(block_on(poll_once(&mut stuck)).is_none());
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.get_or_load(&1, || async { Ok(7) }))?, 7);
    /// assert!(!cache.contains(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn over_age_alone(mut self) -> Self {
        self.settings.rules.over_age_alone = true;
        self
    }

    /// Sets how many loads of one key may be in flight.
    ///
    /// 4 by default. A write to the key starts the count anew. At the bound, a caller waits even if a load is over its
    /// age, until one of them ends: by a [`load_budget`](Self::load_budget), if not by itself. A caller that was to
    /// load at the lock timeout gets [`LoadError::LockTimeout`](crate::LoadError).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, LoadError, ManualClock, OnTimeout, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .attempts(1)
    ///     .lock_timeout(Duration::from_secs(2), OnTimeout::Load)
    ///     .build()?;
    /// let mut slow = cache.get_or_load(&1, pending);
    /// let mut hurried = cache.get_or_load(&1, || async { Ok(7) });
    /// assert!(block_on(poll_once(&mut slow)).is_none());
    /// assert!(block_on(poll_once(&mut hurried)).is_none());
    /// clock.advance(Duration::from_secs(2));
    /// assert!(matches!(block_on(hurried), Err(LoadError::LockTimeout)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.settings.rules.attempts = attempts;
        self
    }

    /// Bounds each caller's wait, and says what the caller does then.
    ///
    /// The wait counts from the caller's own first poll. Each [`OnTimeout`] says whether it also bounds the caller that
    /// began the load. With a zero timeout the load is polled once. By default callers wait without a limit.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, ManualClock, OnTimeout, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .lock_timeout(Duration::from_secs(2), OnTimeout::Load)
    ///     .build()?;
    /// let mut slow = cache.get_or_load(&1, pending);
    /// let mut hurried = cache.get_or_load(&1, || async { Ok(7) });
    /// assert!(block_on(poll_once(&mut slow)).is_none());
    /// assert!(block_on(poll_once(&mut hurried)).is_none()); // waits for the slow load
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(block_on(hurried)?, 7); // loads by itself
    /// assert_eq!(block_on(slow)?, 7); // and its value serves all callers
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn lock_timeout(mut self, patience: Duration, then: OnTimeout) -> Self {
        self.settings.rules.lock_timeout = Some((patience, then));
        self.links.heed_deadlines();
        self
    }

    /// Sets the time after which a load is dropped and counts as failed.
    ///
    /// It counts from the claim of each attempt, and is independent of how long each caller waits. Without a timer it
    /// is noticed at the next poll. It also ends loads that wait for each other in a ring. By default a load may take
    /// any time.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .load_budget(Duration::from_secs(10))
    ///     .build()?;
    /// let mut get = cache.get_or_load(&1, pending);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(10));
    /// assert_eq!(block_on(get).unwrap_err().to_string(), "the load took longer than its budget");
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn load_budget(mut self, budget: Duration) -> Self {
        self.settings.rules.budget = Some(budget);
        self.links.heed_deadlines();
        self
    }

    /// Returns the time after which a load is dropped and counts as failed.
    ///
    /// For what is built around a cache that somebody else has configured.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()));
    /// assert_eq!(cache.get_load_budget(), None);
    /// let cache = cache.load_budget(Duration::from_secs(10));
    /// assert_eq!(cache.get_load_budget(), Some(Duration::from_secs(10)));
    /// ```
    pub const fn get_load_budget(&self) -> Option<Duration> {
        self.settings.rules.budget
    }

    /// Sets how long a failure is kept.
    ///
    /// While it is kept, callers get it and no load begins. A panic and an exceeded budget are failures, too; a
    /// dropped load is not. A kept failure has a weight of 1 and is not seen by direct reads; together, kept failures
    /// take an eighth of the capacity at most. If there is no room for a failure beside the value of its key, the
    /// value stays and the failure is not kept. An insert, a remove or a clear forgets it. By default, and with zero,
    /// none is kept.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let fail = || async { Err::<u32, _>(io::Error::other("no route")) };
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .error_ttl(Duration::from_secs(5))
    ///     .build()?;
    /// block_on(cache.get_or_load(&1, fail)).unwrap_err();
    /// let kept = block_on(cache.get_or_load(&1, || async { Ok(7) })).unwrap_err();
    /// assert!(kept.is_cached());
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(block_on(cache.get_or_load(&1, || async { Ok(7) }))?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn error_ttl(mut self, ttl: Duration) -> Self {
        self.settings.rules.backoff.first = ttl;
        self.links.keep_failures();
        self
    }

    /// Keeps each further failure of a key for longer.
    ///
    /// The time grows by `factor` with each failure, from the [`error_ttl`](Self::error_ttl) up to `cap`. It starts
    /// anew after a success, an insert or a remove, and after a time without failures that is as long as the last one
    /// was kept.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let fail = || async { Err::<u32, _>(io::Error::other("no route")) };
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .error_ttl(Duration::from_secs(1))
    ///     .error_backoff(2.0, Duration::from_secs(60))
    ///     .build()?;
    /// for seconds in [1, 2, 4, 8] {
    ///     block_on(cache.get_or_load(&1, fail)).unwrap_err(); // loads, and fails
    ///     clock.advance(Duration::from_secs(seconds) - Duration::from_nanos(1));
    ///     assert!(block_on(cache.get_or_load(&1, fail)).unwrap_err().is_cached());
    ///     clock.advance(Duration::from_nanos(1));
    /// }
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn error_backoff(mut self, factor: f64, cap: Duration) -> Self {
        self.settings.rules.backoff.factor = Factor::of(factor);
        self.settings.rules.backoff.cap = cap;
        self
    }

    /// Sets how stale a value may be served while it is refreshed.
    ///
    /// Counts from the value's deadline and includes the last instant. Stale values are served by
    /// [`get_stale`](crate::Cache::get_stale) and its variants, which hand out the refresh; by any lookup at the lock
    /// timeout, if that is [`OnTimeout::Stale`]; and to a load that asks for its own key. By default none are.
    ///
    /// The limit is the cache's or the call's; a value has none of its own. For one, keep it in the value, set the largest
    /// here, and pass the value's own to the call by
    /// [`LookupOptions::stale_while_refresh`](crate::LookupOptions::stale_while_refresh).
    /// ([`Loaded::stale`](crate::Loaded::stale) is something else: for how long a value has expired when it comes.)
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
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(90));
    /// let stale = block_on(cache.get_stale(&1))?; // at once
    /// assert_eq!(*stale.outcome.value(), 10);
    /// assert!(stale.refresh.is_some()); // to await, spawn or drop
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn stale_while_refresh(mut self, limit: Duration) -> Self {
        self.settings.rules.stale_while_refresh = Some(limit);
        self
    }

    /// Sets how stale a value may be served when its load has failed.
    ///
    /// Counts from the value's deadline to the moment it is served, and includes the last instant. Holds for every
    /// lookup but those that [reload](crate::LookupOptions::reload), which get the error. The outcome shows the failure.
    /// If the load panics, the caller that polled it unwinds, and only the others get the value. The value does not live
    /// longer for it, and a value that was removed meanwhile does not come back. By default the failure is returned.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let fail = || async { Err::<u32, _>(io::Error::other("no route")) };
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_if_error(Duration::from_secs(600))
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// assert_eq!(block_on(cache.get_or_load(&1, fail))?, 10);
    /// clock.advance(Duration::from_secs(600));
    /// assert!(block_on(cache.get_or_load(&1, fail)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn stale_if_error(mut self, limit: Duration) -> Self {
        self.settings.rules.stale_if_error = Some(limit);
        self
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Lets the spawner finish a load whose last caller was dropped.
    ///
    /// So even callers that wait only briefly fill the cache. Without it, such a load is dropped. A load that borrows
    /// ([`get_with`](crate::Cache::get_with), [`lend`](crate::futures::Lookup::lend)) goes with its caller all the
    /// same, and where no runtime is at hand the load is dropped.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
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
    /// let cache = Cache::builder(Inline(Std::new(clock))) // a runtime that can `Spawn`
    ///     .load_fn(|id: u32| async move {
    ///         yield_now().await;
    ///         Ok::<_, io::Error>(id * 2)
    ///     })
    ///     .finish_abandoned()
    ///     .build()?;
    /// let mut get = cache.get(&21);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// drop(get);
    /// assert_eq!(cache.get_if_present(&21), Some(42)); // finished in the background
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn finish_abandoned(mut self) -> Self
    where
        R: Spawn<Abandoned<K, V, E, R, S>>,
    {
        self.spawn = Some(|engine, stay| {
            // If the spawner refuses it, it is dropped, and the load with it.
            let _refused = engine.runtime.spawn(Abandoned(Owned::finishing(engine, stay)));
        });
        self
    }

    /// Returns the runtime that the cache will run on.
    ///
    /// For what is to share its clock, see [`build_cyclic`](Self::build_cyclic).
    ///
    /// ```
    /// # use larder::{Cache, Clock, ManualClock, parts::Std};
    /// let builder = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new()));
    /// assert_eq!(builder.runtime().now(), larder::Instant::ZERO);
    /// ```
    pub const fn runtime(&self) -> &R {
        &self.runtime
    }

    /// Do the settings make sense?
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.settings.rules.check()?;
        if self.settings.shards == Some(0) { Err(ConfigError::Shards) } else { Ok(()) }
    }
}

impl<K, V, E, R: Runtime, P: Policy> Builder<K, V, E, R, Tuned<P>> {
    /// Seeds the default hasher.
    ///
    /// For repeatable runs, and required without `std`, where there is no randomness. All secrets of the hasher are
    /// derived from the seed. If strangers choose the keys, the seed has to be secret and random in all of its 64 bits,
    /// for example from a source of noise; otherwise they can choose keys that collide.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .hash_seed(42)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id) })
    ///     .build()?;
    /// # cache.insert(1, 10);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn hash_seed(mut self, seed: u64) -> Self {
        self.hasher = Some(DefaultHasher::with_seed(seed));
        self
    }
}

impl Rules {
    fn check(&self) -> Result<(), ConfigError> {
        let Backoff { first, factor, cap, .. } = self.backoff;
        if self.attempts == 0 {
            Err(ConfigError::Attempts)
        } else if self.max_batch == 0 {
            Err(ConfigError::MaxBatch)
        } else if !factor.number.is_finite() || factor.number < 1.0 {
            Err(ConfigError::BackoffFactor)
        } else if cap < first {
            Err(ConfigError::BackoffCap)
        } else if self.over_age_alone && self.lock_age.is_none() {
            Err(ConfigError::OverAgeAlone)
        } else if matches!(self.lock_timeout, Some((_, OnTimeout::Stale))) && self.stale_while_refresh.is_none() {
            Err(ConfigError::LockTimeout)
        } else if self.jitter.is_some_and(|Jitter { share, .. }| !(0.0..=1.0).contains(&share)) {
            Err(ConfigError::TtlJitter)
        } else if self.early.share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            Err(ConfigError::RefreshEarly)
        } else if self.early.beta.is_some_and(|beta| !(beta > 0.0 && beta.is_finite())) {
            Err(ConfigError::RefreshEarlyByChance)
        } else {
            Ok(())
        }
    }
}
