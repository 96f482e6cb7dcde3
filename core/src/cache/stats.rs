//! What a cache has done so far.

use core::time::Duration;

use crate::{
    shard::{Carries, Shard},
    store::policy::Policy,
};

/// Counters of a cache since it was made.
///
/// They are kept under the shards' locks and cost next to nothing.
///
/// A lookup is counted once, when it ends, as one of `hits`, `misses`, `expired`, `joined`, `stale` and `errors`.
/// `loads_begun` is the sum of `loads_succeeded`, `loads_failed`, `loads_panicked`, `loads_dropped` and
/// `loads_in_flight`; `stored` is the sum of `held`, `evicted`, `expired_out`, `replaced` and `removed`.
///
/// A lookup that is served a stale value because its load failed counts as `stale`, and the load as failed; a lookup
/// that gets a kept failure counts as an error. A [`Refresh`](crate::Refresh) that is awaited or spawned is a load but
/// no lookup. [`Cache::refresh`](crate::Cache::refresh), a lookup with [`reload`](crate::LookupOptions::reload), and
/// the fetches of [`keep_fresh`](crate::LazySlot::keep_fresh) count as lookups, and as `misses` if they begin the load.
/// [`peek`](crate::Cache::peek) and [`contains`](crate::Cache::contains) count nothing.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # let cache = Cache::builder(Std::new(ManualClock::new()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let before = cache.stats();
/// for _ in 0..4 {
///     block_on(cache.get(&7))?;
/// }
/// let these = cache.stats().since(&before);
/// assert_eq!((these.lookups(), these.misses, these.hit_ratio()), (4, 1, 0.75));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lookups that found a fresh value.
    pub hits: u64,
    /// Lookups that found nothing and began a load, or ended without one.
    pub misses: u64,
    /// Lookups that found an expired value and began a load, or ended without one.
    pub expired: u64,
    /// Lookups that joined a load.
    pub joined: u64,
    /// Lookups that were served a stale value.
    pub stale: u64,
    /// Lookups that ended with an error.
    pub errors: u64,
    /// Lookups that were dropped while they waited.
    pub abandoned: u64,
    /// Loads that were begun.
    pub loads_begun: u64,
    /// Loads that returned a value that was used.
    pub loads_succeeded: u64,
    /// Loads that failed or exceeded their budget.
    pub loads_failed: u64,
    /// Loads that panicked.
    pub loads_panicked: u64,
    /// Loads that were dropped, because no caller waited any more or another outcome came first.
    pub loads_dropped: u64,
    /// Loads that run now.
    pub loads_in_flight: u64,
    /// The total time of the loads that have ended.
    pub load_time: Duration,
    /// Attempts that were begun because the one before was over the lock age.
    pub takeovers: u64,
    /// Waits that ended at the lock timeout.
    pub timeouts: u64,
    /// Values that were stored.
    pub stored: u64,
    /// Values that are held now.
    pub held: u64,
    /// Values that left to make room.
    pub evicted: u64,
    /// Values that had expired when they left, for whatever reason they left.
    pub expired_out: u64,
    /// Values that left because another one was stored for their key.
    pub replaced: u64,
    /// Values that were removed.
    pub removed: u64,
    /// Values that could not be stored, for their weight or for lack of memory.
    pub refused: u64,
    /// Keys that are being loaded or wait for a refresh now.
    pub flights: u64,
    /// Callers that wait now, refreshes included.
    pub waiters: u64,
}

