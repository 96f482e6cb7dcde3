//! Calls that go over all entries, and show the user one after the other.

use super::Cache;
use crate::{
    Entry, Instant, Key, Lock, Runtime, Tuning,
    contain::Items,
    shard::Shown,
    share::{After, Afters, Engine, ShardOf},
    store::FEW,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Removes the fresh values that `keep` refuses.
    ///
    /// All loads in flight are voided as by [`remove`](Self::remove), for it has not seen their values, and so is one that
    /// begins while it judges, of an entry that it refuses. The predicate runs outside every lock, on copies that are fresh
    /// when it is their turn, and may call the cache; a value that is replaced meanwhile stays, and so do kept failures.
    /// An entry that is there all the time is judged exactly once, with a value that it has meanwhile; one that comes meanwhile
    /// may be judged or not. A few entries are copied at a time, so that no lock is held for long; what is removed is
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
        self.inner.shards.each_once(|shard, before: Option<()>| {
            let mut voided = After::new(&self.inner);
            let void = |shard: &mut ShardOf<K, V, E, R, S>| {
                shard.invalidate_loads(voided.effects());
                (shard.home.mask(), ())
            };
            before.map_or_else(|| shard.with(void), |()| (0, ()))
        });
        let mut afters = Afters::new(&self.inner);
        for Entry { key, value, generation, .. } in self.entries_by(|| self.now()) {
            if !keep(&key, &value) {
                let (hash, now, effects) = (self.inner.hash(&key), self.now(), afters.next(FEW as usize));
                self.inner.with(hash, |shard| shard.remove_if(hash, generation, now, |k| *k == key, effects));
            }
        }
    }

    /// Iterates over copies of the fresh entries.
    ///
    /// An entry that is there all the time is shown exactly once, with a value that it has meanwhile; one that comes
    /// meanwhile, or is removed and inserted again, may be shown or not. None is shown that has expired by then. The order
    /// means nothing. A few entries are copied at a time, so that no lock is held for long, and none between two entries.
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

    /// Copies of the entries that are fresh when it is their turn.
    fn entries_by<'a>(&'a self, now: impl Fn() -> Instant + 'a) -> impl Iterator<Item = Entry<K, V>> + 'a {
        let steps = Steps { engine: &self.inner, walk: None, now };
        steps.flatten().filter_map(|copy| {
            // The caller may take any time between two items, and may itself ask for one of the keys, or expire it.
            let Some(now) = self.inner.now_if_timed() else { return Some(copy) };
            let (hash, seen) = (self.inner.hash(&copy.key), (copy.generation, copy.deadline));
            match self.inner.with(hash, |shard| shard.show(hash, seen, now, |k| *k == copy.key))? {
                Shown::Copy => Some(copy),
                Shown::Instead(present) => Some(present),
            }
        })
    }
}

/// Goes over the entries of all shards, a few at a time.
struct Steps<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning, N> {
    engine: &'a Engine<K, V, E, R, S>,
    /// The number of the walk, which is under way in all shards, and that of the next shard.
    walk: Option<(u32, usize)>,
    now: N,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, N> Steps<'_, K, V, E, R, S, N> {
    /// Begins the walk in all shards; one that splits later hands it on.
    fn begin(&mut self) -> (u32, usize) {
        let mut walk = None;
        for shard in self.engine.shards.iter() {
            walk = Some(shard.with(|shard| shard.values.begin_walk(walk)));
        }
        (walk.unwrap_or_default(), 0)
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, N: Fn() -> Instant> Iterator for Steps<'_, K, V, E, R, S, N> {
    type Item = Items<Entry<K, V>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (walk, mut number) = self.walk.unwrap_or_else(|| self.begin());
        while let Some(shard) = self.engine.shards.get(number) {
            self.walk = Some((walk, number));
            let now = (self.now)();
            if let Some(copies) = shard.with(|shard| shard.copy_next(walk, now)) {
                return Some(Items::new(copies));
            }
            number += 1;
        }
        self.walk = Some((walk, number));
        None
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, N> Drop for Steps<'_, K, V, E, R, S, N> {
    fn drop(&mut self) {
        if let Some((walk, _)) = self.walk {
            self.engine.shards.iter().for_each(|shard| shard.with(|shard| shard.values.end_walk(walk)));
        }
    }
}
