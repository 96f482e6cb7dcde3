//! How Larder is set up and asked.
//!
//! Each rule of an HTTP cache is a setting, or what a load answers: a page and its `max-age`, or that the page which is
//! held is still good.

use std::{fmt, sync::Arc, time::Duration};

use larder_tokio::{ConfigError, LoadError, Loaded, Outcome, Previous, Revalidated, Stats, larder::Cache};

use super::{
    clock::{Skipping, SkippingTokio},
    origin::{Answer, Origin, OriginError, Page},
};

/// What the cache is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How many bytes are kept.
    pub(crate) capacity: u64,
    /// How long after its lifetime a page may be served while it is asked for anew.
    pub(crate) stale_while_revalidate: Duration,
    /// How long after its lifetime a page may be served because the origin fails.
    pub(crate) stale_if_error: Duration,
    /// How long the origin has for an answer.
    pub(crate) budget: Duration,
    /// How long an origin that has failed is left alone.
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

/// The pages that are known, and those that are under way.
pub(crate) struct PageCache(Cache<String, Arc<Page>, OriginError, SkippingTokio>);

/// A page and what there is to say about it.
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
            .weigher(|path, page| (path.len() + page.body.len()) as u64)
            .build()?;
        Ok(Self(cache))
    }

    /// Finds the page: in the cache, perhaps a stale one that is asked for anew meanwhile, or at the origin.
    pub(crate) async fn find(&self, path: &str) -> Result<Found, LoadError<OriginError>> {
        self.0.get_stale_spawn(path).await.map(|stale| stale.outcome)
    }

    /// Returns what happened so far.
    pub(crate) fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// Asks the origin, and whether the page that is held is still good.
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
