//! One shard: values, kept failures and flights, and what is decided about them together. Pure: no lock, no clock, no waker
//! is called, no code of the user but `Eq`, `Clone`, `Hash`.

mod arrive;
mod batch;
mod direct;
mod effects;
mod flights;
mod lazy;
mod lifetime;
mod publish;
mod rules;
mod settle;
mod tally;
mod wait;

use core::{task::Waker, time::Duration};

#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use arrive::AsKey;
pub(crate) use direct::Unasked;
pub(crate) use effects::Effects;
pub(crate) use flights::{Flights, Part, Seat};
pub(crate) use lifetime::{Early, Margin};
pub(crate) use publish::News;
pub use rules::OnTimeout;
pub(crate) use rules::{At, Call, Rules, Takes};
pub(crate) use wait::{Step, Visit, Waiting};

use crate::{
    Instant, Notify,
    flight::{PolledBy, Registration},
    store::{Failures, Keeping, Values, policy::Policy},
};

/// What flights carry: the types of loads, of loads of many keys, and of what wakes.
pub(crate) trait Carries {
    type Load;
    type Batch: SharedLoad<Notify = Self::Notify>;
    type Notify: Notify;
}

/// A load of many keys, as a flight sees it. It goes on as long as anybody waits for one of its keys.
pub(crate) trait SharedLoad: Clone {
    type Notify: Notify;

    /// Who polls it.
    fn polled_by(&self) -> PolledBy;
    /// Somebody waits for one key more; false if the load is being dropped.
    fn await_key(&self) -> bool;
    /// Nobody waits for a key any more; true if that was the last.
    fn leave_key(&self) -> bool;
    /// Is only one key waited for?
    fn is_last(&self) -> bool;
    /// Notes whom a wake of the load is to reach as well; gives back a waker that is of no use any more.
    fn listen(&self, mine: &mut Registration<Self::Notify>, waker: &Waker) -> Option<Waker>;
    fn withdraw(&self, mine: &mut Registration<Self::Notify>) -> Option<Waker>;
}

/// What an attempt brought, for all who wait for the key.
#[derive(Clone)]
pub(crate) struct Answer<V> {
    pub(crate) value: V,
    /// The attempt that brought it; none if it was inserted.
    pub(crate) attempt: Option<u32>,
    pub(crate) published: Instant,
    /// From when its age counts.
    pub(crate) since: Instant,
    pub(crate) deadline: Instant,
    pub(crate) generation: Option<u32>,
}

/// Everything behind one lock.
pub(crate) struct Shard<K, V, E, C: Carries, P: Policy> {
    pub(crate) values: Values<K, V, P>,
    pub(crate) failures: Failures<K, E>,
    pub(crate) flights: Flights<K, V, E, C>,
    pub(crate) counts: LookupCounts,
    /// How many writes there were, for answers that nobody has asked for.
    pub(crate) writes: u64,
    /// Until then a hit has nothing to do but to serve.
    plain_until: Instant,
}

/// Lookups by how they ended.
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
}

impl<K: Eq, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
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

    /// A write: what flies for the key may be delivered, but neither stored nor joined.
    fn invalidate_load(&mut self, flight: Option<u32>) {
        self.writes = self.writes.wrapping_add(1);
        if let Some(flight) = flight {
            self.flights.detach(flight);
        }
    }

    /// A write to all keys.
    pub(crate) fn invalidate_loads(&mut self) {
        self.writes = self.writes.wrapping_add(1);
        self.flights.detach_all();
    }

    /// Gives back the room of what has expired, of at most so many.
    pub(crate) fn reclaim(&mut self, now: Instant, most: usize, effects: &mut Effects<K, V, E, C>) -> usize {
        if !self.is_due(now) {
            return 0;
        }
        let mut count = self.values.reclaim(now, most, &mut effects.leavers);
        if self.failures.first_due().is_some_and(|due| due.reached(now)) {
            effects.keep_failure(self.failures.forget_first());
            count += 1;
        }
        self.note_due();
        count
    }

    fn note_due(&mut self) {
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

    pub(crate) fn first_due(&mut self) -> Option<Instant> {
        self.values.settle();
        self.note_due();
        Some(self.next_due()).filter(|due| *due != Instant::NEVER)
    }
}

/// So many expired entries at most are reclaimed by an ordinary call.
pub(crate) const RECLAIM: usize = 2;

#[cfg(test)]
mod tests;
