//! How Larder is configured and called.

use std::{sync::Arc, time::Duration};

use super::{
    PRODUCTS, pass,
    store::{Down, Store},
};
use crate::{
    Adapter,
    larder::{Cache, OnTimeout, Stats},
};

/// How long a store that is down is not called again.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// The cached pages. Clones are the same cache.
#[derive(Clone)]
pub(super) struct Pages(Cache<u32, Arc<str>, Down>);

impl Pages {
    pub(super) fn new(runtime: Adapter, store: Arc<Store>) -> Self {
        let cache = Cache::builder(runtime)
            .capacity(10_000)
            .ttl(Duration::from_secs(60))
            // A caller that has waited this long gets a page that expired within the last hour.
            .lock_timeout(Duration::from_millis(200), OnTimeout::Stale)
            .stale_while_refresh(Duration::from_secs(60 * 60))
            // If the store is down, callers get a page that expired within the last day.
            .stale_if_error(Duration::from_secs(24 * 60 * 60))
            .error_ttl(RETRY)
            .load_fn(move |id: u32| {
                let store = Arc::clone(&store);
                async move { store.page(id).await }
            })
            // A load that all callers have left is finished and stored.
            .finish_abandoned()
            .build()
            .expect("the configuration is valid");
        Self(cache)
    }

    /// Returns the page of a product, possibly a stale one.
    pub(super) async fn page(&self, id: u32) -> Option<Arc<str>> {
        self.0.get(&id).await.ok()
    }

    /// Marks all pages as possibly out of date.
    pub(super) fn expire_all(&self) {
        for id in 0..PRODUCTS {
            self.0.expire(&id);
        }
    }

    /// Ends once nothing is being loaded.
    pub(super) async fn settled(&self, runtime: Adapter) {
        while self.stats().flights > 0 {
            pass(runtime, Duration::from_millis(1)).await;
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.0.stats()
    }
}