impl Stats {
    /// Returns how many lookups have ended.
    ///
    /// Lookups that were dropped while they waited do not count.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.get_if_present(&1);
    /// assert_eq!(cache.stats().lookups(), 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn lookups(&self) -> u64 {
        let Self { hits, misses, expired, joined, stale, errors, .. } = *self;
        hits.saturating_add(misses)
            .saturating_add(expired)
            .saturating_add(joined)
            .saturating_add(stale)
            .saturating_add(errors)
    }

    /// Returns the share of lookups that needed no load of their own, from 0 to 1.
    ///
    /// These lookups found a fresh value, joined a load or were served a stale value. Zero if there were no lookups.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, Stats, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// assert_eq!(Stats::default().hit_ratio(), 0.0);
    /// cache.get_if_present(&1);
    /// cache.insert(1, 10);
    /// cache.get_if_present(&1);
    /// assert_eq!(cache.stats().hit_ratio(), 0.5);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn hit_ratio(&self) -> f64 {
        let hits = self.hits.saturating_add(self.joined).saturating_add(self.stale);
        hits as f64 / self.lookups().max(1) as f64
    }

    /// Returns what has happened since an earlier reading of the same cache.
    ///
    /// Each counter is the difference. Current figures stay as they are: `loads_in_flight`, `held`, `flights` and
    /// `waiters`. So the sums that hold for counters from the beginning need not hold here. A counter that was higher
    /// in `earlier` is zero.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert(1, 10);
    /// let earlier = cache.stats();
    /// cache.insert(2, 20);
    /// let since = cache.stats().since(&earlier);
    /// assert_eq!((since.stored, since.held), (1, 2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            hits: self.hits.saturating_sub(earlier.hits),
            misses: self.misses.saturating_sub(earlier.misses),
            expired: self.expired.saturating_sub(earlier.expired),
            joined: self.joined.saturating_sub(earlier.joined),
            stale: self.stale.saturating_sub(earlier.stale),
            errors: self.errors.saturating_sub(earlier.errors),
            abandoned: self.abandoned.saturating_sub(earlier.abandoned),
            loads_begun: self.loads_begun.saturating_sub(earlier.loads_begun),
            loads_succeeded: self.loads_succeeded.saturating_sub(earlier.loads_succeeded),
            loads_failed: self.loads_failed.saturating_sub(earlier.loads_failed),
            loads_panicked: self.loads_panicked.saturating_sub(earlier.loads_panicked),
            loads_dropped: self.loads_dropped.saturating_sub(earlier.loads_dropped),
            loads_in_flight: self.loads_in_flight,
            load_time: self.load_time.saturating_sub(earlier.load_time),
            takeovers: self.takeovers.saturating_sub(earlier.takeovers),
            timeouts: self.timeouts.saturating_sub(earlier.timeouts),
            stored: self.stored.saturating_sub(earlier.stored),
            held: self.held,
            evicted: self.evicted.saturating_sub(earlier.evicted),
            expired_out: self.expired_out.saturating_sub(earlier.expired_out),
            replaced: self.replaced.saturating_sub(earlier.replaced),
            removed: self.removed.saturating_sub(earlier.removed),
            refused: self.refused.saturating_sub(earlier.refused),
            flights: self.flights,
            waiters: self.waiters,
        }
    }

    pub(super) fn add<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy>(&mut self, shard: &Shard<K, V, E, C, P>) {
        let (lookups, loads, values) = (&shard.counts, &shard.flights.counts, &shard.values.counts);
        self.hits += lookups.hits;
        self.misses += lookups.misses;
        self.expired += lookups.expired;
        self.joined += lookups.joined;
        self.stale += lookups.stale;
        self.errors += lookups.errors;
        self.abandoned += lookups.abandoned;
        // (What is counted as begun in the lower half of a split, which comes first, may end in the upper one.)
        self.loads_begun = (self.loads_begun + loads.begun).saturating_sub(loads.unmade);
        self.loads_succeeded += loads.succeeded;
        self.loads_failed += loads.failed;
        self.loads_panicked += loads.panicked;
        self.loads_dropped += loads.dropped;
        self.loads_in_flight =
            (self.loads_in_flight + loads.begun).saturating_sub(loads.unmade.saturating_add(loads.ended()));
        self.load_time = self.load_time.saturating_add(Duration::from_nanos(lookups.load_time));
        self.takeovers += loads.takeovers;
        self.timeouts += lookups.timeouts;
        self.stored += values.stored;
        self.held += shard.values.len() as u64;
        self.evicted += values.evicted;
        self.expired_out += values.expired;
        self.replaced += values.replaced;
        self.removed += values.removed;
        self.refused += values.refused;
        self.flights += shard.flights.len() as u64;
        self.waiters += shard.flights.callers();
    }
}
