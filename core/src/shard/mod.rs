//! One shard: its values, its kept failures and its flights, and every decision about them. Pure.
//!
//! The shell locks a shard, calls one of these methods with the time and what the caller asks, unlocks, and only then
//! wakes, tells and drops what comes out as [`Effects`].

mod arrive;
mod direct;
mod lazy;
mod lifetime;
mod rules;
mod settle;
mod tally;
mod wait;

use alloc::vec::Vec;
use core::time::Duration;

pub(crate) use arrive::{Arrival, Asked};
pub(crate) use direct::Unasked;
pub(crate) use lifetime::{Early, Margin};
pub use rules::OnTimeout;
pub(crate) use rules::{At, Call, Rules, Takes};
pub(crate) use settle::News;
pub(crate) use tally::LoadEnd;
pub(crate) use wait::{AtPoll, Next, Wait, Waiting};

use crate::{
    Failure, Instant,
    flight::Flights,
    source::Touched,
    store::{Failures, Gone, Keeping, Leavers, Values, policy::Policy},
};

/// One shard. `F` is a load, `W` what a poll is known by, `C` the shell's record for each flight.
pub(crate) struct Shard<K, V, E, F, W, C, P: Policy> {
    pub(crate) values: Values<K, V, P>,
    pub(crate) failures: Failures<K, E>,
    pub(crate) flights: Flights<K, F, V, E, W, C>,
    pub(crate) counts: LookupCounts,
    /// How many writes there have been, to whatever key; loads are none.
    pub(crate) writes: u64,
    /// Until when a fresh value needs no more than a look: until something has to go, which is noted by whatever stores or
    /// removes; never where each hit takes more.
    plain_until: Instant,
}

/// How the lookups of a shard ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LookupCounts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) joined: u64,
    pub(crate) stale: u64,
    pub(crate) errors: u64,
    pub(crate) abandoned: u64,
    pub(crate) timeouts: u64,
    pub(crate) load_time: Duration,
    /// Loads that run outside any flight.
    pub(crate) alone: u64,
}

/// What is to be done once the lock is released, in this order: wake, tell who listens, drop.
pub(crate) struct Effects<K, V, E, F, C> {
    /// Whom to wake: the flight is over.
    pub(crate) wake: Option<C>,
    /// Whether the flight goes on, but some of those who wait have to look at it.
    pub(crate) nudge: bool,
    /// What there is to tell those who watch.
    pub(crate) touched: Option<Touched>,
    pub(crate) loads: Vec<F>,
    pub(crate) leavers: Leavers<K, V>,
    pub(crate) failures: Vec<Gone<K, E>>,
    pub(crate) key: Option<K>,
    pub(crate) value: Option<V>,
    pub(crate) error: Option<Failure<E>>,
}

impl<K, V, E, F, C> Default for Effects<K, V, E, F, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V, E, F, C> Effects<K, V, E, F, C> {
    pub(crate) const fn new() -> Self {
        Self {
            wake: None,
            nudge: false,
            touched: None,
            loads: Vec::new(),
            leavers: Leavers::new(),
            failures: Vec::new(),
            key: None,
            value: None,
            error: None,
        }
    }
}

impl<K: Eq, V: Clone, E, F, W, C: Default, P: Policy> Shard<K, V, E, F, W, C, P> {
    pub(crate) fn new(capacity: u64, keeping: Keeping) -> Self {
        Self {
            values: Values::new(capacity, keeping),
            failures: Failures::new(),
            flights: Flights::new(),
            counts: LookupCounts::default(),
            writes: 0,
            plain_until: if keeping.looks_at_each_hit() { Instant::ZERO } else { Instant::NEVER },
        }
    }

    /// Notes a write to the key of this flight, or of none: what loads have read so far may be void.
    fn void(&mut self, flight: Option<u32>) {
        self.writes = self.writes.wrapping_add(1);
        if let Some(flight) = flight {
            self.flights.detach(flight);
        }
    }

    /// Notes a write that may concern every key.
    pub(crate) fn void_all(&mut self) {
        self.void(None);
        self.flights.detach_all();
    }

    /// Takes out some of what is due, at a bounded cost; returns how much.
    pub(crate) fn reclaim(&mut self, now: Instant, most: usize, effects: &mut Effects<K, V, E, F, C>) -> usize {
        if !self.is_due(now) {
            return 0;
        }
        let mut count = self.values.reclaim(now, most, &mut effects.leavers);
        if self.failures.first_due().is_some_and(|due| due.reached(now)) {
            effects.failures.extend(self.failures.forget_first());
            count += 1;
        }
        self.note_due();
        count
    }

    /// Notes when something has to go next, or is to be looked at for that.
    fn note_due(&mut self) {
        if !self.values.looks_at_each_hit() {
            self.plain_until = self.next_due();
        }
    }

    fn next_due(&self) -> Instant {
        let due = [self.values.first_due(), self.failures.first_due()];
        due.into_iter().flatten().min().unwrap_or(Instant::NEVER)
    }

    /// Tells whether there is anything to [`reclaim`](Self::reclaim).
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.plain_until.reached(now) && self.next_due().reached(now)
    }

    /// Returns the weight of values and kept failures.
    pub(crate) fn weight(&self) -> u64 {
        self.values.weight() + self.failures.len() as u64
    }

    /// Returns when something is due next.
    pub(crate) fn first_due(&mut self) -> Option<Instant> {
        self.values.settle();
        self.note_due();
        Some(self.next_due()).filter(|due| *due != Instant::NEVER)
    }
}

/// How many values one call reclaims at the most.
pub(crate) const RECLAIM: usize = 2;

#[cfg(test)]
mod tests;
