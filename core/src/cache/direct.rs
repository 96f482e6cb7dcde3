//! Direct use: no waiting, callable from any context.

use alloc::vec::Vec;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use super::{Cache, Stats, inner::Deferred};
use crate::{Generation, Instant, Key, Loaded, Lock, Outcome, Runtime, Source, policy::Policy, shard::At};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the value of `key` if it is stored and fresh.
    ///
    /// This counts as a lookup; no load is begun or joined. A hit allocates nothing.
    #[inline]
    pub fn get_if_present<Q>(&self, key: &Q) -> Option<L::Value>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let inner = &*self.inner;
        let hash = inner.hash(key);
        let now = inner.now_if_timed();
        inner.hit(hash, now, key).or_else(|| self.look_again(hash, now, key))
    }

    /// As a hit was not to be had, looks with everything that comes with it.
    #[cold]
    #[inline(never)]
    fn look_again<Q>(&self, hash: u64, now: Option<Instant>, key: &Q) -> Option<L::Value>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let inner = &*self.inner;
        let now = now.unwrap_or(Instant::ZERO);
        let mut effects = Deferred::<K, L, R>::new();
        inner.with(hash, |shard| shard.get_if_present(hash, now, |k| k.borrow() == key, &mut effects.0))
    }

    /// Describes what is stored for `key`, fresh or stale, and changes nothing.
    pub fn peek<Q>(&self, key: &Q) -> Option<Outcome<L::Value, L::Error>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.inner.runtime.now();
        let hash = self.inner.hash(key);
        self.inner.with(hash, |shard| shard.peek(hash, now, |k| k.borrow() == key))
    }

    /// Tells whether a fresh value is stored for `key`; changes nothing.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.now();
        let hash = self.inner.hash(key);
        self.inner.with(hash, |shard| shard.contains(hash, now, |k| k.borrow() == key))
    }

    /// Stores a value for the cache's own lifetime; returns its generation if it was stored.
    ///
    /// Whoever waits for a load of the key gets this value at once, and the load is dropped.
    pub fn insert(&self, key: K, value: L::Value) -> Option<Generation> {
        self.insert_with(key, Loaded::new(value))
    }

    /// Stores a value with a lifetime and weight of its own; returns its generation if it was stored.
    ///
    /// A value that is too heavy for its shard is refused, and what was stored under its key is gone. A lifetime of zero,
    /// or [`Ttl::NotStored`](crate::Ttl::NotStored), makes this a [`remove`](Self::remove).
    pub fn insert_with(&self, key: K, value: Loaded<L::Value>) -> Option<Generation> {
        let inner = &*self.inner;
        let now = inner.runtime.now();
        let hash = inner.hash(&key);
        let weighed = if L::WEIGHS && value.weight.is_none() { inner.source.weigh(&key, &value.value) } else { None };
        if value.ttl.expires() {
            inner.expects_expiry();
        }
        let mut effects = Deferred::<K, L, R>::new();
        inner
            .with(hash, |shard| {
                shard.insert(hash, key, value, weighed, At { now, rules: &inner.rules }, &mut effects.0)
            })
            .map(Generation)
    }

    /// Removes the value of `key` and returns it if it was fresh.
    ///
    /// A load in flight is voided: those who wait get its outcome, and nothing of it is stored.
    pub fn remove<Q>(&self, key: &Q) -> Option<L::Value>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.now();
        let hash = self.inner.hash(key);
        let mut effects = Deferred::<K, L, R>::new();
        self.inner.with(hash, |shard| shard.remove(hash, now, |k| k.borrow() == key, &mut effects.0))
    }

    /// Removes everything, and voids all loads in flight as [`remove`](Self::remove) does. The statistics stay.
    pub fn clear(&self) {
        let now = self.now();
        let removed: Vec<_> = self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.clear(now))).collect();
        drop(removed);
    }

    /// Removes the fresh values that `keep` refuses, and voids all loads in flight, whose values it has not seen.
    ///
    /// The predicate runs outside every lock on copies; a value that is replaced meanwhile stays.
    pub fn retain(&self, mut keep: impl FnMut(&K, &L::Value) -> bool) {
        let now = self.now();
        for shard in &self.inner.shards {
            let snapshot = shard.0.with(|shard| {
                shard.flights.detach_all();
                shard.snapshot(now)
            });
            for (key, value, generation) in snapshot {
                if !keep(&key, &value) {
                    let hash = self.inner.hash(&key);
                    let mut effects = Deferred::<K, L, R>::new();
                    shard.0.with(|shard| shard.remove_if(hash, generation, now, |k| *k == key, &mut effects.0));
                }
            }
        }
    }

    /// Iterates over copies of the fresh entries, shard by shard as each was when it was reached.
    pub fn iter(&self) -> impl Iterator<Item = (K, L::Value)> + '_ {
        let now = self.now();
        let shards = self.inner.shards.iter();
        shards.flat_map(move |shard| shard.0.with(|shard| shard.snapshot(now))).map(|(key, value, _)| (key, value))
    }

    /// Returns how many values are held, stale ones included.
    pub fn len(&self) -> usize {
        self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.values.len())).sum()
    }

    /// Tells whether no values are held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the weight of all that is held: values, stale ones included, and failures kept for the error TTL.
    pub fn weight(&self) -> u64 {
        self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.weight())).sum()
    }

    /// Returns the largest weight that may be held.
    pub fn capacity(&self) -> u64 {
        self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.values.capacity())).sum()
    }

    /// Returns the weight up to which a value is never refused: the smallest of the shards' shares.
    pub fn max_weight(&self) -> u64 {
        let shares = self.inner.shards.iter().map(|shard| shard.0.with(|shard| shard.values.capacity()));
        shares.min().unwrap_or(0)
    }

    /// Returns the counters.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for shard in &self.inner.shards {
            shard.0.with(|shard| stats.add(shard));
        }
        stats
    }

    /// Returns when something that is held has to go next, for hosts that [`sweep`](Self::sweep) by themselves.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.inner.shards.iter().filter_map(|shard| shard.0.with(|shard| shard.first_due())).min()
    }

    /// Gives back the memory of everything that has expired and is of no more use; returns how many things those were.
    ///
    /// Nobody has to call this: every call to the cache reclaims a little. The lock of each shard is released in between.
    pub fn sweep(&self) -> usize {
        let now = self.now();
        let mut swept = 0;
        for shard in &self.inner.shards {
            loop {
                let mut effects = Deferred::<K, L, R>::new();
                let batch = shard.0.with(|shard| shard.reclaim(now, BATCH, &mut effects.0));
                if batch == 0 {
                    break;
                }
                swept += batch;
            }
        }
        swept
    }

    /// Returns the runtime, and with it the clock.
    pub fn runtime(&self) -> &R {
        &self.inner.runtime
    }

    fn now(&self) -> Instant {
        self.inner.now_if_timed().unwrap_or(Instant::ZERO)
    }
}

/// How many values a sweep takes out under one lock.
const BATCH: usize = 64;
