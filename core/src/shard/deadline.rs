//! The deadlines of a caller that waits: the budget of a load, its patience, the lock age.

use super::{At, Carries, Effects, Links, OnTimeout, Rules, Shard, Step, Visit, Waiting};
use crate::{Instant, LoadError, store::policy::Policy};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Links<K, V, E, C, P> {
    /// Loads may have a budget or an age, or callers a patience.
    pub(crate) const fn heed_deadlines(&mut self) {
        self.deadlines = Some((Shard::find_deadline, Shard::on_deadline));
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A deadline of this caller or of a load has passed: first the budget, then its patience, then the lock age.
    fn on_deadline(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Step> {
        let at = At { now: visit.reached, rules: visit.rules };
        if self.end_overdue(waiting, at, effects) {
            return Some(Step::Again);
        }
        if waiting.is_visitor {
            return None;
        }
        if let Some((_, then)) = waiting.patience(visit.call).filter(|(end, _)| end.reached(visit.reached)) {
            let step = self.run_out_of_patience(waiting, then, visit, effects);
            // Not before: if a comparison of keys or the clone of a value panics, it has not passed yet.
            waiting.is_patient = false;
            self.counts.timeouts += 1;
            return Some(step);
        }
        let place = self.flights.place(&waiting.seat);
        if self.may_take_over(waiting, visit) && self.is_over_age(place, visit.reached, visit.rules) {
            self.flights.counts.takeovers += 1;
            let start = visit.start?;
            return Some(self.begin_further(waiting, start, false, visit, effects));
        }
        None
    }

    /// What a caller does when its lock timeout has passed.
    fn run_out_of_patience(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        then: OnTimeout,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        match then {
            OnTimeout::Load | OnTimeout::LoadAlone => {
                let Some(start) = visit.start else {
                    self.refuse(waiting, LoadError::NoLoader, effects);
                    return Step::Told;
                };
                if then == OnTimeout::LoadAlone {
                    let place = self.value_of(waiting, visit.key);
                    return self.load_alone(place, waiting, visit, effects);
                }
                if self.may_begin(waiting, visit.rules) {
                    return self.begin_further(waiting, start, true, visit, effects);
                }
            }
            OnTimeout::Stale | OnTimeout::Fail => {
                let place = self.value_of(waiting, visit.key);
                let limit = visit.call.stale_while_refresh.filter(|_| then == OnTimeout::Stale);
                let is_stale = then == OnTimeout::Stale || visit.call.is_ahead();
                if let Some(mut outcome) = self.instead(place, visit.reached, is_stale, limit, None) {
                    waiting.tell_wait(&mut outcome, visit.reached);
                    self.rise(waiting, effects);
                    effects.told = Some(Ok(outcome));
                    return Step::Told;
                }
            }
        }
        self.refuse(waiting, LoadError::LockTimeout, effects);
        Step::Told
    }

    fn may_take_over(&mut self, waiting: &Waiting<C::Notify>, visit: &Visit<'_, K, C::Batch>) -> bool {
        let Rules { lock_age, over_age_alone, .. } = *visit.rules;
        lock_age.is_some()
            && visit.start.is_some()
            && !over_age_alone
            && !waiting.is_alone
            && !self.flights.slot(&waiting.seat).flight.is_private()
            && self.flights.slot(&waiting.seat).flight.newest() != waiting.seat.began
            // If only the others prevent it, the caller has no deadline, and hears of it when there is room.
            && (self.may_begin(waiting, visit.rules) || self.flights.slot(&waiting.seat).flight.hold_back())
    }

    /// When a caller that waits is to look again, woken or not.
    pub(super) fn next_deadline(&mut self, waiting: &Waiting<C::Notify>, visit: &Visit<'_, K, C::Batch>) -> Instant {
        self.links.deadlines.map_or(Instant::NEVER, |(find, _)| find(self, waiting, visit))
    }

    fn find_deadline(&mut self, waiting: &Waiting<C::Notify>, visit: &Visit<'_, K, C::Batch>) -> Instant {
        let Rules { lock_age, budget, .. } = *visit.rules;
        let patience = waiting.patience(visit.call).map(|(deadline, _)| deadline);
        if lock_age.is_none() && budget.is_none() {
            return patience.unwrap_or(Instant::NEVER);
        }
        let may_take_over = self.may_take_over(waiting, visit);
        let flight = &self.flights.slot(&waiting.seat).flight;
        let overdue = budget.zip(flight.oldest_begun()).map(|(budget, begun)| begun.saturating_add(budget));
        let age = lock_age.filter(|_| may_take_over).map(|age| flight.newest_begun().saturating_add(age));
        [patience, overdue, age].into_iter().flatten().min().unwrap_or(Instant::NEVER)
    }
}
