//! Calls that go over all entries, and show the user one after the other.

use alloc::vec::Vec;

use super::Cache;
use crate::{
    Instant, Key, Lock, Runtime, Tuning,
    shard::Copied,
    share::{After, Engine, ShardOf},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Removes the fresh values that `keep` refuses.
    ///
    /// All loads in flight are voided as by [`remove`](Self::remove), for it has not seen their values, and so is one that
    /// begins while it judges, of an entry that it refuses. The predicate runs outside every lock, on copies that are fresh
    /// when it is their turn, and may call the cache; a value that is replaced meanwhile stays, and so do kept failures. An entry that
    /// is there all the time is judged, as [`iter`](Self::iter) shows it. A few entries are copied at a time, so that no lock is
    /// held for long; what is removed is dropped in the end.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// for id in 1..=4 {
    ///     cache.insert(id, id * 10);
    /// }
    /// cache.retain(|id, value| *id != 2 && *value < 40);
    /// assert_eq!((cache.contains(&1), cache.contains(&2)), (true, false));
    /// assert_eq!((cache.contains(&3), cache.contains(&4)), (true, false));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        let mut after = After::new(&self.inner);
        for (index, shard) in self.inner.shards.iter().enumerate() {
            let mut voided = After::new(&self.inner);
            shard.0.with(|shard| shard.invalidate_loads(voided.effects()));
            voided.run();
            for Copied { key, value, generation, .. } in self.fresh_of(index) {
                if !keep(&key, &value) {
                    let (hash, now) = (self.inner.hash(&key), self.now());
                    shard.0.with(|shard| shard.remove_if(hash, generation, now, |k| *k == key, after.effects()));
                }
            }
        }
    }

    /// Iterates over copies of the fresh entries.
    ///
    /// An entry that is there all the time is shown exactly once, with a value that it has meanwhile; one that comes, leaves or is
    /// removed and inserted again may be shown or not. None is shown that has expired by then. The order means nothing. A few
    /// entries are copied at a time, so that no lock is held for long, and none between two entries.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(2, 20);
    /// let mut entries: Vec<_> = cache.iter().collect();
    /// entries.sort();
    /// assert_eq!(entries, [(1, 10), (2, 20)]);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (K, V)> + '_ {
        let copies = (0..self.inner.shards.len()).flat_map(|shard| self.fresh_of(shard));
        copies.map(|Copied { key, value, .. }| (key, value))
    }

    /// Copies of a shard's entries, each of which is fresh when it is its turn.
    fn fresh_of(&self, shard: usize) -> impl Iterator<Item = Copied<K, V>> + '_ {
        Steps::new(&self.inner, shard).flatten().filter(move |Copied { key, generation, deadline, .. }| {
            // Whoever is shown them takes as long as they like, and may ask for one of them meanwhile.
            let now = self.now();
            let is_still = |shard: &mut ShardOf<K, V, E, R, S::Policy>| {
                shard.is_fresh(self.inner.hash(key), *generation, now, |k| k == key)
            };
            !deadline.reached(now) || self.inner.shards[shard].0.with(is_still)
        })
    }
}

/// Goes over the entries of a shard, a few at a time.
struct Steps<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    shard: usize,
    walk: Option<u32>,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Steps<'a, K, V, E, R, S> {
    const fn new(engine: &'a Engine<K, V, E, R, S>, shard: usize) -> Self {
        Self { engine, shard, walk: None }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Iterator for Steps<'_, K, V, E, R, S> {
    type Item = Vec<Copied<K, V>>;

    fn next(&mut self) -> Option<Self::Item> {
        let now = self.engine.now_if_timed().unwrap_or(Instant::ZERO);
        self.engine.shards[self.shard].0.with(|shard| {
            let walk = *self.walk.get_or_insert_with(|| shard.values.begin_walk());
            shard.copy_next(walk, now)
        })
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Steps<'_, K, V, E, R, S> {
    fn drop(&mut self) {
        if let Some(walk) = self.walk {
            self.engine.shards[self.shard].0.with(|shard| shard.values.end_walk(walk));
        }
    }
}
