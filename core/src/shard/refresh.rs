//! A caller is served a value that is to be refreshed: by itself, by a ticket, or by another caller.

use super::{Carries, Effects, Links, Shard, Step, Takes, Visit, Waiting};
use crate::{
    Failure,
    flight::{PolledBy, Start},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Links<K, V, E, C, P> {
    /// Calls may take stale values, or refresh ahead of time.
    pub(crate) const fn serve_ahead(&mut self) {
        self.ahead = Some(Shard::serve_ahead);
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A caller takes a value that is stale, or due for an early refresh; decides what refreshes it.
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
        let is_inside = flight.is_some_and(|flight| self.is_inside(flight, &by));
        // A caller that refreshes inline waits for it, so it must not come from inside the refresh. What is lent ends with
        // its call, which a ticket outlives, so only the cache's loader can load for that.
        let is_able = if is_ticket { visit.start != Some(Start::Lent) || visit.rules.has_loader } else { !is_inside };
        let may_refresh = failure.is_none() && is_able && self.may_refresh(flight, visit);
        if may_refresh && !is_ticket {
            let Some(key) = visit.key else { return Step::Told };
            return match flight {
                None => {
                    let key = key.to_key();
                    self.claim(key, false, waiting, visit, effects)
                }
                Some(flight) => self.refresh_further(flight, waiting, visit, effects),
            };
        }
        // Served before its refresh is claimed, because a clone may panic.
        let served = self.serve(place, visit.reached, failure.as_ref());
        effects.told = Some(Ok(served));
        let step = if may_refresh {
            self.claim_ticket(flight, waiting, visit, effects)
        } else {
            match flight {
                Some(flight) if !is_inside => self.look_after(flight, waiting, visit, effects),
                _ => Step::Told,
            }
        };
        if step == Step::Told {
            waiting.found_expired = false;
        }
        step
    }

    /// Is there no refresh, or one that no longer holds back others?
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
        self.join_to_begin(flight, waiting, effects);
        self.begin(waiting, start, visit, effects)
    }

    /// A caller joins a refresh in order to begin an attempt; beside a live one, that is a takeover.
    fn join_to_begin(&mut self, flight: u32, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let live = self.flights.at(flight).flight.live();
        self.flights.counts.takeovers += u64::from(live > 0);
        self.take_seat(flight, waiting, effects);
    }

    /// The caller gets the refresh as a ticket, which is a waiter like any other.
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
            Some(flight) => self.join_to_begin(flight, waiting, effects),
            None => {
                let key = key.to_key();
                self.flights.claim(waiting.hash, Some(key), true, &mut waiting.seat);
            }
        }
        waiting.make_quiet();
        if visit.is_by_loader || start == Start::Lent {
            let slot = self.flights.slot(&waiting.seat);
            let by = PolledBy::here(visit.waker);
            let own = &mut waiting.seat.began;
            slot.flight.begin(own, visit.reached, visit.call.terms, Start::Unmade, by);
            // Any caller that waits may make it.
            effects.wake(slot.flight.waits.all());
            return Step::Ticket;
        }
        self.begin(waiting, start, visit, effects);
        Step::MakeTicket
    }

    /// Another caller has the refresh, and it goes on as long as the key is asked for.
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
        if slot.flight.overdue(|begun| visit.rules.is_overdue(begun, visit.reached)).is_some() {
            // An answer in time beats the budget.
            slot.flight.all_due(0);
        }
        let wants_a_poll = !slot.flight.is_over() && slot.flight.wants_a_poll(&mut old);
        let is_awaited = slot.flight.seats() > 0;
        effects.keep_waker(old);
        if is_awaited {
            // The flight's waker may be new, and loads of many keys know only that of the formerly lone caller.
            self.listen_to_batches(flight, 0, visit.waker, effects);
        }
        if !wants_a_poll {
            return Step::Told;
        }
        match self.check_out(flight, waiting, visit, effects) {
            Some(step) => {
                self.take_seat(flight, waiting, effects);
                waiting.make_quiet();
                waiting.is_visitor = true;
                step
            }
            None => Step::Told,
        }
    }
    /// A caller that was served has polled another caller's refresh, and leaves; a load that is over its budget has failed.
    pub(crate) fn leave_refresh(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        if let Some((_, on_deadline)) = self.links.deadlines {
            on_deadline(self, waiting, visit, effects);
        }
        if !effects.lacks_room() {
            self.rise(waiting, effects);
        }
    }
}
