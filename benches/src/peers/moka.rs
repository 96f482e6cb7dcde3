use super::{Key, Loads, Peer, Setup, Walks};
use crate::{Bare, Source};

/// `moka`: two caches in one, as it has a type of its own for synchronous callers.
pub struct Moka<K: Key = u64> {
    direct: moka::sync::Cache<K, K::Value>,
    through: moka::future::Cache<u64, u64>,
    source: Source,
}

impl<K: Key> Peer<K> for Moka<K> {
    const NAME: &'static str = "moka";

    fn new(setup: &Setup) -> Self {
        let mut direct = moka::sync::Cache::builder().max_capacity(setup.capacity as u64);
        let mut through = moka::future::Cache::builder().max_capacity(setup.capacity as u64);
        if let Some(ttl) = setup.ttl {
            (direct, through) = (direct.time_to_live(ttl), through.time_to_live(ttl));
        }
        Self { direct: direct.build(), through: through.build(), source: setup.source.clone() }
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.direct.get(key)
    }

    fn insert(&self, key: K, value: K::Value) {
        self.direct.insert(key, value);
    }

    fn remove(&self, key: &K) {
        self.direct.invalidate(key);
    }
}

impl Loads for Moka {
    async fn load(&self, key: u64) -> Option<u64> {
        self.through.try_get_with(key, async { Bare(self.source.answer(&key)).await }).await.ok()
    }
}

impl Walks for Moka {
    fn walk(&self) -> usize {
        self.direct.iter().count()
    }

    fn clear(&self) {
        self.direct.invalidate_all();
        self.direct.run_pending_tasks();
    }
}

/// `mini-moka`.
pub struct MiniMoka<K: Key = u64>(mini_moka::sync::Cache<K, K::Value>);

impl<K: Key> Peer<K> for MiniMoka<K> {
    const NAME: &'static str = "mini-moka";

    fn new(setup: &Setup) -> Self {
        let mut builder = mini_moka::sync::Cache::builder().max_capacity(setup.capacity as u64);
        if let Some(ttl) = setup.ttl {
            builder = builder.time_to_live(ttl);
        }
        Self(builder.build())
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.0.get(key)
    }

    fn insert(&self, key: K, value: K::Value) {
        self.0.insert(key, value);
    }

    fn remove(&self, key: &K) {
        self.0.invalidate(key);
    }
}
