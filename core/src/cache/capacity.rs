//! How much a cache may hold.

use super::Cache;
use crate::{Key, Lock, Runtime, Tuning, share::After};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the largest weight that may be held.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// assert_eq!(cache.capacity(), 10_000); // the default
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn capacity(&self) -> u64 {
        self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.values.capacity())).sum()
    }

    /// Returns the weight up to which a value is never refused.
    ///
    /// It is the smallest of the shards' shares of the capacity.
    ///
    /// ```
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock))
    ///     .capacity(100)
    ///     .shards(4)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// assert_eq!(cache.max_weight(), 25);
    /// assert!(cache.insert_with(1, Loaded::new(10).weight(25)).is_some());
    /// assert!(cache.insert_with(1, Loaded::new(10).weight(26)).is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn max_weight(&self) -> u64 {
        let shares = self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.values.capacity()));
        shares.min().unwrap_or(0)
    }

    /// Changes the largest weight that may be held.
    ///
    /// When this returns, what is too much has been evicted, and failures that no longer fit are forgotten. Loads in
    /// flight go on, and their values are stored. Each shard is locked in turn and gets its share, as from
    /// [`Builder::capacity`](crate::Builder::capacity). The number of shards stays what it was: with a capacity below
    /// it some keys are never stored, and a cache that began with little has few shards.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// for id in 0..1_000 {
    ///     cache.insert(id, id);
    /// }
    /// cache.set_capacity(100);
    /// assert!(cache.weight() <= 100);
    /// assert_eq!(cache.capacity(), 100);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn set_capacity(&self, weight: u64) {
        let inner = &*self.inner;
        let mut after = After::new(inner);
        for (shard, share) in inner.shards.iter().zip(shares(weight, inner.shards.len())) {
            let now = self.now();
            shard.0.with(|shard| shard.set_capacity(share, now, after.effects()));
        }
    }
}

/// Returns each shard's share of a capacity; they add up to it.
pub(super) fn shares(capacity: u64, shards: usize) -> impl Iterator<Item = u64> {
    let shards = shards as u64;
    (0..shards).map(move |index| capacity / shards + u64::from(index < capacity % shards))
}
