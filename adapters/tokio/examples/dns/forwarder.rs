//! The service: takes a client's packet, finds the answer, writes the response.

use std::{
    fmt,
    net::SocketAddr,
    ops::Sub,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hickory_proto::{op::ResponseCode, rr::RecordType};
use larder_tokio::ConfigError;
use tokio::time::timeout;

use super::{
    answer::Answer,
    cache::{AnswerCache, CacheSettings},
    request::{Junk, Request},
    response::{self, Freshness},
    server::{Service, Transport},
    upstream::{Patience, Upstream},
};

/// All that a forwarder is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long a client waits for an answer at most.
    pub(crate) client_timeout: Duration,
    /// None: every question goes to the upstream.
    pub(crate) cache: Option<CacheSettings>,
    pub(crate) patience: Patience,
}

/// A DNS forwarder, with a cache or without.
#[derive(Debug)]
pub(crate) struct Forwarder {
    upstream: Arc<Upstream>,
    cache: Option<AnswerCache>,
    client_timeout: Duration,
    counters: Counters,
}

/// An answer for one client, with its age.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) answer: Arc<Answer>,
    pub(crate) freshness: Freshness,
}

impl Forwarder {
    /// Makes a forwarder that asks the server at `upstream`.
    pub(crate) fn new(upstream: SocketAddr, settings: Settings) -> Result<Self, ConfigError> {
        let Settings { client_timeout, cache, patience } = settings;
        let upstream = Arc::new(Upstream::new(upstream, patience));
        let cache = cache.map(|cache| AnswerCache::new(Arc::clone(&upstream), cache, client_timeout)).transpose()?;
        Ok(Self { upstream, cache, client_timeout, counters: Counters::default() })
    }

    /// Returns what happened so far.
    pub(crate) fn report(&self) -> Report {
        let cache = self.cache.as_ref().map(AnswerCache::counts).unwrap_or_default();
        Report {
            questions: self.counters.questions.load(Relaxed),
            answered: self.counters.answered.load(Relaxed),
            junk: self.counters.junk.load(Relaxed),
            upstream: self.upstream.sent(),
            hits: cache.hits,
            joins: cache.joins,
            stale: cache.stale,
        }
    }

    async fn respond(&self, request: &Request, over: Transport) -> Vec<u8> {
        if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
            return response::failed(request, ResponseCode::BADVERS, over);
        }
        // Zone transfers are not single answers, so nothing that a cache of answers could keep.
        if matches!(request.question.kind, RecordType::AXFR | RecordType::IXFR) {
            return response::failed(request, ResponseCode::NotImp, over);
        }
        match self.find(request).await {
            Ok(Found { answer, freshness }) => {
                self.counters.answered.fetch_add(1, Relaxed);
                response::answered(request, &answer, freshness, over)
            }
            Err(code) => response::failed(request, code, over),
        }
    }

    async fn find(&self, request: &Request) -> Result<Found, ResponseCode> {
        if let Some(cache) = &self.cache {
            return cache.find(&request.question).await;
        }
        match timeout(self.client_timeout, self.upstream.ask(&request.question)).await {
            Ok(Ok(answer)) => Ok(Found { answer: Arc::new(answer), freshness: Freshness::Fresh(Duration::ZERO) }),
            Ok(Err(error)) => Err(error.code()),
            Err(_) => Err(ResponseCode::ServFail),
        }
    }
}

impl Service for Forwarder {
    async fn answer(&self, packet: &[u8], over: Transport) -> Option<Vec<u8>> {
        match Request::parse(packet) {
            Ok(request) => {
                self.counters.questions.fetch_add(1, Relaxed);
                Some(self.respond(&request, over).await)
            }
            Err(junk) => {
                self.counters.junk.fetch_add(1, Relaxed);
                match junk {
                    Junk::Silence => None,
                    Junk::Rejection(header) => Some(header.to_vec()),
                }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    questions: AtomicU64,
    answered: AtomicU64,
    junk: AtomicU64,
}

/// What a forwarder did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) questions: u64,
    /// Those that got an answer; the others got an error code.
    pub(crate) answered: u64,
    pub(crate) junk: u64,
    /// Questions sent to the upstream, repeated ones included.
    pub(crate) upstream: u64,
    pub(crate) hits: u64,
    pub(crate) joins: u64,
    pub(crate) stale: u64,
}

impl Sub for Report {
    type Output = Self;

    /// Returns what happened since an earlier report.
    fn sub(self, earlier: Self) -> Self {
        Self {
            questions: self.questions - earlier.questions,
            answered: self.answered - earlier.answered,
            junk: self.junk - earlier.junk,
            upstream: self.upstream - earlier.upstream,
            hits: self.hits - earlier.hits,
            joins: self.joins - earlier.joins,
            stale: self.stale - earlier.stale,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, answered, junk, upstream, hits, joins, stale } = self;
        write!(
            f,
            "{questions} questions, {answered} answered: {hits} from the cache, {joins} by joining another's question, \
             {stale} stale; {upstream} questions to the upstream; {junk} bad packets"
        )
    }
}
