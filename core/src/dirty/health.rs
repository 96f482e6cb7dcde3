//! What is known of the back end by the flushes that were to make room, and how often it is asked.

use alloc::vec::Vec;
use core::{mem, time::Duration};

use crate::Instant;

/// So many victims are tried in a row before the back end counts as failing.
pub(crate) const TRIES: usize = 4;

/// So many are flushed at once while it is not known whether it works.
pub(crate) const AT_ONCE: usize = 8;

/// So many that have failed are passed over at the most.
const ASIDE: usize = 16;

/// How long a back end that fails is left alone: at first, and at the most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delays {
    pub(crate) first: Duration,
    pub(crate) cap: Duration,
}

/// What is known of the back end.
pub(crate) struct Health {
    pub(super) delays: Delays,
    /// It has worked since there was nothing to be made room for.
    works: bool,
    /// The rounds of the flushes that have failed since one succeeded, as far as they count.
    failed: Vec<u64>,
    /// The places of what could not be flushed: others are tried before them.
    pub(super) aside: Vec<u32>,
    /// Until when it is left alone, and how long that is.
    pub(super) outage: Option<(Instant, Duration)>,
}

/// What has to be flushed to make room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Nothing: there is a place, or what stands there is clean.
    None,
    /// The entry at this place, which is dirty since this change.
    At(u32, u64),
    /// Nothing: all are pinned, or the caller is inside of their flushes.
    NoneLeft,
    /// Nothing, as the back end has failed.
    Failed,
    /// That depends on the time.
    Ask,
}

impl Health {
    pub(super) const fn new(delays: Delays) -> Self {
        Self { delays, works: false, failed: Vec::new(), aside: Vec::new(), outage: None }
    }

    /// Nothing has to be made room for at the moment; returns what is not passed over any more.
    pub(super) fn rest(&mut self) -> Vec<u32> {
        self.works = false;
        if self.is_bad() { Vec::new() } else { mem::take(&mut self.aside) }
    }

    /// Tells whether some have failed since one succeeded.
    pub(crate) fn is_bad(&self) -> bool {
        !self.failed.is_empty()
    }

    /// A flush has succeeded. What has failed stays passed over for those who look for room at the moment.
    pub(super) fn succeed(&mut self) {
        self.works = true;
        self.failed.clear();
        self.outage = None;
    }

    /// A flush that was to make room has failed, of that round; returns what is not passed over any more.
    pub(super) fn fail(&mut self, place: u32, round: u64, now: Instant) -> Vec<u32> {
        let is_over = self.outage.is_some_and(|(until, _)| until.reached(now));
        if self.failed.contains(&round) || self.outage.is_some() && !is_over {
            return Vec::new();
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
        back
    }

    /// It is left alone from now on: first for the first delay, then for twice as long each time.
    pub(super) fn leave_alone(&mut self, now: Instant) {
        let Delays { first, cap } = self.delays;
        let delay = self.outage.map_or(first, |(_, delay)| delay.saturating_mul(2).min(cap));
        self.outage = Some((now.saturating_add(delay), delay));
    }

    /// Tells how many may be flushed at once; the time is asked for where it is needed.
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
