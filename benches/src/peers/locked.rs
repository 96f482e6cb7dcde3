//! Caches for one thread, each behind a mutex of the standard library.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use cached::Cached;

use super::{Key, Peer, Setup};

/// `micro-moka` behind a mutex.
pub struct MicroMoka<K: Key = u64>(Mutex<micro_moka::unsync::Cache<K, K::Value>>);

impl<K: Key> Peer<K> for MicroMoka<K> {
    const NAME: &'static str = "micro-moka, mutex";

    fn new(setup: &Setup) -> Self {
        Self(Mutex::new(micro_moka::unsync::Cache::new(setup.capacity as u64)))
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        locked(&self.0).get(key).cloned()
    }

    fn insert(&self, key: K, value: K::Value) {
        locked(&self.0).insert(key, value);
    }

    fn remove(&self, key: &K) {
        locked(&self.0).invalidate(key);
    }
}

/// The least recently used of `cached`, behind a mutex.
pub struct CachedLru<K: Key = u64>(Mutex<cached::LruCache<K, K::Value>>);

impl<K: Key> Peer<K> for CachedLru<K> {
    const NAME: &'static str = "cached, mutex";

    fn new(setup: &Setup) -> Self {
        Self(Mutex::new(cached::LruCache::new(setup.capacity)))
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        locked(&self.0).cache_get(key).cloned()
    }

    fn insert(&self, key: K, value: K::Value) {
        locked(&self.0).cache_set(key, value);
    }

    fn remove(&self, key: &K) {
        let _ = locked(&self.0).cache_remove(key);
    }
}

/// `lru` behind a mutex.
pub struct Lru<K: Key = u64>(Mutex<lru::LruCache<K, K::Value>>);

impl<K: Key> Peer<K> for Lru<K> {
    const NAME: &'static str = "lru, mutex";

    fn new(setup: &Setup) -> Self {
        let capacity = NonZeroUsize::new(setup.capacity).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(lru::LruCache::new(capacity)))
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        locked(&self.0).get(key).cloned()
    }

    fn insert(&self, key: K, value: K::Value) {
        locked(&self.0).put(key, value);
    }

    fn remove(&self, key: &K) {
        locked(&self.0).pop(key);
    }
}

fn locked<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
