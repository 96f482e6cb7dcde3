//! Conditional writes: removing one certain value, or only its freshness.

use core::{borrow::Borrow, hash::Hash};

use super::Cache;
use crate::{Generation, Key, Runtime, Tuning, share::After};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Removes the value of `key` if it is still the one of this generation.
    ///
    /// Fresh or stale; returns whether it was that one. Only then is this a write, as [`remove`](Self::remove) is. So
    /// if many callers are refused with the same bad token, one of them removes it, and none removes the next token.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let token = block_on(cache.lookup(&1))?;
    /// // The server refuses the token; two callers notice it.
    /// let refused = token.generation().expect("it was stored");
    /// assert!(cache.invalidate_if(&1, refused));
    /// block_on(cache.get(&1))?;
    /// assert!(!cache.invalidate_if(&1, refused)); // that value is gone, and the new one stays
    /// assert!(cache.contains(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_if<Q>(&self, key: &Q, generation: Generation) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (now, hash, inner) = (self.now(), self.inner.hash(key), &*self.inner);
        let mut after = After::new(inner);
        let eq = |k: &K| k.borrow() == key;
        inner.with(hash, |shard| shard.invalidate(hash, generation.0, now, eq, after.effects()))
    }

    /// Ends the freshness of the value of `key`, but holds it as a stale one.
    ///
    /// Returns whether it was fresh. It expires now, so the limits for stale values count from now; without such
    /// limits, it goes as any expired value does. A load in flight is detached as by [`remove`](Self::remove), because
    /// it may have read what is expired here. A kept failure stays.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// assert!(cache.expire(&1));
    /// assert_eq!(cache.get_if_present(&1), None);
    /// clock.advance(Duration::from_secs(5));
    /// let stale = block_on(cache.get_stale(&1))?;
    /// assert_eq!(*stale.outcome.value(), 10);
    /// assert_eq!(stale.outcome.status().stale(), Some(Duration::from_secs(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expire<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, inner) = (self.inner.hash(key), &*self.inner);
        let now = inner.runtime.now().told();
        inner.expects_expiry();
        let mut after = After::new(inner);
        let effects = after.effects();
        inner.with(hash, |shard| shard.expire(hash, now, |k| k.borrow() == key, effects))
    }
}
