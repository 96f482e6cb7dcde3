//! `quick_cache` as its users give it lifetimes: with a deadline in the value, which each hit compares.

use std::time::Duration;

use quick_cache::sync::Cache;

use super::{Key, Peer, Setup};

/// `quick_cache` with deadlines by the clock of the standard library.
pub struct TimedQuick<K: Key = u64> {
    cache: Cache<K, (K::Value, std::time::Instant)>,
    ttl: Duration,
}

/// `quick_cache` with deadlines by a coarse clock.
pub struct CoarseQuick<K: Key = u64> {
    cache: Cache<K, (K::Value, coarsetime::Instant)>,
    ttl: coarsetime::Duration,
}

macro_rules! peer {
    ($peer:ident, $name:literal, $now:expr) => {
        impl<K: Key> Peer<K> for $peer<K> {
            const NAME: &'static str = $name;

            fn new(setup: &Setup) -> Self {
                // (A year is for ever here.)
                let ttl = setup.ttl.unwrap_or(Duration::from_secs(31_536_000));
                Self { cache: Cache::new(setup.capacity), ttl: ttl.into() }
            }

            fn get(&self, key: &K) -> Option<K::Value> {
                self.cache.get(key).filter(|(_, deadline)| $now < *deadline).map(|(value, _)| value)
            }

            fn insert(&self, key: K, value: K::Value) {
                self.cache.insert(key, (value, $now + self.ttl));
            }

            fn remove(&self, key: &K) {
                self.cache.remove(key);
            }
        }
    };
}

peer!(TimedQuick, "quick_cache + deadline", std::time::Instant::now());
peer!(CoarseQuick, "quick_cache + deadline, coarse clock", coarsetime::Instant::now_without_cache_update());
