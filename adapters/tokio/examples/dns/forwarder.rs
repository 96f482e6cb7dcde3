//! The service: takes a client's packet, finds the answer, writes the response.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use hickory_proto::op::ResponseCode;
use larder_tokio::{ConfigError, LoadError, Status};
use tokio::time::timeout;

use super::{
    allow::Networks,
    answer::of_any,
    cache::{AnswerCache, CacheSettings, Found},
    refusal::{Refusal, refusal},
    report::{Counters, Holdings, Report},
    request::{Junk, Request},
    response::{self, Freshness, explained},
    server::{AtHand, Client, Service},
    upstream::{Patience, Upstream, UpstreamError},
};

/// All that a forwarder is told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a client waits for an answer at most.
    pub(crate) client_timeout: Duration,
    /// None: every question goes to the upstream.
    pub(crate) cache: Option<CacheSettings>,
    pub(crate) patience: Patience,
    /// How many questions may be open at the upstreams.
    pub(crate) max_open: usize,
    /// Who is answered.
    pub(crate) allow: Networks,
}

/// A DNS forwarder, with a cache or without.
#[derive(Debug)]
pub(crate) struct Forwarder {
    upstream: Arc<Upstream>,
    cache: Option<AnswerCache>,
    client_timeout: Duration,
    allow: Networks,
    counters: Counters,
}

/// A code in place of an answer, and perhaps another that explains it.
type Failed = (ResponseCode, Option<u16>);

impl Forwarder {
    /// Makes a forwarder that asks these servers, the first one first.
    pub(crate) fn new(upstreams: &[SocketAddr], settings: Settings) -> Result<Self, ConfigError> {
        let Settings { client_timeout, cache, patience, max_open, allow } = settings;
        let upstream = Arc::new(Upstream::new(upstreams, patience, max_open, client_timeout));
        let cache = cache.map(|cache| AnswerCache::new(Arc::clone(&upstream), cache, client_timeout)).transpose()?;
        Ok(Self { upstream, cache, client_timeout, allow, counters: Counters::default() })
    }

    /// Returns what happened so far.
    pub(crate) fn report(&self) -> Report {
        self.counters.report(self.upstream.sent())
    }

    /// Returns what the cache holds.
    pub(crate) fn holdings(&self) -> Option<Holdings> {
        self.cache.as_ref().map(AnswerCache::holdings)
    }

    /// Describes what happened so far, and how things are.
    pub(crate) fn statistics(&self) -> impl fmt::Display {
        let held = self.holdings().map(|held| format!("\n{held}")).unwrap_or_default();
        format!("{}{held}{}", self.report(), self.upstream.describe())
    }

    async fn find(&self, request: &Request<'_>) -> Result<Found, Failed> {
        let question = request.question();
        if let Some(cache) = &self.cache {
            return cache.find(question).await.map_err(|error| explain(&error));
        }
        // (In a box: what it takes to ask is no part of what it takes to look.)
        match timeout(self.client_timeout, Box::pin(self.upstream.ask(question))).await {
            Ok(Ok(answer)) => {
                let freshness = Freshness::Fresh(Duration::ZERO);
                Ok(Found { answer: Arc::new(answer), freshness, status: Status::Miss })
            }
            Ok(Err(error)) => Err((error.code(), error.explained())),
            Err(_) => Err((ResponseCode::ServFail, Some(explained::NO_REPLY))),
        }
    }

    /// Writes what is said without asking anybody, if there is such.
    fn at_hand(&self, request: &Request<'_>, client: Client, out: &mut Vec<u8>) -> bool {
        let refused = if self.allow.contains(client.ip) {
            refusal(request)
        } else {
            Some(Refusal::Code(ResponseCode::Refused, Some(explained::PROHIBITED)))
        };
        if let Some(refused) = refused {
            self.counters.refused.fetch_add(1, Relaxed);
            match refused {
                Refusal::Code(code, explained) => response::failed(request, code, explained, out),
                Refusal::Small => match of_any(request.question()) {
                    Some(answer) => response::answered(request, &answer, FOR_EVER, client.over, out),
                    None => response::failed(request, ResponseCode::FormErr, None, out),
                },
            }
            return true;
        }
        if let Some(found) = self.cache.as_ref().and_then(|cache| cache.at_hand(request.question())) {
            self.counters.answered(found.status);
            response::answered(request, &found.answer, found.freshness, client.over, out);
            return true;
        }
        // Who wants no recursion wants to know what is here.
        if !request.wants_recursion() {
            self.counters.refused.fetch_add(1, Relaxed);
            response::failed(request, ResponseCode::Refused, None, out);
        }
        !request.wants_recursion()
    }
}

impl Service for Forwarder {
    fn answer_at_hand(&self, packet: &[u8], client: Client, out: &mut Vec<u8>) -> AtHand {
        match Request::parse(packet) {
            Ok(request) => {
                self.counters.questions.fetch_add(1, Relaxed);
                if self.at_hand(&request, client, out) { AtHand::Answer } else { AtHand::Wait }
            }
            Err(junk) => {
                self.counters.junk.fetch_add(1, Relaxed);
                match junk {
                    Junk::Silence => AtHand::Silence,
                    Junk::Rejection(header) => {
                        out.clear();
                        out.extend_from_slice(&header);
                        AtHand::Answer
                    }
                }
            }
        }
    }

    async fn answer(&self, packet: &[u8], client: Client) -> Option<Vec<u8>> {
        let request = Request::parse(packet).ok()?;
        let mut out = Vec::new();
        match self.find(&request).await {
            Ok(Found { answer, freshness, status }) => {
                self.counters.answered(status);
                response::answered(&request, &answer, freshness, client.over, &mut out);
            }
            Err((code, explained)) => response::failed(&request, code, explained, &mut out),
        }
        Some(out)
    }
}

/// Says what a client is told when there is neither an answer nor a stale one.
fn explain(error: &LoadError<UpstreamError>) -> Failed {
    match error.error() {
        Some(failure) if !error.is_cached() => (failure.code(), failure.explained()),
        Some(failure) => (failure.code(), Some(explained::KEPT_FAILURE)),
        None if error.is_cached() => (ResponseCode::ServFail, Some(explained::KEPT_FAILURE)),
        None => (ResponseCode::ServFail, Some(explained::NO_REPLY)),
    }
}

const FOR_EVER: Freshness = Freshness::Fresh(Duration::ZERO);
