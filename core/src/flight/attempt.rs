//! One attempt to load a key.

use super::PolledBy;
use crate::{Instant, Ttl};

/// What the caller that begins an attempt wants for what it stores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
}

/// How an attempt begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Its load is made by the caller at once.
    Made,
    /// Its load is made by the caller that drives it first.
    Unmade,
    /// Its load belongs to the caller, which polls it at once.
    Lent,
    /// Its load is one of many keys.
    Batch,
}

/// Where the load of an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not made yet.
    Unmade,
    /// At rest: it may be taken and polled.
    Rest,
    /// With a caller that makes or polls it.
    Out,
    /// With the caller that lent it, between two polls.
    Lent,
    /// With the caller that lent it, which polls it.
    LentOut,
    /// A part of a load of many keys.
    Batch,
    /// It has ended, but only for the caller that began it, which does not know yet.
    Ended,
    /// Nothing is left of it.
    Over,
}

/// One attempt to load a key; its load is stored beside it, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) begun: Instant,
    pub(crate) terms: Terms,
    pub(super) state: State,
    /// The caller that began it still waits for it.
    pub(super) is_owned: bool,
    /// Its load was made.
    pub(super) is_started: bool,
    /// Its load is counted elsewhere: it is another attempt's as well, in a newer epoch of the key.
    pub(crate) is_twin: bool,
    /// Its load is to be polled.
    pub(super) is_due: bool,
    /// Its load is polled with the waker of all.
    pub(super) is_shared: bool,
    /// Which caller polls it, as long as it is out.
    pub(super) polled_by: PolledBy,
}

impl Attempt {
    #[inline]
    pub(crate) const fn new(number: u32, begun: Instant, terms: Terms, start: Start, polled_by: PolledBy) -> Self {
        let (state, is_started) = match start {
            Start::Made => (State::Out, true),
            Start::Unmade => (State::Unmade, false),
            Start::Lent => (State::LentOut, true),
            Start::Batch => (State::Batch, true),
        };
        Self {
            number,
            begun,
            terms,
            state,
            is_owned: true,
            is_started,
            is_twin: false,
            is_due: false,
            is_shared: false,
            polled_by,
        }
    }

    /// May it still answer?
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.state, State::Ended | State::Over)
    }

    /// Has its load been made?
    pub(crate) const fn has_begun(&self) -> bool {
        self.is_started
    }

    /// Does it go on without a waiter: for other keys of its load, or for a caller of an older epoch that has lent it?
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self.state, State::Batch) || (self.is_twin && self.is_lent())
    }

    /// Does its load stay with a caller?
    pub(crate) const fn is_lent(&self) -> bool {
        matches!(self.state, State::Lent | State::LentOut)
    }

    /// Is its load made, not over, and counted here?
    pub(crate) const fn is_running(&self) -> bool {
        self.is_started && !self.is_twin && self.is_live()
    }
}
