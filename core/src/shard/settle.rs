//! A load ends: settled, failed, over its budget; and callers leave.

use core::mem;

use super::{At, Carries, Effects, News, Seat, Shard, Waiting};
use crate::{
    Cause, Failure, Instant,
    contain::contain,
    few::Few,
    flight::{Failing as Ending, Left, Woken},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A caller is back with a load that ended: it need not be woken for that.
    #[inline(always)]
    pub(super) fn back(&mut self, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) -> (u32, u32) {
        let place = self.flights.place(&waiting.seat);
        let flight = &mut self.flights.at(place).flight;
        flight.set_begun(waiting.seat.began, waiting.started);
        if !flight.is_over() {
            effects.keep_waker(flight.waits.withdraw(&mut waiting.seat.registration));
        }
        (place, effects.number)
    }

    /// The outcome of a flight is there: wakes the callers that wait, and returns the key if it is to be stored.
    pub(super) fn settle(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) -> Option<K> {
        let was_attached = self.flights.detach(place);
        let slot = self.flights.at(place);
        let (woken, running) = slot.flight.settle();
        while let Some((_, load)) = slot.loads.pop() {
            effects.rest().loads.push(load);
        }
        while let Some((_, own)) = slot.own.pop() {
            effects.keep_verdict(Some(own));
        }
        let key = if was_attached { slot.key.take() } else { None };
        self.flights.counts.dropped += u64::from(running);
        effects.wake(woken);
        self.leave_batches(place, effects);
        key
    }

    /// A load has failed: decides which callers that ends, and whether it is kept.
    pub(crate) fn fail(
        &mut self,
        place: u32,
        number: u32,
        failure: Failure<E>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let slot = self.flights.at(place);
        let begun = slot.flight.attempt(number).map_or(at.now, |attempt| attempt.begun);
        let places = if at.rules.keeps(&failure) { self.places_in_need(place) } else { None };
        let slot = self.flights.at(place);
        match slot.flight.fail(number) {
            Ending::Late => effects.keep_error(Some(failure)),
            ending => {
                let is_counted = self.flights.counts(place, number);
                let counts = &mut self.flights.counts;
                let counter = if failure.is_panicked() { &mut counts.panicked } else { &mut counts.failed };
                *counter += u64::from(is_counted);
                self.counts.count_time(begun, at.now);
                self.remove_part(place, number, effects);
                let slot = self.flights.at(place);
                match ending {
                    Ending::Last => {
                        slot.verdict = Some(Err(failure.clone()));
                        // (Answers that are only for callers of earlier attempts still have to be told.)
                        let mut own = Few::new();
                        while let Some(answer) = slot.own.take(|(_, verdict)| verdict.is_ok()) {
                            own.push(answer);
                        }
                        let key = self.settle(place, effects);
                        self.flights.at(place).own = own;
                        match places {
                            Some(places) => self.keep_failure(place, key, places, failure, at, effects),
                            None => effects.keep_key(key),
                        }
                    }
                    // Another caller may have driven it than began it; and there is room for an attempt again.
                    Ending::Beginner => {
                        slot.own.push((number, Err(failure)));
                        effects.wake(slot.flight.waits.all());
                    }
                    _ => {
                        effects.wake(slot.flight.waits.all());
                        effects.keep_error(Some(failure));
                    }
                }
            }
        }
    }

    /// A load has failed; false if keeping the failure needs room first.
    #[inline(never)]
    pub(super) fn finish_with_failure(
        &mut self,
        place: u32,
        number: u32,
        brought: &mut Option<Result<News<V>, Failure<E>>>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let is_kept = matches!(brought, Some(Err(failure)) if at.rules.keeps(failure));
        if is_kept && !self.finds_room_beside(place, effects) {
            return false;
        }
        if let Some(Err(failure)) = brought.take() {
            self.fail(place, number, failure, at, effects);
        }
        true
    }

    /// Fails loads that are over their budget; true if there was one, or if keeping its failure needs room first.
    pub(super) fn end_overdue(
        &mut self,
        waiting: &Waiting<C::Notify>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let is_overdue = |begun: Instant| at.rules.is_overdue(begun, at.now);
        let mut any = false;
        while let Some(number) = self.flights.slot(&waiting.seat).flight.overdue(is_overdue) {
            any = true;
            let newer = waiting.newer.as_ref().filter(|_| number == waiting.seat.began);
            if newer.is_some_and(|newer| !self.fail_at(&newer.0, Cause::BudgetExceeded, at, effects)) {
                break;
            }
            // Looked up again each time, because flights move when one of them ends.
            let place = self.flights.place(&waiting.seat);
            let had_begun = self.flights.at(place).flight.attempt(number).is_some_and(|attempt| attempt.has_begun());
            // If `Eq` panics in there, nothing has changed.
            let mut failure = Some(Err(Failure::new(Cause::BudgetExceeded)));
            if !self.finish_with_failure(place, number, &mut failure, at, effects) {
                break;
            }
            let load = self.flights.take_load(place, number);
            effects.rest().loads.extend(load);
            // A load that was never made has not begun.
            self.flights.counts.failed -= u64::from(!had_begun);
        }
        any
    }

    /// The places of the value and the kept failure of a flight's key, as long as the key may be stored.
    #[inline(always)]
    pub(super) fn places(&mut self, place: u32) -> (Option<u32>, Option<u32>) {
        let slot = self.flights.at(place);
        if slot.is_blank {
            return (None, None);
        }
        let hash = slot.hash;
        match slot.key.as_ref().filter(|_| slot.flight.is_attached()) {
            Some(key) => (self.values.find(hash, |k| k == key), self.failures.place(hash, |k| k == key)),
            None => (None, None),
        }
    }

    /// Does the same; none if `Eq` panics while another panic is under way, and the failure is told by a guard.
    pub(super) fn places_in_need(&mut self, place: u32) -> Option<(Option<u32>, Option<u32>)> {
        let mut places = None;
        contain(|| places = Some(self.places(place)));
        places
    }

    /// A caller gives up its seat. If it was the last, the flight and its load end.
    pub(crate) fn rise(&mut self, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        self.leave_newer(waiting, effects);
        let mut seat = mem::take(&mut waiting.seat);
        if mem::take(&mut waiting.may_hand_over) {
            let place = self.flights.place(&seat);
            let slot = self.flights.at(place);
            if slot.flight.worth_finishing() || (slot.is_last_of_a_batch() && !slot.flight.is_private()) {
                // The spawner is one more waiter, which has begun nothing.
                let own = mem::take(&mut seat.began);
                let is_lent = slot.flight.release(own);
                effects.keep_verdict(slot.take_own(own));
                self.flights.counts.dropped += u64::from(is_lent);
                effects.rest().handed = Some((waiting.hash, seat));
                return;
            }
        }
        self.give_up(&mut seat, effects);
    }

    /// Gives up a seat without a caller.
    pub(crate) fn give_up(&mut self, seat: &mut Seat<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let place = self.flights.place(seat);
        let own = mem::take(&mut seat.began);
        if self.flights.at(place).flight.is_private() {
            self.drop_private(place, own, effects);
        }
        self.flights.seats -= 1;
        let slot = self.flights.at(place);
        if !slot.flight.is_over() {
            effects.keep_waker(slot.flight.waits.withdraw(&mut seat.registration));
        }
        match slot.flight.leave(own) {
            Left::Last if slot.flight.is_kept() => self.leave_to_batches(place, effects),
            Left::Last => self.end(place, effects),
            Left::Others => effects.keep_verdict(slot.take_own(own)),
            Left::Lent => {
                effects.wake(slot.flight.make_room());
                self.flights.counts.dropped += 1;
            }
        }
    }

    /// Ends a flight without seats.
    pub(super) fn end(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) {
        self.flights.detach(place);
        let slot = self.flights.at(place);
        let running = slot.flight.close();
        // No caller is left to wake, so the waker only has to be dropped.
        match slot.flight.waits.take() {
            Woken::Nobody => {}
            Woken::Lone(waker) => effects.keep_waker(Some(waker)),
            Woken::All(shared) => effects.rest().unused.push(shared),
        }
        let slot = self.flights.at(place);
        while let Some((_, load)) = slot.loads.pop() {
            effects.rest().loads.push(load);
        }
        while let Some((_, own)) = slot.own.pop() {
            effects.keep_verdict(Some(own));
        }
        effects.keep_verdict(slot.verdict.take());
        if let Some(kept) = slot.kept.take() {
            effects.told = Some(*kept);
        }
        let key = slot.key.take();
        effects.keep_key(key);
        self.flights.counts.dropped += u64::from(running);
        self.flights.free(place);
    }
}
