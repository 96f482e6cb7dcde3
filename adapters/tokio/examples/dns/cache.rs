//! How Larder is set up and asked.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hickory_proto::op::ResponseCode;

use super::{forwarder::Found, request::Question, response::Freshness, upstream::Upstream};

pub(crate) type SetupError = Infallible;

/// What the cache is told beside how long a client waits.
#[derive(Clone, Debug)]
pub(crate) struct CacheSettings {
    pub(crate) capacity: u64,
    pub(crate) load_budget: Option<Duration>,
    pub(crate) recheck: Duration,
    pub(crate) error_ttl: Duration,
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

#[derive(Debug)]
pub(crate) struct AnswerCache(Arc<Upstream>);
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) joins: u64,
    pub(crate) stale: u64,
}

impl AnswerCache {
    pub(crate) fn new(
        upstream: Arc<Upstream>,
        _settings: CacheSettings,
        _client_timeout: Duration,
    ) -> Result<Self, SetupError> {
        Ok(Self(upstream))
    }
    pub(crate) async fn find(&self, question: &Question) -> Result<Found, ResponseCode> {
        self.0
            .ask(question)
            .await
            .map(|answer| Found { answer: Arc::new(answer), freshness: Freshness::Fresh(Duration::ZERO) })
            .map_err(|e| e.code())
    }
    pub(crate) fn counts(&self) -> Counts {
        Counts::default()
    }
}
