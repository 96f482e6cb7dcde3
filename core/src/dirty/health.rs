//! What is known about the back end from flushes that make room, and how often it is tried.

use alloc::vec::Vec;
use core::{mem, time::Duration};

use crate::Instant;

/// How many victims are tried in a row before the back end counts as failing.
pub(crate) const TRIES: usize = 4;

/// How many are flushed at once while it is not known whether the back end works.
pub(crate) const AT_ONCE: usize = 8;

/// How many failed entries are skipped at most.
const ASIDE: usize = 16;

/// How long a failing back end is not tried: at first, and at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delays {
    pub(crate) first: Duration,
    pub(crate) cap: Duration,
}

/// What is known about the back end.
pub(crate) struct Health {
    pub(super) delays: Delays,
    /// A flush has succeeded since the last time no room had to be made.
    works: bool,
    /// The rounds of the flushes that have failed since one succeeded, as far as they count.
    failed: Vec<u64>,
    /// The places of entries that could not be flushed: others are tried before them.
    pub(super) aside: Vec<u32>,
    /// Until when it is not tried, and how long that is.
    pub(super) outage: Option<(Instant, Duration)>,
}

/// What has to be flushed to make room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Nothing: there is a place, or what is there is clean.
    None,
    /// The entry at this place, which is dirty since this change.
    At(u32, u64),
    /// Nothing: all are pinned, or the caller is inside their flushes.
    NoneLeft,
    /// Nothing, because the back end has failed.
    Failed,
    /// That depends on the time.
    Ask,
}

impl Health {
    pub(super) const fn new(delays: Delays) -> Self {
        Self { delays, works: false, failed: Vec::new(), aside: Vec::new(), outage: None }
    }

    /// No room has to be made at the moment; returns what is not skipped any more.
    pub(super) fn rest(&mut self) -> Vec<u32> {
        self.works = false;
        if self.is_bad() { Vec::new() } else { mem::take(&mut self.aside) }
    }

    /// Returns whether some have failed since the last success.
    pub(crate) fn is_bad(&self) -> bool {
        !self.failed.is_empty()
    }

    /// A flush has succeeded. Failed entries are still skipped for callers that look for room at the moment.
    pub(super) fn succeed(&mut self) {
        self.works = true;
        self.failed.clear();
        self.outage = None;
    }

    /// A flush to make room has failed, in that round: if that counts, its entry is skipped from now on. Returns what is
    /// not skipped any more.
    pub(super) fn fail(&mut self, place: u32, round: u64, now: Instant) -> Option<Vec<u32>> {
        let is_over = self.outage.is_some_and(|(until, _)| until.reached(now));
        if self.failed.contains(&round) || self.outage.is_some() && !is_over {
            return None;
        }
        if self.failed.len() < TRIES {
            self.failed.push(round);
        }
        self.works = false;
        if is_over || self.failed.len() >= TRIES {
            self.leave_alone(now);
        }
        let back = if self.aside.len() < ASIDE { Vec::new() } else { mem::take(&mut self.aside) };
        self.aside.push(place);
        Some(back)
    }

    /// It is not tried from now on: first for the first delay, then for twice as long each time. That ends even if the
    /// clock has come to its end.
    pub(super) fn leave_alone(&mut self, now: Instant) {
        let Delays { first, cap } = self.delays;
        let delay = self.outage.map_or(first, |(_, delay)| delay.saturating_mul(2).min(cap));
        self.outage = Some((now.saturating_add(delay).told(), delay));
    }

    /// Returns whether it counts as failing. Who has just seen a failure gets that then, or would try for ever if there is
    /// no delay, or the clock runs fast.
    pub(crate) const fn is_out(&self) -> bool {
        self.outage.is_some()
    }

    /// Returns how many may be flushed at once; asks for the time if it is needed.
    pub(super) fn most(&self, now: Option<Instant>) -> Result<usize, Victim> {
        match (self.outage, now) {
            (None, _) if self.is_bad() => Ok(1),
            (None, _) => Ok(if self.works { usize::MAX } else { AT_ONCE }),
            (Some(_), None) => Err(Victim::Ask),
            (Some((until, _)), Some(now)) if until.reached(now) => Ok(1),
            (Some(_), Some(_)) => Err(Victim::Failed),
        }
    }
}

#[cfg(test)]
mod tests;
