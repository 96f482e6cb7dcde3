//! A caller comes: served, refused, seated in a flight, or sent to load for itself. Look and claim are one step.

use super::{Carries, Effects, Links, RECLAIM, Rules, Shard, Step, Visit, Waiting};
use crate::{
    Instant, LoadError,
    flight::{Attempt, PolledBy, Start},
    store::{Kept, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Links<K, V, E, C, P> {
    /// Calls may have options of their own, or take stale values.
    pub(crate) const fn heed_options(&mut self) {
        self.heed_deadlines();
        self.serve_ahead();
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Looks for a plain hit once, and touches nothing but the entry; a closer look may still find one.
    #[inline(always)]
    pub(crate) fn hit(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<V> {
        self.look_at(self.values.find_at_once(hash, eq), now).ok()
    }

    /// Does the same for a lookup that loads nothing. Where there is no hit, tells whether it needs a closer look: if the key is
    /// missing and nothing else has to be done, it is counted here.
    #[inline(always)]
    pub(crate) fn hit_or_miss(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Result<V, bool> {
        self.look_at(self.values.find_at_once(hash, eq), now).map_err(|place| {
            let is_missing =
                place.is_none() && self.values.finds_all_at_once() && now < self.plain_until && !self.home.has_split();
            self.counts.misses += u64::from(is_missing);
            !is_missing
        })
    }

    /// Returns a plain hit, or the place of a value that needs a closer look.
    #[inline(always)]
    pub(crate) fn look_for(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Result<V, Option<u32>> {
        self.look_at(self.values.find(hash, eq), now)
    }

    #[inline(always)]
    fn look_at(&mut self, place: Option<u32>, now: Instant) -> Result<V, Option<u32>> {
        let Some(place) = place else { return Err(None) };
        if self.fresh_until <= now && self.values.ends(place).min(self.plain_until) <= now {
            return Err(Some(place));
        }
        let value = self.values.entry(place).value.clone();
        self.values.touch(place);
        self.counts.hits += 1;
        Ok(value)
    }

    /// A caller takes its first look.
    pub(crate) fn arrive(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let place = self.value_of(waiting, visit.key);
        self.arrive_at(place, waiting, visit, effects)
    }

    /// A caller takes its first look, and the place of the value is known.
    #[inline(never)]
    pub(crate) fn arrive_at(
        &mut self,
        place: Option<u32>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let (hash, now, call) = (waiting.hash, visit.reached, visit.call);
        let held = place.filter(|_| !call.reload);
        let is_fresh = held.is_some_and(|place| self.is_fresh_at(place, now));
        waiting.found_expired = held.is_some() && !is_fresh;
        let ahead = self.links.ahead;
        if let Some(place) = held.filter(|place| is_fresh && !(ahead.is_some() && self.is_early(*place, visit))) {
            effects.told = Some(Ok(self.serve(place, now, None)));
            self.reclaim(now, RECLAIM, effects);
            return Step::Told;
        }
        let Some(key) = visit.key else { return Step::Told };
        let flight = self.flights.find(hash, |k| key.is(k));
        let failure = match self.failures.find(hash, now, |k| key.is(k)) {
            None => None,
            Some(Kept::Failure(failure)) => Some(failure).filter(|_| !call.reload),
            // Then there is no value.
            Some(Kept::Private) => {
                // Loads of a flight that was shared go on, each for its own caller.
                let is_inside = flight.is_some_and(|flight| self.is_inside(flight, &PolledBy::here(visit.inside)));
                let step = if is_inside {
                    self.refuse_inside(place, waiting, visit, effects)
                } else {
                    self.load_alone(place, waiting, visit, effects)
                };
                self.reclaim(now, RECLAIM, effects);
                return step;
            }
        };
        // From here on, the only code of the user that is called is `Clone`: the rest happens completely or not at all.
        let held = held.zip(ahead).filter(|(place, _)| is_fresh || self.takes_stale(*place, visit));
        let step = if let Some((place, serve_ahead)) = held {
            serve_ahead(self, place, flight, failure, waiting, visit, effects)
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
            let is_blank = place.is_none() && self.failures.len() == 0;
            let key = key.to_key();
            self.claim(key, is_blank, waiting, visit, effects)
        };
        self.reclaim(now, RECLAIM, effects);
        step
    }

    /// A caller leads the first load of a key.
    #[inline(always)]
    pub(super) fn claim(
        &mut self,
        key: K,
        is_blank: bool,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(start) = visit.start else {
            effects.keep_key(Some(key));
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        let place = self.flights.claim(waiting.hash, Some(key), true, &mut waiting.seat);
        let slot = self.flights.at(place);
        slot.is_blank = is_blank;
        if start != Start::Made {
            return self.begin(waiting, start, visit, effects);
        }
        let by = PolledBy::with(visit.waker, visit.inside);
        let attempt = Attempt::new(1, visit.reached, visit.call.terms, start, by);
        slot.flight.begin_first(attempt);
        (waiting.seat.began, waiting.after, effects.number) = (1, 1, 1);
        self.flights.counts.begun += 1;
        Step::Make
    }

    /// A caller loads for itself, in a flight that no caller finds and that stores nothing.
    #[cold]
    #[inline(never)]
    pub(super) fn load_alone(
        &mut self,
        place: Option<u32>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(start) = visit.start else {
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        if visit.key.is_some_and(|key| self.is_inside_alone(waiting.hash, key, visit)) {
            return self.refuse_inside(place, waiting, visit, effects);
        }
        if waiting.seat.is_taken() {
            self.rise(waiting, effects);
        }
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
        let (now, rules) = (visit.reached, visit.rules);
        if self.is_inside(flight, &PolledBy::here(visit.inside)) {
            return self.refuse_inside(place, waiting, visit, effects);
        }
        let live = self.flights.at(flight).flight.live();
        // If no load is in flight any more, there is nothing to take over: the caller that is polled first leads.
        if live > 0 && self.is_over_age(flight, now, rules) {
            if rules.over_age_alone {
                return self.load_alone(place, waiting, visit, effects);
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

    pub(super) fn is_over_age(&mut self, flight: u32, now: Instant, rules: &Rules) -> bool {
        let Some(age) = rules.lock_age else { return false };
        let flight = &self.flights.at(flight).flight;
        // If each caller loads for itself, none waits for another's load.
        !flight.is_private() && flight.newest_begun().saturating_add(age).reached(now)
    }
}
