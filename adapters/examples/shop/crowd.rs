//! A thousand requests at once, and what became of them.

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

/// What became of the requests of one phase.
pub(super) struct Row {
    /// How many came back with the page they had asked for.
    pub(super) served: usize,
    pub(super) hits: u64,
    pub(super) stale: u64,
    /// How often the store was asked.
    pub(super) loads: u64,
}

impl Row {
    /// Lets the requests come, each in a task of its own, and prints what became of them.
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

/// Returns how many were served with the page they had asked for.
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
        assert!(runtime.spawn(request).is_ok(), "a runtime is at hand");
    }
    while ended.load(SeqCst) < REQUESTS {
        pass(runtime, Duration::from_millis(1)).await;
    }
    served.load(SeqCst)
}
