//! The settings by which callers of one key share a load, several at once.

use core::time::Duration;

use super::Builder;
use crate::{Key, OnTimeout, Runtime, Tuning};

/// How callers of one key share a load: a preset of several settings.
///
/// For [`Builder::coalescing`]. It says when a load is over its age, what callers do then, and how long they wait; by
/// default no load is over its age and callers wait without a limit.
///
/// ```
/// use core::time::Duration;
/// use larder::Coalescing;
///
/// let unbounded = Coalescing::pingora(None, None);
/// let bounded = Coalescing::pingora(Some(Duration::from_secs(1)), Some(Duration::from_secs(2)));
/// assert_ne!(unbounded, bounded);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coalescing {
    lock_age: Duration,
    lock_timeout: Option<(Duration, OnTimeout)>,
}

impl Coalescing {
    /// Sets the rules of pingora-memory-cache.
    ///
    /// It takes the arguments of that crate's `RTCache::new`. A caller that finds a load over its age, or that has
    /// waited for the lock timeout, loads alone: its value is neither shared nor stored, and any number of callers may
    /// do so at once. Without an age no load is too old, without a timeout callers wait without a limit. The value of
    /// the load in flight is stored whenever it comes. Here a load is over its age from that very instant on; in
    /// pingora only after it.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, Coalescing, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .coalescing(Coalescing::pingora(Some(Duration::from_secs(5)), Some(Duration::from_secs(2))))
    ///     .build()?;
    /// let mut slow = cache.get_or_load(&1, pending);
    /// let mut hurried = cache.get_or_load(&1, || async { Ok(7) });
    /// assert!(block_on(poll_once(&mut slow)).is_none());
    /// assert!(block_on(poll_once(&mut hurried)).is_none()); // waits for the slow load
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(block_on(hurried)?, 7); // has waited long enough
    /// clock.advance(Duration::from_secs(4));
    /// assert_eq!(block_on(cache.get_or_load(&1, || async { Ok(8) }))?, 8); // the load is over age
    /// assert!(!cache.contains(&1)); // neither was stored
    /// assert!(block_on(poll_once(&mut slow)).is_none()); // nor did it serve the slow caller
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn pingora(lock_age: Option<Duration>, lock_timeout: Option<Duration>) -> Self {
        Self {
            // An endless age is never reached, and what callers do beyond it applies to an age that is set later.
            lock_age: match lock_age {
                Some(age) => age,
                None => Duration::MAX,
            },
            lock_timeout: match lock_timeout {
                Some(patience) => Some((patience, OnTimeout::LoadAlone)),
                None => None,
            },
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Sets at once all settings of how callers of one key share a load.
    ///
    /// These are [`lock_age`](Self::lock_age), [`over_age_alone`](Self::over_age_alone) and
    /// [`lock_timeout`](Self::lock_timeout): it replaces what was set before, and what is set later replaces it. All
    /// other settings stay.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, Coalescing, LoadError, ManualClock, OnTimeout, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .coalescing(Coalescing::pingora(Some(Duration::from_secs(5)), None))
    ///     .lock_timeout(Duration::from_secs(2), OnTimeout::Fail) // and this as well
    ///     .load_fn(|_: u32| pending::<io::Result<u32>>())
    ///     .build()?;
    /// let mut get = cache.get(&1);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(2));
    /// assert!(matches!(block_on(get), Err(LoadError::LockTimeout)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn coalescing(mut self, coalescing: Coalescing) -> Self {
        let Coalescing { lock_age, lock_timeout } = coalescing;
        self.settings.rules.lock_age = Some(lock_age);
        self.settings.rules.over_age_alone = true;
        self.settings.rules.lock_timeout = lock_timeout;
        self.links.heed_deadlines();
        self
    }
}
