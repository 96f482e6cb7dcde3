//! A thousand requests at once, and how they ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use super::{PRODUCTS, pages::Pages, pass};
use crate::{
    Adapter,
    larder::{Spawn, Stats},
};

pub(super) const REQUESTS: usize = 1000;

/// The titles of the columns.
pub(super) const HEAD: &str = "phase                           hits   began  joined   stale  errors   loads      time";

/// How the requests of one phase ended.
pub(super) struct Row {
    /// How many got the page they had asked for.
    pub(super) served: usize,
    pub(super) hits: u64,
    pub(super) stale: u64,
    /// How often the store was called.
    pub(super) loads: u64,
}

impl Row {
    /// Spawns each request in its own task, and prints how they ended.
    pub(super) async fn of(phase: &str, runtime: Adapter, pages: &Pages) -> Self {
        let (before, begun) = (pages.stats(), Instant::now());
        let served = serve_all(runtime, pages).await;
        let (now, time) = (pages.stats(), begun.elapsed());
        let since = |count: fn(&Stats) -> u64| count(&now) - count(&before);
        let (hits, stale) = (since(|stats| stats.hits), since(|stats| stats.stale));
        let (joined, errors) = (since(|stats| stats.joined), since(|stats| stats.errors));
        let (began, loads) = (since(|stats| stats.misses + stats.expired), since(|stats| stats.loads_begun));
        println!(
            "{phase:<30} {hits:>5} {began:>7} {joined:>7} {stale:>7} {errors:>7} {loads:>7} {:>6} ms",
            time.as_millis(),
        );
        Self { served, hits, stale, loads }
    }
}

/// Returns how many got the page they had asked for.
async fn serve_all(runtime: Adapter, pages: &Pages) -> usize {
    let (served, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for id in (0..PRODUCTS).cycle().take(REQUESTS) {
        let (pages, served, ended) = (pages.clone(), Arc::clone(&served), Arc::clone(&ended));
        let request = async move {
            if pages.page(id).await.is_some_and(|page| page.contains(&format!("Product {id}<"))) {
                served.fetch_add(1, SeqCst);
            }
            ended.fetch_add(1, SeqCst);
        };
        assert!(runtime.spawn(request).is_ok(), "the runtime spawns it");
    }
    while ended.load(SeqCst) < REQUESTS {
        pass(runtime, Duration::from_millis(1)).await;
    }
    served.load(SeqCst)
}
