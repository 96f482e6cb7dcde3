//! Lookups without a load: what is there, or a value at hand.

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, hash::Hash};

use super::Cache;
#[cfg(feature = "std")]
use crate::share::TIMED;
use crate::{
    Instant, Key, Loaded, Lock, Outcome, Runtime, Tuning,
    shard::At,
    share::{After, Engine},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the value of `key` if it is stored and fresh.
    ///
    /// This counts as a lookup; no load is begun or joined. A hit allocates nothing.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// assert_eq!(cache.get_if_present(&1), None);
    /// cache.insert(1, 10);
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[inline]
    pub fn get_if_present<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let inner = &*self.inner;
        let (hash, needs, mut now) = (inner.hash(key), inner.needs(), Instant::ZERO);
        if needs != 0 {
            #[cfg(feature = "std")]
            if needs & !TIMED != 0 {
                return Self::look_around(inner, key);
            }
            now = inner.runtime.now().told();
        }
        match inner.shards.at_first(hash).with(|shard| shard.hit_or_miss(hash, now, |k| k.borrow() == key)) {
            Ok(value) => Some(value),
            Err(true) => Self::look_again(inner, hash, now, key),
            Err(false) => None,
        }
    }

    /// Looks for a copy first, or in a shard that has split.
    #[cfg(feature = "std")]
    #[cold]
    #[inline(never)]
    fn look_around<Q>(inner: &Engine<K, V, E, R, S>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, now) = (inner.hash(key), inner.now_if_timed().unwrap_or(Instant::ZERO));
        inner.look_near(hash, now, key).or_else(|| Self::look_again(inner, hash, now, key))
    }

    /// Looks again, with everything that a lookup may need.
    #[cold]
    #[inline(never)]
    fn look_again<Q>(inner: &Engine<K, V, E, R, S>, hash: u64, now: Instant, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mut after = After::new(inner);
        inner.with(hash, |shard| shard.get_if_present(hash, now, |k| k.borrow() == key, after.effects()))
    }

    /// Returns the value of `key` and how it was found, if it is stored and fresh.
    ///
    /// As [`get_if_present`](Self::get_if_present), but with age, time left and generation. This counts as a lookup and
    /// as a use of the value, unlike [`peek`](Self::peek); no load is begun or joined.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<&str, u32, std::io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// assert!(cache.lookup_if_present("a").is_none());
    /// cache.insert("a", 1);
    /// clock.advance(Duration::from_secs(3));
    /// let found = cache.lookup_if_present("a").expect("it is there");
    /// assert_eq!((*found.value(), found.age()), (1, Duration::from_secs(3)));
    /// assert_eq!((cache.stats().misses, cache.stats().hits), (1, 1));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn lookup_if_present<Q>(&self, key: &Q) -> Option<Outcome<V, E>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let inner = &*self.inner;
        let (hash, now) = (inner.hash(key), inner.runtime.now().told());
        let mut after = After::new(inner);
        inner.with(hash, |shard| shard.lookup_if_present(hash, now, |k| k.borrow() == key, after.effects()))
    }

    /// Returns the value of `key`, and stores one if there is none.
    ///
    /// If no fresh value is there, the closure makes one. It runs outside every lock, and may call the cache. If
    /// another value has been stored when it returns, that one stays and is returned. Callers that wait for a load of
    /// the key get the value that is stored, as by [`insert`](Self::insert). If making the value takes a wait, it is a
    /// load: see [`get_or_load`](Self::get_or_load).
    ///
    /// This counts as a lookup. The status is `Hit` if a value was there, else `Miss` or `Expired`, or `Stale` if the new
    /// value comes expired. A new value is stored and has a generation, unless it was refused or not to be stored.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let first = cache.get_or_insert(&7, || 1);
    /// assert_eq!((*first.value(), first.status()), (1, Status::Miss));
    /// let second = cache.get_or_insert(&7, || 2);
    /// assert_eq!((*second.value(), second.status()), (1, Status::Hit));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn get_or_insert<Q>(&self, key: &Q, make: impl FnOnce() -> V) -> Outcome<V, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.get_or_insert_with(key, || Loaded::new(make()))
    }

    /// Returns the value of `key`, and stores a [`Loaded`] one if there is none.
    ///
    /// Otherwise as [`get_or_insert`](Self::get_or_insert), but the closure also sets a lifetime and a weight.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, Loaded, ManualClock, TimeLeft, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let brief = cache.get_or_insert_with(&7, || Loaded::new(1).ttl(Duration::from_secs(5)));
    /// assert_eq!(brief.time_left(), TimeLeft::For(Duration::from_secs(5)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn get_or_insert_with<Q>(&self, key: &Q, make: impl FnOnce() -> Loaded<V>) -> Outcome<V, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let inner = &*self.inner;
        let (hash, now) = (inner.hash(key), inner.runtime.now().told());
        let eq = |k: &K| k.borrow() == key;
        let mut after = After::new(inner);
        let found = inner.with(hash, |shard| shard.find_present(hash, now, eq, after.effects()));
        // (Nothing is left for after the closure.)
        drop(after);
        found.unwrap_or_else(|| self.insert_if_absent(hash, key.to_owned(), make()))
    }

    /// Stores a value if no other has come meanwhile.
    fn insert_if_absent(&self, hash: u64, key: K, mut loaded: Loaded<V>) -> Outcome<V, E> {
        let inner = &*self.inner;
        let (judgement, copy) = (inner.judge(&key, &mut loaded), loaded.value.clone());
        let at = At { now: inner.runtime.now().told(), rules: &inner.rules };
        let mut after = After::new(inner);
        // (What is not stored after all is dropped when the shard is free again.)
        let mut coming = Some((key, loaded));
        inner.with_room(hash, at.now, &mut after, |shard, effects| {
            shard.get_or_insert(hash, &mut coming, &copy, judgement, at, effects)
        })
    }
}
