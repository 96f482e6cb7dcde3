//! The provider of the demonstration: it issues tokens, or does not, and knows which are good.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
};
use larder_smol::{Clock, Instant, ManualClock};
use smol::Timer;

use super::super::http::Service;

/// How long a token is good.
pub(crate) const LIFETIME: Duration = Duration::from_secs(100);

/// How the provider behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// It answers.
    Good,
    /// It does not answer until the behaviour changes.
    Stalling,
    /// It answers with an error.
    Failing,
    /// It issues tokens that have already expired.
    HandingOutExpired,
    /// It answers, but has revoked all its tokens.
    TakingBack,
}

/// An HTTP server that behaves in this way.
pub(crate) struct Scripted {
    clock: ManualClock,
    state: Mutex<State>,
}

struct State {
    day: Day,
    /// When each token expires.
    good: BTreeMap<String, Instant>,
    asked: u64,
    issued: u64,
    last_asked: Instant,
}

impl Scripted {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let state = State { day: Day::Good, good: BTreeMap::new(), asked: 0, issued: 0, last_asked: Instant::ZERO };
        Self { clock, state: Mutex::new(state) }
    }

    /// Changes the behaviour.
    pub(crate) fn begin(&self, day: Day) {
        self.with(|state| {
            state.day = day;
            if day == Day::TakingBack {
                state.good.clear();
            }
        });
    }

    /// Returns how it behaves now.
    pub(crate) fn day(&self) -> Day {
        self.with(|state| state.day)
    }

    /// Returns whether the server accepts this token.
    pub(crate) fn is_good(&self, token: &str) -> bool {
        let until = self.with(|state| state.good.get(token).copied());
        until.is_some_and(|until| self.clock.now() < until)
    }

    /// Returns how many tokens were asked for, and how many issued.
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.with(|state| (state.asked, state.issued))
    }

    /// Returns when a token was last asked for.
    pub(crate) fn last_asked(&self) -> Instant {
        self.with(|state| state.last_asked)
    }

    fn issue(&self, lifetime: Duration) -> Response<Full<Bytes>> {
        let until = self.clock.now().saturating_add(lifetime);
        let token = self.with(|state| {
            state.issued += 1;
            let token = format!("token-{}", state.issued);
            state.good.insert(token.clone(), until);
            token
        });
        Response::new(Full::from(format!("access_token={token}&expires_in={}", lifetime.as_secs())))
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service for Scripted {
    async fn answer(&self, _: Request<Incoming>) -> Response<Full<Bytes>> {
        let now = self.clock.now();
        self.with(|state| (state.asked, state.last_asked) = (state.asked + 1, now));
        while self.day() == Day::Stalling {
            Timer::after(Duration::from_millis(1)).await;
        }
        match self.day() {
            Day::Failing => {
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
            }
            Day::HandingOutExpired => self.issue(Duration::ZERO),
            Day::Good | Day::Stalling | Day::TakingBack => self.issue(LIFETIME),
        }
    }
}
