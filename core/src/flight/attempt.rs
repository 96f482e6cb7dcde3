//! One attempt at loading a key.

use crate::{Failure, Instant, Ttl};

/// What the call that began an attempt asks of the value: it counts if this attempt is the one published.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
}

/// How an attempt begins.
pub enum Start<F> {
    /// The cache's loader is asked by whoever drives first.
    Fresh,
    /// The load is here, and has not been polled.
    Ready(F),
    /// The load stays with its caller, who alone can poll it.
    Lent,
    /// The caller has still to make its load, which will rest in the flight.
    Later,
}

impl<F> Start<F> {
    pub(crate) fn map<G>(self, f: impl FnOnce(F) -> G) -> Start<G> {
        match self {
            Self::Fresh => Start::Fresh,
            Self::Ready(load) => Start::Ready(f(load)),
            Self::Lent => Start::Lent,
            Self::Later => Start::Later,
        }
    }
}

/// One numbered attempt of a flight.
pub(crate) struct Attempt<F, E, W> {
    pub(crate) number: u32,
    pub(crate) begun: Instant,
    pub(crate) terms: Terms,
    /// Whether the caller who began it still waits.
    pub(super) owned: bool,
    /// Whether its load has been polled, or is about to be.
    pub(super) started: bool,
    /// Whether its load was last polled with the waker that wakes everybody.
    pub(super) shared: bool,
    pub(super) state: State<F, E, W>,
}

/// Where an attempt's load is.
pub(super) enum State<F, E, W> {
    /// When the loader has not been asked.
    Fresh,
    /// When the load rests in the flight.
    Idle(F),
    /// When somebody polls the load right now, who is polled with this waker.
    Out(W),
    /// When the load is with the caller who began it; the waker is there while he polls it.
    Lent(Option<W>),
    /// When it failed while others were in flight, and its beginner has yet to be told.
    Failed(Failure<E>),
    /// When it is over.
    Over,
}

impl<F, E, W> Attempt<F, E, W> {
    pub(super) fn new(number: u32, begun: Instant, terms: Terms, start: Start<F>) -> Self {
        let started = matches!(start, Start::Lent);
        let state = match start {
            Start::Fresh => State::Fresh,
            Start::Ready(load) => State::Idle(load),
            Start::Lent | Start::Later => State::Lent(None),
        };
        Self { number, begun, terms, owned: true, started, shared: false, state }
    }

    /// Tells whether this attempt may still answer.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self.state, State::Fresh | State::Idle(_) | State::Out(_) | State::Lent(_))
    }

    /// Tells whether a load runs in this attempt.
    pub(super) const fn is_running(&self) -> bool {
        self.started && self.is_live()
    }

    /// Ends this attempt if it is live; returns its load if that rests here, and whether a running one was thrown away.
    ///
    /// The waker in the state of a load that is being polled is a copy of the one that its caller is polled with, never
    /// the last.
    pub(super) fn end(&mut self) -> (Option<F>, bool) {
        if !self.is_live() {
            return (None, false);
        }
        let dropped = self.is_running();
        let load = match core::mem::replace(&mut self.state, State::Over) {
            State::Idle(load) => Some(load),
            _ => None,
        };
        (load, dropped)
    }
}
