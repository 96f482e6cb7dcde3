//! What one call may set for itself.

use core::time::Duration;

use crate::{
    Ttl,
    flight::Terms,
    shard::{Call, OnTimeout, Rules},
};

/// What one lookup sets for itself.
///
/// Everything else is as in the cache. The timeout and the limits of staleness apply to this caller. The lifetime and
/// the weight count only if this caller's own attempt is published, and if the load does not set them. The load budget,
/// the error TTL and the lock age can be set only for the whole cache.
///
/// ```
/// use core::time::Duration;
/// use larder::{LookupOptions, OnTimeout};
///
/// let hurried = LookupOptions::new()
///     .lock_timeout(Duration::from_millis(10), OnTimeout::Stale)
///     .stale_while_refresh(Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupOptions {
    ttl: Ttl,
    weight: Option<u64>,
    lock_timeout: Option<Option<(Duration, OnTimeout)>>,
    stale_while_refresh: Option<Duration>,
    stale_if_error: Option<Duration>,
    reload: bool,
}

impl LookupOptions {
    /// Begins with options that change nothing.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let outcome = block_on(cache.lookup(&21))?;
    /// assert_eq!(*outcome.value(), 42); // like `get`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the loaded value is fresh.
    ///
    /// A value that is stored already keeps its lifetime.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::TimeLeft;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
    /// let outcome = block_on(cache.lookup(&21).options(brief))?;
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets the weight of the loaded value, in the capacity's unit.
    ///
    /// Zero counts as 1.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// block_on(cache.lookup(&21).options(LookupOptions::new().weight(6)))?;
    /// assert_eq!(cache.weight(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn weight(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Bounds the caller's wait, and says what happens then.
    ///
    /// See [`Builder::lock_timeout`](crate::Builder::lock_timeout).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, LoadError, LookupOptions, ManualClock, OnTimeout, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone())).load_fn(|_: u32| pending::<io::Result<u32>>()).build()?;
    /// let hurried = LookupOptions::new().lock_timeout(Duration::from_secs(1), OnTimeout::Fail);
    /// let mut lookup = cache.lookup(&1).options(hurried);
    /// assert!(block_on(poll_once(&mut lookup)).is_none());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(matches!(block_on(lookup), Err(LoadError::LockTimeout)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn lock_timeout(mut self, patience: Duration, then: OnTimeout) -> Self {
        self.lock_timeout = Some(Some((patience, then)));
        self
    }

    /// Waits without a limit, whatever the cache's timeout is.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, LookupOptions, ManualClock, OnTimeout, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .lock_timeout(Duration::from_secs(1), OnTimeout::Fail)
    ///     .load_fn(|_: u32| pending::<io::Result<u32>>())
    ///     .build()?;
    /// let mut lookup = cache.lookup(&1).options(LookupOptions::new().no_lock_timeout());
    /// assert!(block_on(poll_once(&mut lookup)).is_none());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(block_on(poll_once(&mut lookup)).is_none()); // still waits
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn no_lock_timeout(mut self) -> Self {
        self.lock_timeout = Some(None);
        self
    }

    /// Sets how stale a value may be served while it is refreshed.
    ///
    /// See [`Builder::stale_while_refresh`](crate::Builder::stale_while_refresh); [`lookup`](crate::Cache::lookup)
    /// serves such a value only at the lock timeout. The cache holds values only as long as its own limits require, so
    /// a limit beyond the largest of those counts as that one; if the cache has no limit, nothing is served stale. Where
    /// loads revalidate, [`revalidate_within`](crate::Builder::revalidate_within) is one of them.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
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
    /// assert_eq!(*stale.outcome.value(), 2); // ten seconds are too stale, so it was loaded
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn stale_while_refresh(mut self, limit: Duration) -> Self {
        self.stale_while_refresh = Some(limit);
        self
    }

    /// Sets how stale a value may be served if its load fails.
    ///
    /// See [`Builder::stale_if_error`](crate::Builder::stale_if_error). For limits above the cache's own, the same
    /// holds as for [`stale_while_refresh`](Self::stale_while_refresh).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let fail = || async { Err::<u32, _>(io::Error::other("no route")) };
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .ttl(Duration::from_secs(60))
    /// #     .stale_if_error(Duration::from_secs(600))
    /// #     .load_fn(move |_: u32| fail())
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let fussy = LookupOptions::new().stale_if_error(Duration::from_secs(5));
    /// assert!(block_on(cache.lookup(&1).options(fussy)).is_err());
    /// assert!(block_on(cache.lookup(&1)).is_ok());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn stale_if_error(mut self, limit: Duration) -> Self {
        self.stale_if_error = Some(limit);
        self
    }

    /// Loads even if the stored value is fresh.
    ///
    /// A load in flight is joined, a kept failure ignored. Other callers get the old value meanwhile; if the load
    /// fails, the old value stays, and this caller gets the error.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// let outcome = block_on(cache.lookup(&1).options(LookupOptions::new().reload()))?;
    /// assert_eq!(*outcome.value(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn reload(mut self) -> Self {
        self.reload = true;
        self
    }

    /// Returns how long the loaded value is fresh.
    ///
    /// [`Ttl::Inherit`] if the call does not set it.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// assert_eq!(LookupOptions::new().get_ttl(), Ttl::Inherit);
    /// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
    /// assert_eq!(brief.get_ttl(), Ttl::For(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub const fn get_ttl(&self) -> Ttl {
        self.ttl
    }

    /// Returns the weight of the loaded value, if the call sets it.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// assert_eq!(LookupOptions::new().weight(6).get_weight(), Some(6));
    /// ```
    #[must_use]
    pub const fn get_weight(&self) -> Option<u64> {
        self.weight
    }

    /// Returns how long the caller waits, if the call sets it.
    ///
    /// `Some(None)` is without a limit.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// let hurried = LookupOptions::new().lock_timeout(Duration::from_secs(1), OnTimeout::Fail);
    /// assert_eq!(hurried.get_lock_timeout(), Some(Some((Duration::from_secs(1), OnTimeout::Fail))));
    /// assert_eq!(hurried.no_lock_timeout().get_lock_timeout(), Some(None));
    /// ```
    #[must_use]
    pub const fn get_lock_timeout(&self) -> Option<Option<(Duration, OnTimeout)>> {
        self.lock_timeout
    }

    /// Returns how stale a value may be while it is refreshed, if the call sets it.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// let fussy = LookupOptions::new().stale_while_refresh(Duration::from_secs(5));
    /// assert_eq!(fussy.get_stale_while_refresh(), Some(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub const fn get_stale_while_refresh(&self) -> Option<Duration> {
        self.stale_while_refresh
    }

    /// Returns how stale a value may be if its load fails, if the call sets it.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// let soft = LookupOptions::new().stale_if_error(Duration::from_secs(5));
    /// assert_eq!(soft.get_stale_if_error(), Some(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub const fn get_stale_if_error(&self) -> Option<Duration> {
        self.stale_if_error
    }

    /// Returns whether the call loads even if the stored value is fresh.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LookupOptions, OnTimeout, Ttl};
    /// assert!(LookupOptions::new().reload().get_reload());
    /// ```
    #[must_use]
    pub const fn get_reload(&self) -> bool {
        self.reload
    }

    /// Lays these options over the cache's.
    pub(crate) fn over(&self, rules: &Rules) -> Call {
        // Beyond that, it would depend on what other calls have reclaimed.
        let held = |limit: Duration| rules.hold.map(|hold| limit.min(hold));
        Call {
            terms: Terms { ttl: self.ttl, weight: self.weight },
            lock_timeout: self.lock_timeout.unwrap_or(rules.lock_timeout),
            stale_while_refresh: self.stale_while_refresh.and_then(held).or(rules.stale_while_refresh),
            stale_if_error: self.stale_if_error.and_then(held).or(rules.stale_if_error),
            reload: self.reload,
            takes: rules.takes,
            random: None,
        }
    }

    pub(crate) const fn expires(&self) -> bool {
        self.ttl.expires()
    }
}
