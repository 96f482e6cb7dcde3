use fibre_cache::{Cache, CacheBuilder};

use super::{Key, Peer, Setup, Walks};

/// `fibre_cache` with its defaults.
pub struct Fibre<K: Key = u64>(Cache<K, K::Value>);

impl<K: Key> Peer<K> for Fibre<K> {
    const NAME: &'static str = "fibre_cache";

    fn new(setup: &Setup) -> Self {
        let mut builder = CacheBuilder::default().capacity(setup.capacity as u64);
        if let Some(ttl) = setup.ttl {
            builder = builder.time_to_live(ttl);
        }
        Self(builder.build().expect("a valid configuration"))
    }

    fn get(&self, key: &K) -> Option<K::Value> {
        self.0.get(key, K::Value::clone)
    }

    fn insert(&self, key: K, value: K::Value) {
        self.0.insert(key, value, 1);
    }

    fn remove(&self, key: &K) {
        self.0.invalidate(key);
    }
}

impl Walks for Fibre {
    fn walk(&self) -> usize {
        self.0.iter().count()
    }

    fn clear(&self) {
        self.0.clear();
    }
}
