//! Direct use: calls that never wait, from any context.

use core::{borrow::Borrow, hash::Hash, mem};

use super::{Cache, Stats};
use crate::{
    Generation, Instant, Key, Loaded, Lock, Outcome, Runtime, Tuning,
    contain::Contained,
    shard::At,
    share::{After, Clearing, Engine, ShardOf},
    source::Judgement,
    store::Leavers,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Describes what is stored for `key`, fresh or stale.
    ///
    /// Changes nothing and counts nothing. An expired value is visible for as long as it is held.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .ttl(Duration::from_secs(60))
    /// #     .stale_while_refresh(Duration::from_secs(30))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let found = cache.peek(&1).expect("it may be served stale, so it is held");
    /// assert_eq!(found.status(), Status::Stale(Duration::from_secs(10)));
    /// assert_eq!(*found.value(), 10);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn peek<Q>(&self, key: &Q) -> Option<Outcome<V, E>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.inner.runtime.now();
        let hash = self.inner.hash(key);
        self.inner.with(hash, |shard| shard.peek(hash, now, |k| k.borrow() == key))
    }

    /// Returns whether a fresh value is stored for `key`.
    ///
    /// Changes nothing and counts nothing.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// assert!(cache.contains(&1));
    /// assert!(!cache.contains(&2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.now();
        let hash = self.inner.hash(key);
        self.inner.with(hash, |shard| shard.contains(hash, now, |k| k.borrow() == key))
    }

    /// Stores a value for the cache's own lifetime.
    ///
    /// Returns its generation, if it was stored. Callers that wait for a load of the key get this value at once, and
    /// the load is dropped.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// let mut get = cache.get_or_load(&1, pending);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// cache.insert(1, 10);
    /// assert_eq!(block_on(get)?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    // One copy for all calls: the step under the lock is inlined here, which it would not be into several.
    #[cfg_attr(feature = "std", inline(never))]
    pub fn insert(&self, key: K, value: V) -> Option<Generation> {
        // (A closure of its own, so that there is a copy for values of which nothing is said.)
        self.insert_loaded(key, Loaded::new(value), |_| true)
    }

    /// Stores a value with a lifetime and weight of its own.
    ///
    /// Returns its generation, if it was stored. A value that is heavier than the [capacity](Self::capacity) is
    /// refused, and what was stored under its key is removed. With a lifetime of zero, or
    /// [`Ttl::NotStored`](crate::Ttl::NotStored), this is a [`remove`](Self::remove).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Loaded, TimeLeft};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert_with(1, Loaded::new(10).ttl(Duration::from_secs(5)).weight(6));
    /// assert_eq!(cache.peek(&1).map(|found| found.time_left()), Some(TimeLeft::For(Duration::from_secs(5))));
    /// assert_eq!(cache.weight(), 6);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[cfg_attr(feature = "std", inline(never))]
    pub fn insert_with(&self, key: K, value: Loaded<V>) -> Option<Generation> {
        self.insert_loaded(key, value, |_| true)
    }

    #[inline(always)]
    fn insert_loaded(
        &self,
        key: K,
        value: Loaded<V>,
        may: impl Fn(&ShardOf<K, V, E, R, S>) -> bool,
    ) -> Option<Generation> {
        let (now, hash) = (self.inner.now_of(&value), self.inner.hash(&key));
        self.store(hash, now, key, value, may).ok().flatten().map(Generation)
    }

    /// Stores a value if `may` still allows it under the lock; otherwise returns what was to be stored.
    // On the short way, the parts of the value stay in registers, and what is not said of it is known: to write it as a whole,
    // and to read it as a whole directly after that, takes longer than to find its place.
    #[inline(always)]
    pub(super) fn store(
        &self,
        hash: u64,
        now: Instant,
        mut key: K,
        Loaded { mut value, mut ttl, weight, age }: Loaded<V>,
        may: impl Fn(&ShardOf<K, V, E, R, S>) -> bool,
    ) -> Result<Option<u32>, (K, Loaded<V>)> {
        if !Engine::<K, V, E, R, S>::HAS_SHORT_WAYS {
            return self.store_slowly(hash, now, (key, Loaded { value, ttl, weight, age }), None, may);
        }
        let inner = &*self.inner;
        let (at, mut judgement) = (At { now, rules: &inner.rules }, None);
        let terms = if inner.source.judges() {
            let (loaded, judged, terms) = inner.judged(&key, Loaded { value, ttl, weight, age }, now);
            (value, ttl, judgement) = (loaded.value, loaded.ttl, Some(judged));
            terms
        } else {
            inner.expect_expiry_of([ttl]);
            at.rules.terms_at_once((ttl, weight), Judgement::default(), now)
        };
        if let Some(terms) = terms.filter(|_| inner.stores_at_once) {
            let mut left = Leavers::new();
            let mut coming = Some((key, value));
            let stored = inner.with(hash, |shard| {
                if may(shard) { shard.insert_at_once(hash, &mut coming, terms, at, &mut left) } else { None }
            });
            let Some(still) = coming else {
                inner.drop_left(left);
                return Ok(stored);
            };
            (key, value) = still;
        }
        self.store_slowly(hash, now, (key, Loaded { value, ttl, weight, age }), judgement, may)
    }

    #[inline(never)]
    fn store_slowly(
        &self,
        hash: u64,
        now: Instant,
        (key, mut value): (K, Loaded<V>),
        judgement: Option<Judgement>,
        may: impl Fn(&ShardOf<K, V, E, R, S>) -> bool,
    ) -> Result<Option<u32>, (K, Loaded<V>)> {
        let inner = &*self.inner;
        let judgement = judgement.unwrap_or_else(|| inner.judge(&key, &mut value));
        let (at, mut coming) = (At { now, rules: &inner.rules }, Some((key, value)));
        let mut after = After::new(inner);
        let stored = inner.with_room(hash, now, &mut after, |shard, effects| {
            may(shard).then(|| shard.insert(hash, &mut coming, judgement, at, effects))
        });
        after.run();
        if after.effects().is_spent() {
            mem::forget(after);
        }
        match (stored, coming) {
            (None, Some(refused)) => Err(refused),
            (stored, _) => Ok(stored.flatten()),
        }
    }

    /// Removes the value of `key` and returns it if it was fresh.
    ///
    /// A load in flight is detached: waiting callers get its outcome, and nothing of it is stored.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// assert_eq!(cache.remove(&1), Some(10));
    /// assert_eq!(cache.remove(&1), None);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    ///
    /// Callers that wait for a load when the value is removed get what the load returns; later callers do not:
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { yield_now().await; Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let mut get = cache.get(&1);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// cache.remove(&1);
    /// assert_eq!(block_on(get)?, 2);
    /// assert!(!cache.contains(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.now();
        let hash = self.inner.hash(key);
        let eq = |k: &K| k.borrow() == key;
        if self.inner.stores_at_once {
            let mut left = Leavers::new();
            let removed = self.inner.with(hash, |shard| shard.remove_at_once(hash, now, eq, &mut left));
            if let Some(was_fresh) = removed {
                let removed = left.take_first().filter(|_| was_fresh);
                return if left.are_few() { removed } else { after_drop(left, removed) };
            }
        }
        let mut after = After::new(&self.inner);
        let was_fresh = self.inner.with(hash, |shard| shard.remove(hash, now, eq, after.effects()));
        let removed = after.first_leaver().filter(|_| was_fresh);
        if after.effects().is_spent() {
            // One check is enough where nothing is left, as is mostly so.
            mem::forget(after);
            return removed;
        }
        after_drop(after, removed)
    }

    /// Removes everything.
    ///
    /// All loads in flight are detached as by [`remove`](Self::remove): waiting callers get their outcome, and nothing
    /// of it is stored. Kept failures are forgotten; the statistics stay. Each shard is locked in turn, for a moment only:
    /// its values are counted and dropped outside the lock. The [`listener`](crate::Builder::listener) is called only
    /// after everything is removed.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// cache.clear();
    /// assert!(cache.is_empty());
    /// assert_eq!(cache.stats().removed, 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn clear(&self) {
        let inner = &*self.inner;
        // It has happened everywhere before any listener is called.
        let mut clearing = Clearing::new(inner);
        inner.shards.each_once(|shard, before: Option<()>| match before {
            // What it has came after its step.
            Some(()) => (0, ()),
            None => {
                let now = self.now();
                (clearing.go_on(shard, now), ())
            }
        });
    }

    /// Returns how many values are held, stale ones included.
    ///
    /// Takes the lock of each shard in turn.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(2, 20);
    /// assert_eq!(cache.len(), 2);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn len(&self) -> usize {
        let of_each = self.sum_up(|shard| shard.values.len() as u64);
        usize::try_from(of_each).unwrap_or(usize::MAX)
    }

    /// Returns whether no values are held.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// assert!(cache.is_empty());
    /// cache.insert(1, 10);
    /// assert!(!cache.is_empty());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the weight of everything that is held.
    ///
    /// That is values, stale ones included, and failures kept for the error TTL, which weigh 1 each. Takes the lock of
    /// each shard in turn.
    ///
    /// ```
    /// # use larder::Loaded;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert_with(2, Loaded::new(20).weight(6));
    /// assert_eq!(cache.weight(), 7);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn weight(&self) -> u64 {
        self.sum_up(|shard| shard.weight())
    }

    /// Sums up what is held in each shard.
    fn sum_up(&self, held: impl Fn(&ShardOf<K, V, E, R, S>) -> u64) -> u64 {
        let (mut sum, mut capacity) = (0_u64, 0);
        self.inner.with_each(|shard| {
            (sum, capacity) = (sum.saturating_add(held(shard)), shard.values.allowance.whole);
        });
        // (A value that left for one of another shard during the sum must not count twice.)
        sum.min(capacity)
    }

    /// Returns the counters.
    ///
    /// Takes the lock of each shard in turn, so the counters of one shard agree with each other.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// block_on(cache.get(&21))?;
    /// block_on(cache.get(&21))?;
    /// let stats = cache.stats();
    /// assert_eq!((stats.misses, stats.hits, stats.loads_succeeded), (1, 1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.inner.with_each(|shard| stats.add(shard));
        #[cfg(feature = "std")]
        if let Some(copies) = &self.inner.copies {
            stats.hits += copies.hits();
        }
        stats
    }

    /// Returns the next time at which something held has to go.
    ///
    /// For hosts that [`sweep`](Self::sweep) by themselves. A value that may be served stale is held beyond its own
    /// deadline.
    ///
    /// ```
    /// # use larder::Instant;
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// assert_eq!(cache.next_deadline(), None);
    /// cache.insert(1, 10);
    /// assert_eq!(cache.next_deadline(), Some(Instant::from_nanos(60_000_000_000)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn next_deadline(&self) -> Option<Instant> {
        let of_each = self.inner.shards.iter().map(|shard| {
            loop {
                if let Some(due) = shard.with(|shard| shard.first_due()) {
                    break due;
                }
            }
        });
        of_each.min().filter(|due| *due != Instant::NEVER)
    }

    /// Gives back the memory of everything that has expired.
    ///
    /// That is what has expired and is of no more use; returns the number of items removed. Calling this is optional:
    /// each call for a key reclaims a little, but for [`peek`](Self::peek) and [`contains`](Self::contains), which change
    /// nothing. The lock of each shard is released in between.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(cache.len(), 1); // no call since
    /// assert_eq!(cache.sweep(), 1);
    /// assert_eq!(cache.len(), 0);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn sweep(&self) -> usize {
        let mut swept = 0;
        for shard in self.inner.shards.iter() {
            loop {
                let (now, mut after) = (self.now(), After::new(&self.inner));
                let is_over = shard.with(|shard| {
                    swept += shard.reclaim(now, BATCH, after.effects());
                    !shard.is_due(now)
                });
                if is_over {
                    break;
                }
            }
        }
        swept
    }

    /// Returns the runtime, and with it the clock.
    ///
    /// ```
    /// # use larder::Clock;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let now = cache.runtime().now();
    /// assert_eq!(now, larder::Instant::ZERO);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn runtime(&self) -> &R {
        &self.inner.runtime
    }

    /// Returns the time; zero as long as nothing can expire.
    #[inline(always)]
    pub(super) fn now(&self) -> Instant {
        self.inner.now_if_timed().unwrap_or(Instant::ZERO)
    }
}

/// How many values a sweep takes out under one lock.
const BATCH: usize = 64;

/// Drops what is left of a call, and returns its value, which is dropped as well should the one panic.
#[cold]
#[inline(never)]
fn after_drop<V>(left: impl Sized, value: Option<V>) -> Option<V> {
    let mut value = Contained(value);
    drop(left);
    value.0.take()
}
