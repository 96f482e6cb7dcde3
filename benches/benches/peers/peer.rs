//! The caches side by side, as the workloads see them.

use std::{future::Future, sync::Arc};

use larder::{
    Cache,
    parts::{NoTimer, Std, StdClock},
};

use crate::source::{Bare, Source};

/// A cache from numbers to numbers that reads through to a [`Source`].
pub(crate) trait Peer: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    fn new(capacity: usize, source: &Source) -> Self;

    fn get(&self, key: u64) -> Option<u64>;

    fn insert(&self, key: u64, value: u64);

    fn load(&self, key: u64) -> impl Future<Output = Option<u64>> + Send;
}

#[derive(Clone)]
pub(crate) struct Larder(Cache<u64, u64, (), Std<NoTimer<StdClock>>>);

impl Peer for Larder {
    const NAME: &'static str = "larder";

    fn new(capacity: usize, source: &Source) -> Self {
        let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
            .capacity(capacity as u64)
            .loader(source.clone())
            .build()
            .expect("a valid configuration");
        Self(cache)
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.0.get_if_present(&key)
    }

    fn insert(&self, key: u64, value: u64) {
        let _ = self.0.insert(key, value);
    }

    async fn load(&self, key: u64) -> Option<u64> {
        self.0.get(&key).await.ok()
    }
}

#[derive(Clone)]
pub(crate) struct Quick {
    cache: Arc<quick_cache::sync::Cache<u64, u64>>,
    source: Source,
}

impl Peer for Quick {
    const NAME: &'static str = "quick_cache";

    fn new(capacity: usize, source: &Source) -> Self {
        Self { cache: Arc::new(quick_cache::sync::Cache::new(capacity)), source: source.clone() }
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.cache.get(&key)
    }

    fn insert(&self, key: u64, value: u64) {
        self.cache.insert(key, value);
    }

    async fn load(&self, key: u64) -> Option<u64> {
        self.cache.get_or_insert_async(&key, async { Bare(self.source.answer(key)).await }).await.ok()
    }
}

/// Two caches in one: the peer has a type of its own for synchronous callers.
#[derive(Clone)]
pub(crate) struct Moka {
    direct: moka::sync::Cache<u64, u64>,
    through: moka::future::Cache<u64, u64>,
    source: Source,
}

impl Peer for Moka {
    const NAME: &'static str = "moka";

    fn new(capacity: usize, source: &Source) -> Self {
        Self {
            direct: moka::sync::Cache::new(capacity as u64),
            through: moka::future::Cache::new(capacity as u64),
            source: source.clone(),
        }
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.direct.get(&key)
    }

    fn insert(&self, key: u64, value: u64) {
        self.direct.insert(key, value);
    }

    async fn load(&self, key: u64) -> Option<u64> {
        self.through.try_get_with(key, async { Bare(self.source.answer(key)).await }).await.ok()
    }
}
