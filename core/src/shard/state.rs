//! Everything behind one lock, and which parts of it are due.

use alloc::vec::Vec;

use super::{Carries, Effects, Flights, Home, LoadsAnew, LookupCounts, Step, Visit, Waiting};
use crate::{
    Failure, Instant,
    flight::{PolledBy, Start},
    store::{Allowance, Backoff, FEW, Failing, Failures, Gone, Keeping, Values, policy::Policy},
};

/// Everything behind one lock.
pub(crate) struct Shard<K, V, E, C: Carries, P: Policy> {
    pub(crate) values: Values<K, V, P>,
    pub(crate) failures: Failures<K, E>,
    pub(crate) flights: Flights<K, V, E, C>,
    pub(crate) counts: LookupCounts,
    /// Unshared loads that are being polled: no flight of their keys knows them.
    pub(super) polled_alone: Vec<PolledAlone<K>>,
    /// How many writes there were, for answers that were not asked for.
    pub(crate) writes: u64,
    /// Until then, a hit has to serve, and nothing else is to be done.
    pub(super) plain_until: Instant,
    /// Until then, that is so and all values are fresh. Where values are held beyond their ends, that is not known.
    pub(super) fresh_until: Instant,
    pub(crate) links: Links<K, V, E, C, P>,
    /// Which keys it has.
    pub(crate) home: Home,
}

/// What a shard does only if a setting or a call asks for it, which sets it; what is not asked for is not linked.
pub(crate) struct Links<K, V, E, C: Carries, P: Policy> {
    /// How a caller from before a write begins and drives a load. Set by the first write.
    pub(super) anew: Option<(Begin<K, V, E, C, P>, C::AsMany)>,
    /// When a caller that waits looks again, and what it does then.
    pub(super) deadlines: Option<(Deadline<K, V, E, C, P>, OnDeadline<K, V, E, C, P>)>,
    /// Serves values that are stale or due for an early refresh.
    pub(super) ahead: Option<Ahead<K, V, E, C, P>>,
    /// Keeps a failure.
    pub(super) failures: Option<Keep<K, E>>,
}

type Begin<K, V, E, C, P> = fn(
    &mut Shard<K, V, E, C, P>,
    &mut Waiting<<C as Carries>::Notify>,
    Start,
    bool,
    &Visit<'_, K, <C as Carries>::Batch>,
    &mut Effects<K, V, E, C>,
) -> Step;

type Deadline<K, V, E, C, P> =
    fn(&mut Shard<K, V, E, C, P>, &Waiting<<C as Carries>::Notify>, &Visit<'_, K, <C as Carries>::Batch>) -> Instant;

type OnDeadline<K, V, E, C, P> = fn(
    &mut Shard<K, V, E, C, P>,
    &mut Waiting<<C as Carries>::Notify>,
    &Visit<'_, K, <C as Carries>::Batch>,
    &mut Effects<K, V, E, C>,
) -> Option<Step>;

type Ahead<K, V, E, C, P> = fn(
    &mut Shard<K, V, E, C, P>,
    u32,
    Option<u32>,
    Option<Failure<E>>,
    &mut Waiting<<C as Carries>::Notify>,
    &Visit<'_, K, <C as Carries>::Batch>,
    &mut Effects<K, V, E, C>,
) -> Step;

type Keep<K, E> = fn(&mut Failures<K, E>, Option<u32>, Failing<K, E>, Instant, &Backoff) -> Option<Gone<K, E>>;

impl<K, V, E, C: Carries, P: Policy> Clone for Links<K, V, E, C, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V, E, C: Carries, P: Policy> Copy for Links<K, V, E, C, P> {}

impl<K, V, E, C: Carries, P: Policy> Links<K, V, E, C, P> {
    pub(crate) const fn new() -> Self {
        Self { anew: None, deadlines: None, ahead: None, failures: None }
    }

    /// Failures may be kept.
    pub(crate) const fn keep_failures(&mut self) {
        self.failures = Some(Failures::record);
    }
}

/// An unshared load that is being polled.
pub(super) struct PolledAlone<K> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) by: PolledBy,
    /// The mark of the thread that polls it.
    pub(super) thread: usize,
    /// Tells it apart from others.
    pub(super) mark: usize,
    /// It is one of many keys, with a waker of its own.
    pub(super) is_batch: bool,
}

impl<K: Eq, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    pub(crate) fn new(allowance: Allowance, keeping: Keeping, links: Links<K, V, E, C, P>) -> Self {
        Self {
            values: Values::new(allowance, keeping),
            failures: Failures::new(),
            flights: Flights::new(),
            counts: LookupCounts::default(),
            polled_alone: Vec::new(),
            writes: 0,
            plain_until: if keeping.looks_at_each_hit() { Instant::ZERO } else { Instant::NEVER },
            fresh_until: if keeping.needs_each_end() { Instant::ZERO } else { Instant::NEVER },
            links,
            home: Home::default(),
        }
    }

    /// Gives back the room of expired entries, of at most so many.
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
            self.plain_until = self.next_due().min(self.values.trusted());
            // Each value is due at its end, so none has ended before the first is due.
            self.fresh_until = if self.values.needs_each_end() { Instant::ZERO } else { self.plain_until };
        }
    }

    /// From then on all values count as expired.
    pub(crate) fn trust_until(&mut self, until: Instant) {
        self.values.trust_until(until);
        self.note_due();
    }

    /// When a value has expired, by its lifetime or because nothing is trusted any more.
    pub(super) fn expired_at(&self, place: u32) -> Instant {
        self.values.ends(place).min(self.values.trusted())
    }

    /// Is a value fresh, as far as that can be trusted?
    pub(super) fn is_fresh_at(&self, place: u32, now: Instant) -> bool {
        !self.expired_at(place).reached(now)
    }

    fn next_due(&self) -> Instant {
        let [values, failures] =
            [self.values.first_due(), self.failures.first_due()].map(|due| due.unwrap_or(Instant::NEVER));
        values.min(failures)
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.plain_until <= now && self.next_due().reached(now)
    }

    pub(crate) fn weight(&self) -> u64 {
        self.values.weight() + self.failures.len() as u64
    }

    /// Returns when something has to go next, `NEVER` if nothing has to.
    ///
    /// None if more deadlines have to be corrected first.
    pub(crate) fn first_due(&mut self) -> Option<Instant> {
        let is_unsettled = self.values.settle(FEW);
        self.note_due();
        if is_unsettled { None } else { Some(self.next_due()) }
    }
}

impl<K: Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// A write: the loads in flight for the key may be delivered, but neither stored nor joined.
    ///
    /// Callers that wait there begin new attempts in the newer epoch from now on, which has a bound of its own.
    pub(super) fn invalidate_load(&mut self, flight: Option<u32>, effects: &mut Effects<K, V, E, C>) {
        self.note_write();
        if let Some(flight) = flight {
            self.flights.detach(flight);
            effects.wake(self.flights.at(flight).flight.let_go());
        }
    }

    /// From now on there may be callers from before a write.
    pub(crate) fn note_write(&mut self) {
        self.writes = self.writes.wrapping_add(1);
        self.links.anew = Some((Self::begin_anew, C::AS_MANY));
    }

    /// A write to all keys.
    pub(crate) fn invalidate_loads(&mut self, effects: &mut Effects<K, V, E, C>) {
        self.note_write();
        self.flights.detach_all();
        self.flights.all().for_each(|flight| effects.wake(flight.let_go()));
    }
}

/// How many expired entries an ordinary call reclaims at most.
pub(crate) const RECLAIM: usize = 2;
