//! Removal of many entries by key.

use super::Cache;
use crate::{Key, Lock, Runtime, Tuning, contain::Items, share::Afters};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Removes everything whose key matches; returns how many fresh values left.
    ///
    /// As if [`remove`](Self::remove) were called for each key that the closure returns `true` for, whether the key has
    /// a value, a kept failure or a load in flight. Such a load is detached, even if it is part of a batch, and all
    /// others go on. Values are neither copied nor shown, so if the key tells enough this does less harm than
    /// [`retain`](Self::retain), which detaches all loads.
    ///
    /// The closure judges what is there when this is called, unless it leaves before its turn; some keys may be judged
    /// twice, and some of those that come meanwhile are judged as well. The closure runs outside every lock, on copies
    /// of the keys, and may call the cache. Keys are copied a few at a time, so no lock is held for long; the time is
    /// proportional to the number of all keys. The [`listener`](crate::Builder::listener) is called after everything is
    /// removed. If the closure panics, what it has decided until then is done.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|(tenant, id): (u32, u32)| async move {
    ///         yield_now().await; // the slow part
    ///         Ok::<_, std::io::Error>(tenant * 100 + id)
    ///     })
    ///     .build()?;
    /// cache.insert((1, 1), 101);
    /// cache.insert((2, 1), 201);
    /// let (mut one, mut other) = (cache.get(&(1, 9)), cache.get(&(2, 9)));
    /// assert!(block_on(poll_once(&mut one)).is_none());
    /// assert!(block_on(poll_once(&mut other)).is_none());
    ///
    /// assert_eq!(cache.remove_if(|(tenant, _)| *tenant == 1), 1);
    /// assert!(!cache.contains(&(1, 1)) && cache.contains(&(2, 1)));
    /// // Waiting callers are served, but the load of tenant 1 began before and is not stored.
    /// assert_eq!((block_on(one)?, block_on(other)?), (109, 209));
    /// assert!(!cache.contains(&(1, 9)) && cache.contains(&(2, 9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove_if(&self, mut is_such: impl FnMut(&K) -> bool) -> usize {
        let inner = &*self.inner;
        // All of it has happened before any listener is called.
        let mut afters = Afters::new(inner);
        let mut count = 0;
        for shard in inner.shards.iter() {
            let mut walk = shard.with(|shard| shard.walk_keys());
            while !walk.is_over() {
                let keys = shard.with(|shard| shard.next_keys(&mut walk, STEP));
                for key in Items::new(keys).filter(|key| is_such(key)) {
                    let (hash, now) = (inner.hash(&key), self.now());
                    let effects = afters.next(STEP);
                    let was_fresh = inner.with(hash, |shard| shard.remove(hash, now, |k| *k == key, effects));
                    count += usize::from(was_fresh);
                }
            }
        }
        count
    }
}

/// How many keys are copied under one lock.
const STEP: usize = 64;
