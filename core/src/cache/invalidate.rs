//! Conditional writes: removing one certain value, or only its freshness.

use core::{borrow::Borrow, hash::Hash};

use super::Cache;
use crate::{
    Generation, Instant, Key, Lock, Runtime, Tuning,
    share::{After, Afters},
};

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
        let was_fresh = inner.with(hash, |shard| shard.expire(hash, now, |k| k.borrow() == key, effects));
        inner.purge();
        was_fresh
    }

    /// Expires all values and returns how many were fresh.
    ///
    /// They are held as stale ones, as if [`expire`](Self::expire) were called for each key. For example when news of
    /// changes may have been missed: unlike after a [`clear`](Self::clear), the limits for stale values apply, so
    /// callers have something if the source is down as well. All loads in flight are detached, because they may have
    /// read what is expired here; kept failures stay. Values that come while this goes on are not expired. When it
    /// returns, every earlier value has expired.
    ///
    /// The lock of each shard is released after every few values; the time is proportional to their number. To end the
    /// freshness of all at once, and to give it back, see [`trust_until`](Self::trust_until).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()))
    ///     .stale_if_error(Duration::from_secs(600))
    ///     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(2, 20);
    /// assert_eq!(cache.expire_all(), 2);
    /// assert!(!cache.contains(&1));
    /// let load = || async { Err(io::Error::other("no route")) };
    /// assert_eq!(block_on(cache.get_or_load(&1, load))?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expire_all(&self) -> usize {
        let inner = &*self.inner;
        inner.expects_expiry();
        // All of it has happened before any waker is called.
        let mut afters = Afters::new(inner);
        let mut count = 0;
        inner.shards.each_once(|shard, before| {
            let effects = afters.next(STEP);
            let (mut expiring, mask) = shard.with(|shard| (shard.begin_expiring(before, effects), shard.home.mask()));
            let noted = (mask, expiring.generation());
            while !expiring.is_over() {
                let (now, effects) = (inner.runtime.now().told(), afters.next(STEP));
                count += shard.with(|shard| shard.expire_next(&mut expiring, STEP, now, effects));
            }
            noted
        });
        inner.purge();
        count
    }

    /// Lets all values count as expired from this time on.
    ///
    /// Until it is called again. For caches that hear of changes: whatever they hold can be trusted only while they
    /// hear. `until` is on the cache's clock, and is moved on each time something is heard. Once it is reached, a value
    /// that has not expired before counts as expired since then, also one that is stored after it: it is loaded again
    /// when it is asked for, and the limits for stale values apply. Nothing is changed about the values, and no load is
    /// detached: with a later `until` they are what they were. A process that was stopped finds on its first hit that
    /// the time is over.
    ///
    /// At first this is [`NEVER`](Instant::NEVER). The lock of each shard is taken in turn; a hit costs no more for it than
    /// for a lifetime.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, Clock, ManualClock, parts::Std};
    /// let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// let heard = || cache.trust_until(clock.now().saturating_add(Duration::from_secs(2)));
    /// heard();
    /// cache.insert(1, 10);
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(cache.get_if_present(&1), None);
    /// heard();
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn trust_until(&self, until: Instant) {
        let inner = &*self.inner;
        if until != Instant::NEVER {
            inner.expects_expiry();
        }
        inner.shards.iter().for_each(|shard| shard.with(|shard| shard.trust_until(until)));
        inner.purge();
    }
}

/// How many values are expired under one lock.
const STEP: usize = 64;
