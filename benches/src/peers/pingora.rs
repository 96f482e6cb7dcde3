use std::{error::Error, time::Duration};

use async_trait::async_trait;
use pingora_memory_cache::{Lookup, MemoryCache, RTCache};

use super::{Key, Loads, Peer, Setup};
use crate::{Bare, Source};

/// `pingora-memory-cache`: two caches in one, as it has a type of its own that loads.
pub struct Pingora<K: Key = u64> {
    direct: MemoryCache<K, K::Value>,
    through: RTCache<u64, u64, BySource, Source>,
    ttl: Option<Duration>,
    source: Source,
}

/// A source that comes with each call.
struct BySource;

#[async_trait]
impl Lookup<u64, u64, Source> for BySource {
    async fn lookup(
        key: &u64,
        source: Option<&Source>,
    ) -> Result<(u64, Option<Duration>), Box<dyn Error + Send + Sync>> {
        let Some(source) = source else { return Err("no source".into()) };
        Ok((Bare(source.answer(key)).await?, None))
    }
}

impl<K: Key> Peer<K> for Pingora<K> {
    const NAME: &'static str = "pingora-memory-cache";

    fn new(setup: &Setup) -> Self {
        Self {
            direct: MemoryCache::new(setup.capacity),
            through: RTCache::new(setup.capacity, None, setup.lock_timeout),
            ttl: setup.ttl,
            source: setup.source.clone(),
        }
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.direct.get(key).0
    }

    fn insert(&self, key: K, value: K::Value) {
        self.direct.put(&key, value, self.ttl);
    }

    fn remove(&self, key: &K) {
        self.direct.remove(key);
    }
}

impl Loads for Pingora {
    async fn load(&self, key: u64) -> Option<u64> {
        self.through.get(&key, self.ttl, Some(&self.source)).await.0.ok()
    }
}

/// `TinyUFO`.
pub struct TinyUfo<K: Key = u64>(tinyufo::TinyUfo<K, K::Value>);

impl<K: Key> Peer<K> for TinyUfo<K> {
    const NAME: &'static str = "TinyUFO";

    fn new(setup: &Setup) -> Self {
        Self(tinyufo::TinyUfo::new(setup.capacity, setup.capacity))
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.0.get(key)
    }

    fn insert(&self, key: K, value: K::Value) {
        self.0.put(key, value, 1);
    }

    fn remove(&self, key: &K) {
        self.0.remove(key);
    }
}
