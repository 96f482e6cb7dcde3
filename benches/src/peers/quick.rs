use quick_cache::sync::Cache;

use super::{Key, Loads, Peer, Setup, Walks};
use crate::{Bare, Source};

/// `quick_cache`, which has no lifetimes.
pub struct Quick<K: Key = u64> {
    cache: Cache<K, K::Value>,
    source: Source,
}

impl<K: Key> Peer<K> for Quick<K> {
    const NAME: &'static str = "quick_cache";

    fn new(setup: &Setup) -> Self {
        Self { cache: Cache::new(setup.capacity), source: setup.source.clone() }
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.cache.get(key)
    }

    fn insert(&self, key: K, value: K::Value) {
        self.cache.insert(key, value);
    }

    fn remove(&self, key: &K) {
        self.cache.remove(key);
    }
}

impl Loads for Quick {
    async fn load(&self, key: u64) -> Option<u64> {
        self.cache.get_or_insert_async(&key, async { Bare(self.source.answer(&key)).await }).await.ok()
    }
}

impl Walks for Quick {
    fn walk(&self) -> usize {
        self.cache.iter().count()
    }

    fn clear(&self) {
        self.cache.clear();
    }
}
