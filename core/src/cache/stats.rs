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
/// A value that was served because its load failed counts as `stale`, and the load as failed; a failure that was kept
/// counts as an error. Refreshes are loads but not lookups; [`peek`](crate::Cache::peek) and
/// [`contains`](crate::Cache::contains) count nothing.
///
/// ```
/// use larder::Stats;
///
/// fn hit_ratio(stats: &Stats) -> f64 {
///     let hits = stats.hits + stats.joined + stats.stale;
///     let lookups = hits + stats.misses + stats.expired + stats.errors;
///     hits as f64 / lookups.max(1) as f64
/// }
/// assert_eq!(hit_ratio(&Stats::default()), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lookups that found a fresh value.
    pub hits: u64,
    /// Lookups that found nothing and began a load, or did without.
    pub misses: u64,
    /// Lookups that found an expired value and began a load, or did without.
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
    /// Loads that answered and were used.
    pub loads_succeeded: u64,
    /// Loads that failed or exceeded their budget.
    pub loads_failed: u64,
    /// Loads that panicked.
    pub loads_panicked: u64,
    /// Loads that were dropped, because nobody waited any more or another outcome came first.
    pub loads_dropped: u64,
    /// Loads that run now.
    pub loads_in_flight: u64,
    /// The time that ended loads have taken, added up.
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
    /// Values that left having expired, whatever swept them out.
    pub expired_out: u64,
    /// Values that left because another one was stored for their key.
    pub replaced: u64,
    /// Values that were removed.
    pub removed: u64,
    /// Values that were too heavy to be stored.
    pub refused: u64,
    /// Keys that are being loaded, or wait for being refreshed, now.
    pub flights: u64,
    /// Callers, refreshes included, that wait now.
    pub waiters: u64,
}

impl Stats {
    pub(super) fn add<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy>(&mut self, shard: &Shard<K, V, E, C, P>) {
        let (lookups, loads, values) = (&shard.counts, &shard.flights.counts, &shard.values.counts);
        self.hits += lookups.hits;
        self.misses += lookups.misses;
        self.expired += lookups.expired;
        self.joined += lookups.joined;
        self.stale += lookups.stale;
        self.errors += lookups.errors;
        self.abandoned += lookups.abandoned;
        self.loads_begun += loads.begun;
        self.loads_succeeded += loads.succeeded;
        self.loads_failed += loads.failed;
        self.loads_panicked += loads.panicked;
        self.loads_dropped += loads.dropped;
        self.loads_in_flight += loads.in_flight();
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
        self.waiters += shard.flights.seats;
    }
}
