//! What stands behind one lock, and what of it is due.

use super::{Carries, Effects, Flights, LookupCounts};
use crate::{
    Instant,
    store::{Allowance, FEW, Failures, Keeping, Values, policy::Policy},
};

/// Everything behind one lock.
pub(crate) struct Shard<K, V, E, C: Carries, P: Policy> {
    pub(crate) values: Values<K, V, P>,
    pub(crate) failures: Failures<K, E>,
    pub(crate) flights: Flights<K, V, E, C>,
    pub(crate) counts: LookupCounts,
    /// How many writes there were, for answers that nobody has asked for.
    pub(crate) writes: u64,
    /// Until then a hit has nothing to do but to serve.
    pub(super) plain_until: Instant,
}

impl<K: Eq, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    pub(crate) fn new(allowance: Allowance, keeping: Keeping) -> Self {
        Self {
            values: Values::new(allowance, keeping),
            failures: Failures::new(),
            flights: Flights::new(),
            counts: LookupCounts::default(),
            writes: 0,
            plain_until: if keeping.looks_at_each_hit() { Instant::ZERO } else { Instant::NEVER },
        }
    }

    /// A write: what flies for the key may be delivered, but neither stored nor joined.
    ///
    /// Who waits there begins what it begins in the newer epoch from now on, which has a bound of its own.
    pub(super) fn invalidate_load(&mut self, flight: Option<u32>, effects: &mut Effects<K, V, E, C>) {
        self.writes = self.writes.wrapping_add(1);
        if let Some(flight) = flight {
            self.flights.detach(flight);
            effects.wake(self.flights.at(flight).flight.let_go());
        }
    }

    /// A write to all keys.
    pub(crate) fn invalidate_loads(&mut self, effects: &mut Effects<K, V, E, C>) {
        self.writes = self.writes.wrapping_add(1);
        self.flights.detach_all();
        self.flights.all().for_each(|flight| effects.wake(flight.let_go()));
    }

    /// Gives back the room of what has expired, of at most so many.
    #[inline]
    pub(crate) fn reclaim(&mut self, now: Instant, most: usize, effects: &mut Effects<K, V, E, C>) -> usize {
        if !self.is_due(now) {
            return 0;
        }
        self.reclaim_due(now, most, effects)
    }

    fn reclaim_due(&mut self, now: Instant, most: usize, effects: &mut Effects<K, V, E, C>) -> usize {
        let mut count = self.values.reclaim(now, most, &mut effects.leavers);
        if self.failures.first_due().is_some_and(|due| due.reached(now)) {
            effects.keep_failure(self.failures.forget_first());
            count += 1;
        }
        self.note_due();
        self.give_back();
        count
    }

    pub(super) fn note_due(&mut self) {
        if !self.values.looks_at_each_hit() {
            self.plain_until = self.next_due();
        }
    }

    fn next_due(&self) -> Instant {
        let due = [self.values.first_due(), self.failures.first_due()];
        due.into_iter().flatten().min().unwrap_or(Instant::NEVER)
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.plain_until.reached(now) && self.next_due().reached(now)
    }

    pub(crate) fn weight(&self) -> u64 {
        self.values.weight() + self.failures.len() as u64
    }

    /// Returns when something is due next, or nothing yet if there is more to be put right first.
    pub(crate) fn first_due(&mut self) -> Option<Instant> {
        let is_unsettled = self.values.settle(FEW);
        self.note_due();
        if is_unsettled { None } else { Some(self.next_due()) }
    }
}

/// So many expired entries at most are reclaimed by an ordinary call.
pub(crate) const RECLAIM: usize = 2;
