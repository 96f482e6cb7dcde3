//! How Larder is set up and asked.
//!
//! Serve-stale (RFC 8767) asks for four timers. Each is a setting of the cache, and so are the memory of failures and the
//! refresh ahead of time; that identical questions share one answer goes without saying. What is left to write are two
//! rules: how long a failure counts that no stale answer stands behind (RFC 9520), and that a client need not wait for
//! what another one has waited for already.

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Waker},
    time::Duration,
};

use larder_tokio::{
    Cache, Clock, ConfigError, Instant, LoadError, Loaded, LookupOptions, OnTimeout, Outcome, Status, TimeLeft, Tokio,
    Ttl,
};

use super::{
    answer::Answer,
    question::Question,
    report::Holdings,
    response::Freshness,
    upstream::{Upstream, UpstreamError},
};

/// What the cache is told, beside how long a client waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSettings {
    /// How many bytes the answers may take.
    pub(crate) memory: u64,
    /// How long the upstream has for an answer, however long a client waits.
    pub(crate) load_budget: Duration,
    /// How long an upstream that failed is left alone where there is a stale answer.
    pub(crate) recheck: Duration,
    /// The same where there is none; never longer than `recheck`.
    pub(crate) error_ttl: Duration,
    /// How long after its TTL an answer may still be served.
    pub(crate) max_stale: Duration,
    /// How long before its TTL ends an answer that is asked for is fetched anew; zero if never.
    pub(crate) prefetch: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            load_budget: Duration::from_secs(10),
            recheck: Duration::from_secs(30),
            error_ttl: Duration::from_secs(5),
            max_stale: Duration::from_secs(24 * 60 * 60),
            prefetch: Duration::ZERO,
        }
    }
}

/// The answers that are known, and the questions that are under way.
pub(crate) struct AnswerCache {
    cache: Cache<Vec<u8>, Arc<Answer>, UpstreamError>,
    settings: CacheSettings,
    client_timeout: Duration,
}

/// An answer for one client, and how it was come by.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) answer: Arc<Answer>,
    pub(crate) freshness: Freshness,
    pub(crate) status: Status,
}

impl AnswerCache {
    pub(crate) fn new(
        upstream: Arc<Upstream>,
        settings: CacheSettings,
        client_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let CacheSettings { memory, load_budget, recheck, max_stale, prefetch, .. } = settings;
        let mut builder = Cache::builder(Tokio::new())
            .capacity(memory / BLOCK)
            .weigher(|key: &Vec<u8>, answer: &Arc<Answer>| {
                let bytes = key.capacity() + answer.weight() + ENTRY;
                (bytes as u64).div_ceil(BLOCK)
            })
            // The client response timer: who has waited so long gets the stale answer, or an error if there is none.
            .lock_timeout(client_timeout, OnTimeout::Stale)
            .stale_while_refresh(max_stale)
            // The query resolution timer.
            .load_budget(load_budget)
            // The failure recheck timer and the maximum stale timer: until the recheck, stale answers come at once.
            .error_ttl(recheck)
            .stale_if_error(max_stale)
            // What says nothing of the question is not kept.
            .error_ttl_by(|error: &UpstreamError| error.is_own().then_some(Duration::ZERO))
            .loaded_fn(move |key: Vec<u8>| {
                let upstream = Arc::clone(&upstream);
                async move { upstream.ask(Question(&key)).await.map(keep) }
            })
            // The budget is longer than a client waits: a late answer serves the next one.
            .finish_abandoned();
        if !prefetch.is_zero() {
            builder = builder.refresh_ahead(prefetch);
        }
        Ok(Self { cache: builder.build()?, settings, client_timeout })
    }

    /// Returns the answer if it is at hand and fresh.
    pub(crate) fn at_hand(&self, question: Question<'_>) -> Option<Found> {
        let found = self.cache.lookup_if_present(question.0)?;
        if matches!(found.time_left(), TimeLeft::For(left) if left <= self.settings.prefetch) {
            // This has the answer at once, too, and the first one to come has it fetched anew.
            let _ = pin!(self.cache.get_stale_spawn(question.0)).poll(&mut Context::from_waker(Waker::noop()));
        }
        Some(found.into())
    }

    /// Finds the answer: in the cache, at the upstream, or else a stale one.
    pub(crate) async fn find(&self, question: Question<'_>) -> Result<Found, LoadError<UpstreamError>> {
        let options = LookupOptions::new().lock_timeout(self.patience(question), OnTimeout::Stale);
        let mut found = self.cache.lookup(question.0).options(options).await;
        if found.as_ref().is_err_and(|error| self.is_worth_another_try(error)) {
            found = self.cache.lookup(question.0).options(options.reload()).await;
        }
        found.map(Found::from)
    }

    /// Returns how long a client waits for something newer than what there is: what others have waited counts.
    fn patience(&self, question: Question<'_>) -> Duration {
        let Some(stale) = self.cache.peek(question.0) else {
            return self.client_timeout;
        };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // (Never zero, which stands for nobody.)
        let now = 1 + milliseconds(self.cache.runtime().now().saturating_since(Instant::ZERO));
        let since = &stale.value().awaited_since;
        let waited = match since.load(Relaxed) {
            0 => None,
            since => Some(now.saturating_sub(since)),
        };
        let waited = waited.filter(|&waited| waited < milliseconds(self.settings.load_budget)).unwrap_or_else(|| {
            since.store(now, Relaxed);
            0
        });
        self.client_timeout.saturating_sub(Duration::from_millis(waited))
    }

    /// Tells whether a failure is kept from an earlier question, and for longer than the error TTL.
    ///
    /// The cache keeps all failures for the recheck time, which suits clients who get a stale answer meanwhile. One
    /// who gets an error has nothing behind it, and should not have to wait that long.
    fn is_worth_another_try(&self, error: &LoadError<UpstreamError>) -> bool {
        let failure = error.failure().filter(|failure| failure.is_cached());
        failure.and_then(|failure| failure.retry_at()).is_some_and(|recheck| {
            let age = self.settings.recheck.saturating_sub(recheck.saturating_since(self.cache.runtime().now()));
            age >= self.settings.error_ttl
        })
    }

    /// Returns what is held, and what is under way.
    pub(crate) fn holdings(&self) -> Holdings {
        let stats = self.cache.stats();
        let (memory, limit) = (self.cache.weight() * BLOCK, self.cache.capacity() * BLOCK);
        Holdings { answers: stats.held, memory, limit, loads: stats.loads_in_flight }
    }
}

/// Says how long the cache may keep an answer.
fn keep(answer: Answer) -> Loaded<Arc<Answer>> {
    let ttl = answer.lifetime().map_or(Ttl::NotStored, Ttl::For);
    Loaded::new(Arc::new(answer)).ttl(ttl)
}

impl From<Outcome<Arc<Answer>, UpstreamError>> for Found {
    fn from(outcome: Outcome<Arc<Answer>, UpstreamError>) -> Self {
        let status = outcome.status();
        let freshness = match status {
            Status::Stale(_) => Freshness::Stale,
            _ => Freshness::Fresh(outcome.age()),
        };
        Self { freshness, status, answer: outcome.into_value() }
    }
}

impl fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCache").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Weights count blocks of so many bytes, since a kept failure weighs 1 whatever the unit is.
const BLOCK: u64 = 128;

/// What an entry takes beside key and answer: its place in the store, and what the allocator loses around it. Measured, as
/// the resident memory of 800 000 small answers.
const ENTRY: usize = 496;
