//! A caller comes: served, refused, seated in a flight, or sent to load for itself. The look and the claim are one step.

use core::time::Duration;

use super::{Call, Carries, Effects, RECLAIM, Rules, Shard, Step, Takes, Visit, Waiting};
use crate::{
    Failure, Instant, LoadError, Outcome, Status, TimeLeft,
    flight::{PolledBy, Start},
    store::{Entry, policy::Policy},
};

/// A key that is asked for, in whatever form the caller has it.
pub trait AsKey<K> {
    fn is(&self, key: &K) -> bool;
    fn to_key(&self) -> K;
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A plain hit: looks once and touches nothing but the entry.
    #[inline(always)]
    pub(crate) fn hit(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<V> {
        let place = self.values.find(hash, eq)?;
        let entry = self.values.entry(place);
        if entry.deadline.min(self.plain_until) <= now {
            return None;
        }
        let value = entry.value.clone();
        self.values.touch(place);
        self.counts.hits += 1;
        Some(value)
    }

    /// A caller at its first look.
    #[inline(never)]
    pub(crate) fn arrive(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let (hash, now, call) = (waiting.hash, visit.reached, visit.call);
        let place = self.value_of(waiting, visit.key);
        let held = place.filter(|_| !call.reload);
        let is_fresh = held.is_some_and(|place| self.values.entry(place).is_fresh(now));
        waiting.found_expired = held.is_some() && !is_fresh;
        if let Some(place) = held.filter(|place| is_fresh && !self.is_early(*place, visit)) {
            effects.told = Some(Ok(self.serve(place, now, None)));
            self.reclaim(now, RECLAIM, effects);
            return Step::Told;
        }
        let Some(key) = visit.key else { return Step::Told };
        let flight = self.flights.find(hash, |k| key.is(k));
        let failure = self.failures.find(hash, now, |k| key.is(k)).filter(|_| !call.reload);
        // From here on, no code of the user is called any more but `Clone`: the rest happens or it does not.
        let step = if let Some(place) = held.filter(|place| is_fresh || self.takes_stale(*place, visit)) {
            self.serve_ahead(place, flight, failure, waiting, visit, effects)
        } else if let Some(failure) = failure {
            effects.told = Some(match self.stale(place, now, call.stale_if_error, Some(&failure)) {
                Some(outcome) => Ok(outcome),
                None => {
                    self.counts.errors += 1;
                    Err(LoadError::Failed(failure))
                }
            });
            Step::Told
        } else if let Some(flight) = flight {
            self.join(flight, place, waiting, visit, effects)
        } else {
            let key = key.to_key();
            self.claim(key, waiting, visit, effects)
        };
        self.reclaim(now, RECLAIM, effects);
        step
    }

    /// A caller leads the first load of a key.
    fn claim(
        &mut self,
        key: K,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(start) = visit.start else {
            effects.keep_key(Some(key));
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        self.flights.claim(waiting.hash, Some(key), true, &mut waiting.seat);
        self.begin(waiting, start, visit, effects)
    }

    /// A caller loads for itself, in a flight that nobody finds and that stores nothing.
    pub(super) fn load_alone(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(start) = visit.start else {
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        waiting.is_alone = true;
        self.flights.claim(waiting.hash, None, false, &mut waiting.seat);
        self.begin(waiting, start, visit, effects)
    }

    /// A caller finds a flight of its key.
    fn join(
        &mut self,
        flight: u32,
        place: Option<u32>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let (now, rules, call) = (visit.reached, visit.rules, visit.call);
        if self.flights.at(flight).flight.is_inside(&PolledBy::here(visit.inside)) {
            // A fresh value is here only if this call wants a newer one, which it cannot have.
            effects.told = Some(match self.instead(place, now, true, call.stale_while_refresh, None) {
                Some(outcome) => Ok(outcome),
                None => {
                    self.counts.errors += 1;
                    Err(LoadError::Reentrant)
                }
            });
            return Step::Told;
        }
        let live = self.flights.at(flight).flight.live();
        // Where no load is in flight any more, there is nothing to take over: who is polled first leads.
        if live > 0 && self.is_over_age(flight, now, rules) {
            if rules.over_age_alone {
                return self.load_alone(waiting, visit, effects);
            }
            if let Some(start) = visit.start.filter(|_| live < rules.attempts) {
                self.take_seat(flight, waiting, effects);
                self.flights.counts.takeovers += 1;
                return self.begin(waiting, start, visit, effects);
            }
        }
        self.take_seat(flight, waiting, effects);
        self.visit(waiting, visit, effects)
    }

    /// A caller takes a value that is stale, or is to be refreshed ahead of time; who refreshes it?
    fn serve_ahead(
        &mut self,
        place: u32,
        flight: Option<u32>,
        failure: Option<Failure<E>>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let is_ticket = visit.call.takes == Takes::Ticket;
        let by = PolledBy::here(visit.inside);
        let is_inside = flight.is_some_and(|flight| self.flights.at(flight).flight.is_inside(&by));
        // (Who refreshes inline waits for it, which must not be from inside the refresh.)
        let may_refresh = failure.is_none() && (is_ticket || !is_inside) && self.may_refresh(flight, visit);
        if may_refresh && !is_ticket {
            let Some(key) = visit.key else { return Step::Told };
            return match flight {
                None => {
                    let key = key.to_key();
                    self.claim(key, waiting, visit, effects)
                }
                Some(flight) => self.refresh_further(flight, waiting, visit, effects),
            };
        }
        // Served before a refresh is claimed with it, as a clone may panic.
        let served = self.serve(place, visit.reached, failure.as_ref());
        effects.told = Some(Ok(served));
        let step = if may_refresh {
            self.claim_ticket(flight, waiting, visit, effects)
        } else {
            match flight {
                Some(flight) if failure.is_none() && !is_inside => self.look_after(flight, waiting, visit, effects),
                _ => Step::Told,
            }
        };
        if step == Step::Told {
            waiting.found_expired = false;
        }
        step
    }

    /// Is there no refresh, or one that holds nobody back any more?
    fn may_refresh(&mut self, flight: Option<u32>, visit: &Visit<'_, K, C::Batch>) -> bool {
        if visit.start.is_none() {
            return false;
        }
        let Some(flight) = flight else { return true };
        let live = self.flights.at(flight).flight.live();
        let rules = visit.rules;
        live == 0 || (self.is_over_age(flight, visit.reached, rules) && !rules.over_age_alone && live < rules.attempts)
    }

    /// A caller begins a further attempt to refresh.
    fn refresh_further(
        &mut self,
        flight: u32,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(start) = visit.start else { return Step::Told };
        let live = self.flights.at(flight).flight.live();
        self.flights.counts.takeovers += u64::from(live > 0);
        self.take_seat(flight, waiting, effects);
        self.begin(waiting, start, visit, effects)
    }

    /// The caller is handed the refresh as a ticket; it is a waiter like any.
    fn claim_ticket(
        &mut self,
        flight: Option<u32>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let (Some(key), Some(start)) = (visit.key, visit.start) else { return Step::Told };
        waiting.found_expired = true;
        match flight {
            Some(flight) => {
                let live = self.flights.at(flight).flight.live();
                self.flights.counts.takeovers += u64::from(live > 0);
                self.take_seat(flight, waiting, effects);
            }
            None => {
                let key = key.to_key();
                self.flights.claim(waiting.hash, Some(key), true, &mut waiting.seat);
            }
        }
        waiting.make_quiet();
        if visit.is_by_loader {
            let slot = self.flights.slot(&waiting.seat);
            let by = PolledBy::here(visit.waker);
            let own = &mut waiting.seat.began;
            if slot.flight.begin(own, visit.reached, visit.call.terms, Start::Unmade, by) {
                effects.wake(slot.flight.waits.all());
            }
            return Step::Ticket;
        }
        self.begin(waiting, start, visit, effects);
        Step::MakeTicket
    }

    /// Somebody else has the refresh: it goes on as long as the key is asked for.
    ///
    /// The caller polls it once, if it was never polled or was woken since, and leaves no waker behind.
    fn look_after(
        &mut self,
        flight: u32,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let mut old = None;
        let slot = self.flights.at(flight);
        let wants_a_poll = !slot.flight.is_over() && slot.flight.wants_a_poll(&mut old);
        let is_awaited = slot.flight.seats() > 0;
        effects.keep_waker(old);
        if is_awaited {
            // Its waker may be new, and loads of many keys know that of the one who was alone.
            self.listen_to_batches(flight, 0, visit.waker, effects);
        }
        if !wants_a_poll {
            return Step::Told;
        }
        match self.check_out(flight, 0, visit, effects) {
            Some(step) => {
                self.take_seat(flight, waiting, effects);
                waiting.make_quiet();
                waiting.is_visitor = true;
                step
            }
            None => Step::Told,
        }
    }

    pub(super) fn is_over_age(&mut self, flight: u32, now: Instant, rules: &Rules) -> bool {
        let Some(age) = rules.lock_age else { return false };
        self.flights.at(flight).flight.newest_begun().saturating_add(age).reached(now)
    }

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

    /// What a caller takes in the place of an answer: a fresh value, if that is good enough, or a stale one.
    pub(super) fn instead(
        &mut self,
        place: Option<u32>,
        now: Instant,
        takes_fresh: bool,
        limit: Option<Duration>,
        error: Option<&Failure<E>>,
    ) -> Option<Outcome<V, E>> {
        let fresh = place.filter(|place| takes_fresh && self.values.entry(*place).is_fresh(now));
        let Some(fresh) = fresh else { return self.stale(place, now, limit, error) };
        Some(Outcome { error: error.cloned(), ..self.serve(fresh, now, None) })
    }

    /// Serves what is held: a hit, or stale with the error that it stands in for.
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

    fn takes_stale(&self, place: u32, Visit { reached, call, .. }: &Visit<'_, K, C::Batch>) -> bool {
        let limit = call.stale_while_refresh.filter(|_| call.takes != Takes::Fresh);
        self.values.entry(place).stale_within(*reached, limit).is_some()
    }

    /// Is the value to be refreshed although it is fresh?
    fn is_early(&self, place: u32, Visit { reached, rules, call, .. }: &Visit<'_, K, C::Batch>) -> bool {
        let is_asked = match call.takes {
            Takes::Fresh => false,
            Takes::Others => rules.early.inline,
            Takes::Ticket => true,
        };
        let Call { random, .. } = **call;
        is_asked && self.values.life(place).is_some_and(|life| rules.early.is_due(life, *reached, random))
    }
}

/// What is told of a value that is held.
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
