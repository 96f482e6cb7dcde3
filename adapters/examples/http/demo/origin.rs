//! The origin of the demonstration: a server with one page, which behaves well or badly.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
};
use tokio::{sync::watch, time::sleep};

use super::super::server::Service;

/// The `max-age` of the page.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(60);

/// How the origin behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// It answers after a moment.
    Good,
    /// It does not answer until the behaviour changes.
    Stalling,
    /// The same, and by then it has a new version of the page.
    Publishing,
    /// It answers with an error.
    Failing,
    /// It closes connections without an answer.
    HangingUp,
}

/// An HTTP server that behaves in this way, and counts requests.
#[derive(Debug)]
pub(crate) struct Scripted {
    day: watch::Sender<Day>,
    version: AtomicU64,
    /// The requests, and how they ended: "200", "304", or without an answer.
    counts: [AtomicU64; 4],
}

impl Scripted {
    pub(crate) fn new() -> Self {
        Self {
            day: watch::Sender::new(Day::Good),
            version: AtomicU64::new(1),
            counts: [const { AtomicU64::new(0) }; 4],
        }
    }

    /// Changes the behaviour.
    pub(crate) fn begin(&self, day: Day) {
        if day == Day::Publishing {
            self.version.fetch_add(1, Relaxed);
        }
        self.day.send_replace(day);
    }

    /// Returns the number of requests, and of those that ended with "200", with "304", and with a failure.
    pub(crate) fn counts(&self) -> [u64; 4] {
        self.counts.each_ref().map(|count| count.load(Relaxed))
    }

    fn count(&self, kind: usize) {
        self.counts[kind].fetch_add(1, Relaxed);
    }

    fn page(&self, path: &str, tag: Option<&str>) -> Response<Full<Bytes>> {
        let version = self.version.load(Relaxed);
        let etag = format!("\"{version}\"");
        let is_current = tag == Some(etag.as_str());
        self.count(if is_current { NOT_MODIFIED } else { OK });
        let control = match path {
            "/no-store" => "no-store".to_owned(),
            "/max-age-0" => "max-age=0".to_owned(),
            _ => format!("max-age={}", MAX_AGE.as_secs()),
        };
        let (status, body) = match is_current {
            true => (StatusCode::NOT_MODIFIED, Bytes::new()),
            false => (StatusCode::OK, format!("{path}, version {version}\n").into()),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        for (name, value) in [(CACHE_CONTROL, control), (ETAG, etag)] {
            response.headers_mut().extend(value.try_into().ok().map(|value| (name, value)));
        }
        response
    }
}

impl Service for Scripted {
    async fn answer(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        self.count(REQUESTS);
        let tag = request.headers().get(IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
        let day = *self.day.borrow();
        match day {
            Day::Failing => {
                self.count(FAILED);
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                return Some(response);
            }
            Day::HangingUp => {
                self.count(FAILED);
                return None;
            }
            Day::Stalling | Day::Publishing => {
                self.day.subscribe().wait_for(|now| *now != day).await.ok()?;
            }
            Day::Good => sleep(LATENCY).await,
        }
        Some(self.page(request.uri().path(), tag))
    }
}

/// How long it takes to answer.
const LATENCY: Duration = Duration::from_millis(100);

const REQUESTS: usize = 0;
const OK: usize = 1;
const NOT_MODIFIED: usize = 2;
const FAILED: usize = 3;
