use foyer_memory::{Cache, CacheBuilder};

use super::{Key, Loads, Peer, Setup, Walks};
use crate::{Bare, Source};

/// `foyer-memory` with its defaults. Its loads run on tasks of tokio.
pub struct Foyer<K: Key = u64> {
    cache: Cache<K, K::Value>,
    source: Source,
}

impl<K: Key> Peer<K> for Foyer<K> {
    const NAME: &'static str = "foyer-memory";

    fn new(setup: &Setup) -> Self {
        Self { cache: CacheBuilder::new(setup.capacity).build(), source: setup.source.clone() }
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.cache.get(key).map(|entry| entry.value().clone())
    }

    fn insert(&self, key: K, value: K::Value) {
        self.cache.insert(key, value);
    }

    fn remove(&self, key: &K) {
        self.cache.remove(key);
    }
}

impl Loads for Foyer {
    async fn load(&self, key: u64) -> Option<u64> {
        let source = self.source.clone();
        let entry = self.cache.get_or_fetch(&key, move || Bare(source.answer(&key))).await;
        entry.ok().map(|entry| *entry.value())
    }
}

impl Walks for Foyer {
    // (It cannot be gone over.)
    fn walk(&self) -> usize {
        self.cache.entries()
    }

    fn clear(&self) {
        self.cache.clear();
    }
}
