//! How Larder is set up and asked.
//!
//! Serve-stale (RFC 8767) asks for four timers. Each is a setting of the cache, and so is the memory of failures; that
//! identical questions share one answer goes without saying. What is left to write is one rule: how long a failure
//! counts that no stale answer stands behind (RFC 9520).

use std::{fmt, sync::Arc, time::Duration};

use hickory_proto::op::ResponseCode;
use larder_tokio::{
    Cache, Clock, ConfigError, LoadError, Loaded, LookupOptions, OnTimeout, Outcome, Status, Tokio, Ttl,
};

use super::{
    answer::Answer,
    forwarder::Found,
    request::Question,
    response::Freshness,
    upstream::{Upstream, UpstreamError},
};

/// What the cache is told, beside how long a client waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSettings {
    /// How many answers are kept.
    pub(crate) capacity: u64,
    /// How long the upstream has for an answer; as long as a client waits if not said.
    pub(crate) load_budget: Option<Duration>,
    /// How long an upstream that failed is left alone where there is a stale answer.
    pub(crate) recheck: Duration,
    /// The same where there is none; never longer than `recheck`.
    pub(crate) error_ttl: Duration,
    /// How long after its TTL an answer may still be served.
    pub(crate) max_stale: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            capacity: 100_000,
            load_budget: None,
            recheck: Duration::from_secs(30),
            error_ttl: Duration::from_secs(5),
            max_stale: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The answers that are known, and the questions that are under way.
pub(crate) struct AnswerCache {
    cache: Cache<Question, Arc<Answer>, UpstreamError>,
    recheck: Duration,
    error_ttl: Duration,
}

impl AnswerCache {
    pub(crate) fn new(
        upstream: Arc<Upstream>,
        settings: CacheSettings,
        client_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let CacheSettings { capacity, load_budget, recheck, error_ttl, max_stale } = settings;
        let cache = Cache::builder(Tokio::new())
            .capacity(capacity)
            // The client response timer: who has waited so long gets the stale answer, or an error if there is none.
            .lock_timeout(client_timeout, OnTimeout::Stale)
            .stale_while_refresh(max_stale)
            // The query resolution timer.
            .load_budget(load_budget.unwrap_or(client_timeout))
            // The failure recheck timer and the maximum stale timer: until the recheck, stale answers come at once.
            .error_ttl(recheck)
            .stale_if_error(max_stale)
            .loaded_fn(move |question: Question| {
                let upstream = Arc::clone(&upstream);
                async move { upstream.ask(&question).await.map(keep) }
            })
            // Where the budget is longer than a client waits, a late answer serves the next one.
            .finish_abandoned()
            .build()?;
        Ok(Self { cache, recheck, error_ttl })
    }

    /// Finds the answer: in the cache, at the upstream, or else a stale one.
    pub(crate) async fn find(&self, question: &Question) -> Result<Found, ResponseCode> {
        let mut found = self.cache.lookup(question).await;
        if found.as_ref().is_err_and(|error| self.is_worth_another_try(error)) {
            found = self.cache.lookup(question).options(LookupOptions::new().reload()).await;
        }
        found.map(Found::from).map_err(|error| error.error().map_or(ResponseCode::ServFail, UpstreamError::code))
    }

    /// Tells whether a failure is kept from an earlier question, and for longer than the error TTL.
    ///
    /// The cache keeps all failures for the recheck time, which suits clients who get a stale answer meanwhile. One
    /// who gets an error has nothing behind it, and should not have to wait that long.
    fn is_worth_another_try(&self, error: &LoadError<UpstreamError>) -> bool {
        let failure = error.failure().filter(|failure| failure.is_cached());
        failure.and_then(|failure| failure.retry_at()).is_some_and(|recheck| {
            let age = self.recheck.saturating_sub(recheck.saturating_since(self.cache.runtime().now()));
            age >= self.error_ttl
        })
    }

    /// Returns how lookups ended so far.
    pub(crate) fn counts(&self) -> Counts {
        let stats = self.cache.stats();
        Counts { hits: stats.hits, joins: stats.joined, stale: stats.stale }
    }
}

/// Says how long the cache may keep an answer.
fn keep(answer: Answer) -> Loaded<Arc<Answer>> {
    let ttl = answer.lifetime.map_or(Ttl::NotStored, Ttl::For);
    Loaded::new(Arc::new(answer)).ttl(ttl)
}

impl From<Outcome<Arc<Answer>, UpstreamError>> for Found {
    fn from(outcome: Outcome<Arc<Answer>, UpstreamError>) -> Self {
        let freshness = match outcome.status() {
            Status::Stale(_) => Freshness::Stale,
            _ => Freshness::Fresh(outcome.age()),
        };
        Self { freshness, answer: outcome.into_value() }
    }
}

impl fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCache").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// How lookups ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) joins: u64,
    pub(crate) stale: u64,
}
