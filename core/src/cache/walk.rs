//! Calls that go over all entries, and show the user one after the other.

use alloc::vec::Vec;

use super::Cache;
use crate::{
    Entry, Instant, Key, Lock, Runtime, Tuning,
    share::{After, ShardOf},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Removes the fresh values that `keep` refuses.
    ///
    /// All loads in flight are voided as by [`remove`](Self::remove), for it has not seen their values, and so is one that
    /// begins while it judges, of an entry that it refuses. The predicate runs outside every lock, on copies that are fresh
    /// when it is their turn, and may call the cache; a value that is replaced meanwhile stays, and so do kept failures. Takes time and memory in proportion to the entries of each shard in turn; what is removed is
    /// dropped in the end.
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
            let (now, mut voided) = (self.now(), After::new(&self.inner));
            let copies = shard.0.with(|shard| {
                shard.invalidate_loads(voided.effects());
                shard.snapshot(now)
            });
            voided.run();
            for Entry { key, value, generation, .. } in self.fresh_of(index, copies) {
                if !keep(&key, &value) {
                    let (hash, now) = (self.inner.hash(&key), self.now());
                    shard.0.with(|shard| shard.remove_if(hash, generation, now, |k| *k == key, after.effects()));
                }
            }
        }
    }

    /// Iterates over copies of the fresh entries.
    ///
    /// Shard by shard, each as it was when it was reached, without what has expired since; the order means nothing. No
    /// lock is held between two entries.
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
        self.entries_by(|| self.now()).map(Entry::into_pair)
    }

    /// Iterates over copies of the fresh entries, with what there is to say about them.
    ///
    /// As [`iter`](Self::iter), with age, time left, weight and generation as they were when the entry was copied.
    ///
    /// ```
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # let cache = Cache::<&str, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert_with("light", Loaded::new(1).weight(2));
    /// cache.insert_with("heavy", Loaded::new(2).weight(9));
    /// let heaviest = cache.entries().max_by_key(|entry| entry.weight()).expect("there are two");
    /// assert_eq!((*heaviest.key(), heaviest.weight()), ("heavy", 9));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = Entry<K, V>> + '_ {
        self.entries_by(|| self.inner.runtime.now().told())
    }

    fn entries_by<'a>(&'a self, now: impl Fn() -> Instant + 'a) -> impl Iterator<Item = Entry<K, V>> + 'a {
        self.inner.shards.iter().enumerate().flat_map(move |(index, shard)| {
            let now = now();
            self.fresh_of(index, shard.0.with(|shard| shard.snapshot(now)))
        })
    }

    /// Those copies of a shard's entries that are fresh when it is their turn.
    fn fresh_of(&self, shard: usize, copies: Vec<Entry<K, V>>) -> impl Iterator<Item = Entry<K, V>> + '_ {
        copies.into_iter().filter(move |Entry { key, generation, deadline, .. }| {
            // The caller may take any time between two items, and may itself ask for one of the keys.
            let now = self.now();
            let is_still = |shard: &mut ShardOf<K, V, E, R, S>| {
                shard.is_fresh(self.inner.hash(key), *generation, now, |k| k == key)
            };
            !deadline.reached(now) || self.inner.shards[shard].0.with(is_still)
        })
    }
}
