//! How Larder is configured and called.
//!
//! Each rule of an HTTP cache is a setting, or an answer of a load: a page with its `max-age`, or that the cached page
//! is still good.

use std::{fmt, sync::Arc, time::Duration};

use larder_tokio::{ConfigError, LoadError, Loaded, Outcome, Previous, Revalidated, Stats, larder::Cache};

use super::{
    clock::{Skipping, SkippingTokio},
    origin::{Answer, Origin, OriginError, Page},
};

/// The settings of the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How many bytes are kept.
    pub(crate) capacity: u64,
    /// How long an expired page may be served while it is refreshed.
    pub(crate) stale_while_revalidate: Duration,
    /// How long an expired page may be served if the origin fails.
    pub(crate) stale_if_error: Duration,
    /// How long a request to the origin may take.
    pub(crate) budget: Duration,
    /// How long an origin that has failed is not asked again.
    pub(crate) recheck: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            capacity: 64 << 20,
            stale_while_revalidate: Duration::from_secs(30),
            stale_if_error: Duration::from_secs(600),
            budget: Duration::from_secs(10),
            recheck: Duration::from_secs(5),
        }
    }
}

/// The cached pages, and those being loaded.
pub(crate) struct PageCache(Cache<String, Arc<Page>, OriginError, SkippingTokio>);

/// A page and how it was found.
pub(crate) type Found = Outcome<Arc<Page>, OriginError>;

impl PageCache {
    pub(crate) fn new(clock: Skipping, origin: Origin, settings: Settings) -> Result<Self, ConfigError> {
        let Settings { capacity, stale_while_revalidate, stale_if_error, budget, recheck } = settings;
        let origin = Arc::new(origin);
        let cache = Cache::builder(SkippingTokio::with_clock(clock))
            .capacity(capacity)
            .stale_while_refresh(stale_while_revalidate)
            .stale_if_error(stale_if_error)
            .load_budget(budget)
            .error_ttl(recheck)
            .revalidate_fn(move |path: String, previous| {
                let origin = Arc::clone(&origin);
                async move { load(&origin, &path, previous).await }
            })
            .weigher(|path, page| (path.len() + page.size()) as u64)
            .build()?;
        Ok(Self(cache))
    }

    /// Returns the page from the cache or the origin; a stale page is refreshed in the background.
    pub(crate) async fn find(&self, path: &str) -> Result<Found, LoadError<OriginError>> {
        self.0.get_stale_spawn(path).await.map(|stale| stale.outcome)
    }

    /// Returns what happened so far.
    pub(crate) fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// Loads the page from the origin, or asks whether the cached one is still good.
async fn load(
    origin: &Origin,
    path: &str,
    previous: Option<Previous<Arc<Page>>>,
) -> Result<Revalidated<Arc<Page>>, OriginError> {
    let previous = previous.map(Previous::into_value);
    Ok(match origin.ask(path, previous.as_deref()).await? {
        Answer::Page(page) => Loaded::new(Arc::clone(&page)).ttl(page.lifetime).into(),
        Answer::NotModified(lifetime) => Revalidated::Unchanged(lifetime),
    })
}

impl fmt::Debug for PageCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCache").field("stats", &self.stats()).finish()
    }
}
