//! A caller comes: the look at the store and the claim of the load are one step.

use core::time::Duration;

use super::{Call, Effects, RECLAIM, Rules, Shard, Takes};
use crate::{
    Failure, Instant, LoadError, Outcome, Status, TimeLeft,
    flight::{Flight, Seat, Start},
    store::{Entry, policy::Policy},
};

/// A key and the time, as one call sees them.
pub(crate) struct Asked<'a> {
    pub(crate) hash: u64,
    pub(crate) now: Instant,
    pub(crate) rules: &'a Rules,
    pub(crate) call: &'a Call,
}

/// What a caller finds.
pub(crate) enum Arrival<V, E> {
    /// A value, and perhaps the duty to refresh it.
    Served(Outcome<V, E>, Option<Seat>),
    /// An error.
    Refused(LoadError<E>),
    /// A seat in a flight, and the status if the load will be this caller's.
    Seated(Seat, Status),
    /// A load that is too old to be waited for; this caller loads by itself and stores nothing.
    Alone(Status),
}

impl<K: Eq, V: Clone, E, F, W, C: Default, P: Policy> Shard<K, V, E, F, W, C, P> {
    /// Looks for a fresh value, and for nothing else; `None` also if something else has to be done.
    ///
    /// `now` is a time that a clock may tell, below `NEVER`, which saves comparing with that.
    #[inline(always)]
    pub(crate) fn hit(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<V> {
        let place = self.values.find(hash, eq)?;
        let entry = self.values.entry(place);
        if entry.deadline.min(self.plain_until) <= now {
            return None;
        }
        let value = entry.value.clone();
        self.values.favour(place);
        self.counts.hits += 1;
        Some(value)
    }

    /// Finds a value, joins a load or begins one.
    ///
    /// `means` starts a load, unless this caller has used up his; `polls_itself` tells whether the flight is being polled
    /// by this very caller.
    pub(crate) fn arrive(
        &mut self,
        asked: &Asked<'_>,
        key: impl FnOnce() -> K,
        mut eq: impl FnMut(&K) -> bool,
        means: impl FnOnce() -> Option<Start<F>>,
        polls_itself: impl Fn(&Flight<K, F, V, E, W, C>) -> bool,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Arrival<V, E> {
        let Asked { hash, now, rules, call } = *asked;
        let place = self.values.find(hash, &mut eq);
        let held = place.filter(|_| !call.reload);
        let is_fresh = held.is_some_and(|place| self.values.entry(place).is_fresh(now));
        let first = if held.is_some() && !is_fresh { Status::Expired } else { Status::Miss };
        if let Some(place) = held.filter(|place| is_fresh && !self.is_early(*place, asked)) {
            let outcome = self.serve(place, now, None);
            self.reclaim(now, RECLAIM, effects);
            return Arrival::Served(outcome, None);
        }
        let flight = self.flights.find(hash, &mut eq);
        let failure = self.failures.find(hash, now, &mut eq).filter(|_| !call.reload);
        // Here, no code of the user has to be called any more but `Clone`: the rest happens or it does not.
        if let Some(place) = held.filter(|place| is_fresh || self.takes_stale(*place, asked)) {
            let is_ticket = call.takes == Takes::Ticket;
            // Who refreshes for himself waits for it, which must not be from inside the refresh.
            let is_inside = !is_ticket && flight.is_some_and(|flight| polls_itself(self.flights.flight(flight)));
            // Served before a refresh is claimed with it, as a clone may panic.
            let outcome = is_ticket.then(|| self.serve(place, now, failure.as_ref()));
            let may_refresh = failure.is_none() && !is_inside;
            let seat = if may_refresh { self.ticket(asked, flight, key, means, effects) } else { None };
            let arrival = match (outcome, seat) {
                (Some(outcome), seat) => Arrival::Served(outcome, seat),
                (None, Some(seat)) => Arrival::Seated(seat, first),
                (None, None) => Arrival::Served(self.serve(place, now, failure.as_ref()), None),
            };
            self.reclaim(now, RECLAIM, effects);
            return arrival;
        }
        if let Some(failure) = failure {
            let arrival = match self.stale(place, now, call.stale_if_error, Some(&failure)) {
                Some(outcome) => Arrival::Served(outcome, None),
                None => {
                    self.counts.errors += 1;
                    Arrival::Refused(LoadError::Failed(failure))
                }
            };
            self.reclaim(now, RECLAIM, effects);
            return arrival;
        }
        let Some(flight) = flight else {
            let Some(start) = means() else { return Arrival::Alone(first) };
            let seat = self.flights.claim(hash, key(), now, call.terms, start);
            self.reclaim(now, RECLAIM, effects);
            return Arrival::Seated(seat, first);
        };
        if polls_itself(self.flights.flight(flight)) {
            // A fresh value is here only if this call wants a newer one, which it cannot have.
            if let Some(outcome) = self.instead(place, now, true, call.stale_while_refresh, None) {
                return Arrival::Served(outcome, None);
            }
            self.counts.errors += 1;
            return Arrival::Refused(LoadError::Reentrant);
        }
        self.reclaim(now, RECLAIM, effects);
        let live = self.flights.flight(flight).live();
        // Where no load is in flight any more, there is nothing to take over: whoever is polled first leads.
        if live > 0 && self.is_over_age(flight, now, rules) {
            if rules.over_age_alone {
                return Arrival::Alone(first);
            }
            if live < rules.attempts {
                let mut seat = self.flights.join(flight);
                if let Some(start) = means() {
                    effects.nudge |= self.flights.begin(&mut seat, now, call.terms, start);
                    self.flights.counts.takeovers += 1;
                }
                return Arrival::Seated(seat, first);
            }
        }
        Arrival::Seated(self.flights.join(flight), first)
    }

    /// Tells whether the newest attempt of a flight is too old to hold anybody back.
    pub(super) fn is_over_age(&mut self, flight: u32, now: Instant, rules: &Rules) -> bool {
        let begun = self.flights.flight(flight).newest_begun();
        rules.lock_age.is_some_and(|age| begun.saturating_add(age).reached(now))
    }

    /// Serves the value at `place` although it has expired, if it is within `limit`.
    pub(super) fn stale(
        &mut self,
        place: Option<u32>,
        now: Instant,
        limit: Option<Duration>,
        error: Option<&Failure<E>>,
    ) -> Option<Outcome<V, E>> {
        let place = place.filter(|place| self.values.entry(*place).stale_within(now, limit).is_some())?;
        Some(self.serve(place, now, error))
    }

    /// Serves the value at `place` instead of a load that has failed or takes too long: one that has expired within
    /// `limit`, or a fresh one to who `is_ahead`.
    pub(super) fn instead(
        &mut self,
        place: Option<u32>,
        now: Instant,
        is_ahead: bool,
        limit: Option<Duration>,
        error: Option<&Failure<E>>,
    ) -> Option<Outcome<V, E>> {
        let fresh = place.filter(|place| is_ahead && self.values.entry(*place).is_fresh(now));
        let Some(fresh) = fresh else { return self.stale(place, now, limit, error) };
        Some(Outcome { error: error.cloned(), ..self.serve(fresh, now, None) })
    }

    /// Serves the value at `place`, fresh or not.
    pub(super) fn serve(&mut self, place: u32, now: Instant, error: Option<&Failure<E>>) -> Outcome<V, E> {
        let entry = self.values.entry(place);
        if entry.is_fresh(now) {
            let outcome = outcome(entry, now, Status::Hit);
            self.values.hit(place, now);
            self.counts.hits += 1;
            return outcome;
        }
        let status = Status::Stale(now.saturating_since(entry.deadline));
        let error = error.filter(|failure| !failure.is_expired_answer()).cloned();
        let outcome = Outcome { error, ..outcome(entry, now, status) };
        self.counts.stale += 1;
        outcome
    }

    /// Tells whether this caller takes the expired value at `place` instead of waiting for a load.
    fn takes_stale(&self, place: u32, Asked { now, call, .. }: &Asked<'_>) -> bool {
        let limit = call.stale_while_refresh.filter(|_| call.takes != Takes::Fresh);
        self.values.entry(place).stale_within(*now, limit).is_some()
    }

    /// Tells whether this caller may have to refresh the value at `place` although it is fresh.
    fn is_early(&self, place: u32, Asked { now, rules, call, .. }: &Asked<'_>) -> bool {
        let is_asked = match call.takes {
            Takes::Fresh => false,
            Takes::Others => rules.early.inline,
            Takes::Ticket => true,
        };
        is_asked && self.values.life(place).is_some_and(|life| rules.early.is_due(life, *now, call.random))
    }

    /// Claims the refresh of a value, unless somebody has it.
    fn ticket(
        &mut self,
        asked: &Asked<'_>,
        flight: Option<u32>,
        key: impl FnOnce() -> K,
        means: impl FnOnce() -> Option<Start<F>>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Option<Seat> {
        let Asked { hash, now, rules, call } = *asked;
        let Some(flight) = flight else {
            return means().map(|start| self.flights.claim(hash, key(), now, call.terms, start));
        };
        let live = self.flights.flight(flight).live();
        if live == 0 || (self.is_over_age(flight, now, rules) && !rules.over_age_alone && live < rules.attempts) {
            let start = means()?;
            let mut seat = self.flights.join(flight);
            effects.nudge |= self.flights.begin(&mut seat, now, call.terms, start);
            self.flights.counts.takeovers += u64::from(live > 0);
            return Some(seat);
        }
        None
    }
}

/// Describes a stored value as it is found.
pub(super) fn outcome<K, V: Clone, E, N>(entry: &Entry<K, V, N>, now: Instant, status: Status) -> Outcome<V, E> {
    Outcome {
        value: entry.value.clone(),
        status,
        age: now.saturating_since(entry.published),
        time_left: TimeLeft::until(entry.deadline, now),
        led: false,
        attempt: None,
        waited: Duration::ZERO,
        generation: Some(entry.generation),
        error: None,
    }
}
