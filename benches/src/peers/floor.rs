use std::{
    hash::BuildHasher,
    sync::{PoisonError, RwLock},
};

use hashbrown::{DefaultHashBuilder, HashMap};

use super::{Key, Peer, Setup};

const SHARDS: usize = 16;

/// A map in shards behind read locks, that neither evicts nor expires: less than any cache can do.
pub struct Floor<K: Key = u64> {
    shards: Vec<RwLock<HashMap<K, K::Value>>>,
    hasher: DefaultHashBuilder,
}

impl<K: Key> Floor<K> {
    fn shard(&self, key: &K) -> &RwLock<HashMap<K, K::Value>> {
        &self.shards[(self.hasher.hash_one(key) >> 32) as usize % SHARDS]
    }
}

impl<K: Key> Peer<K> for Floor<K> {
    const NAME: &'static str = "(a map that never evicts)";

    fn new(setup: &Setup) -> Self {
        let shard = || RwLock::new(HashMap::with_capacity(setup.capacity / SHARDS + 1));
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect(), hasher: DefaultHashBuilder::default() }
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn insert(&self, key: K, value: K::Value) {
        self.shard(&key).write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }

    fn remove(&self, key: &K) {
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
