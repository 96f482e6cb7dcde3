//! A caller waits: each look at its flight, and which load it drives next.

use super::{AsKey, Carries, Effects, Seat, Shard, Step, Visit, Waiting};
use crate::{
    flight::{PolledBy, Work},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// What a waiting caller does next.
    #[inline(never)]
    pub(crate) fn visit(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        if visit.is_first {
            waiting.after = 0;
        }
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        let own = waiting.seat.began;
        if slot.flight.is_over() {
            let has_own = slot.own.iter().any(|(number, _)| *number == own);
            return if has_own { self.tell_own(waiting, visit, effects) } else { self.tell(waiting, visit, effects) };
        }
        if own != 0 && slot.flight.has_ended(own) {
            return self.tell_own(waiting, visit, effects);
        }
        let mut old = None;
        let noted = slot.flight.wait(&mut waiting.seat.registration, visit.waker, visit.is_first, &mut old);
        // Holds for the poll as a whole: each load of many keys has to be asked.
        effects.is_unwoken |= noted.is_unwoken;
        effects.keep_waker(old);
        // A call that drives its own load as a whole hears of that by itself.
        let led = if visit.batch.is_some() { own } else { 0 };
        if self.flights.has_parts(place) {
            self.listen_to_batches(place, led, visit.waker, effects);
            effects.is_unwoken |=
                visit.is_first && !visit.arrives_only && self.next_deadline(waiting, visit).reached(visit.reached);
        }
        if visit.arrives_only {
            return Step::Again;
        }
        if let Some(step) = self.check_out(place, waiting, visit, effects) {
            return step;
        }
        let flight = &mut self.flights.at(place).flight;
        if flight.live() == 0 || (flight.is_private() && flight.lacks_own(own, visit.rules.attempts)) {
            return self.lead(waiting, visit, effects);
        }
        effects.until = self.next_deadline(waiting, visit);
        if effects.until.reached(visit.reached) {
            // A ready answer beats every deadline: each load is polled before a deadline counts, woken or not.
            self.flights.at(place).flight.all_due(waiting.after);
            effects.is_unwoken = true;
            if let Some(step) = self.check_out(place, waiting, visit, effects) {
                return step;
            }
            if !visit.is_present {
                return Step::ReadClock;
            }
            let on_deadline = self.links.deadlines.map(|(_, on_deadline)| on_deadline);
            if let Some(step) = on_deadline.and_then(|on_deadline| on_deadline(self, waiting, visit, effects)) {
                return step;
            }
            effects.until = self.next_deadline(waiting, visit);
        }
        Step::Wait
    }

    /// Hands the caller a load to drive, if there is one.
    pub(super) fn check_out(
        &mut self,
        place: u32,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Step> {
        let slot = self.flights.at(place);
        let by = PolledBy::with(visit.waker, visit.inside);
        let (own, after) = (waiting.seat.began, &mut waiting.after);
        // A load of many keys that the call leads is driven by the call, as a whole.
        let led = if visit.batch.is_some() { own } else { 0 };
        let work = slot.flight.check_out(own, led, visit.is_first, after, visit.rules.has_loader, by);
        let (work, begins) = work?;
        self.flights.counts.begun += u64::from(begins);
        let slot = self.flights.at(place);
        let (number, step) = match work {
            Work::Make(number) => (number, Step::MakeShared),
            Work::Poll(number) => (number, Step::Poll),
            // Only its caller polls it.
            Work::Lent(number) => (number, Step::Lent),
            Work::Batch(number) => {
                effects.batch = slot.parts.iter().find(|part| part.number == number).map(|part| part.batch.clone());
                (number, Step::Batch)
            }
        };
        effects.number = number;
        if matches!(step, Step::MakeShared | Step::Poll) {
            // With the waker of all, if several callers wait.
            effects.waker = slot.flight.waits.waker();
            if let Some(waker) = &effects.waker {
                slot.flight.set_polled_by(number, PolledBy::with(waker, visit.inside));
            }
        }
        match step {
            Step::Poll => effects.load = self.flights.take_load(place, number),
            Step::Lent => self.lend_anew(waiting, Some(PolledBy::here(visit.inside))),
            _ => {}
        }
        Some(step)
    }

    /// A load was polled, and is not ready; none if it was lent. A caller that waits looks again.
    #[inline(never)]
    pub(crate) fn check_in(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        load: Option<C::Load>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Step> {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        let number = effects.number;
        slot.flight.set_begun(waiting.seat.began, waiting.started);
        let checked = slot.flight.check_in(number);
        if checked.wakes_all {
            // It was woken while it was polled. Some callers have looked since, in vain; this caller may not be woken,
            // nor be there for the next poll.
            effects.wake(slot.flight.waits.all());
        }
        match load {
            Some(load) if checked.is_wanted => slot.loads.push((number, load)),
            Some(load) => effects.rest().loads.push(load),
            None => self.lend_anew(waiting, None),
        }
        if waiting.is_visitor {
            // It has polled with the waker of all, which it had made before.
            return Some(Step::Told);
        }
        if checked.again {
            waiting.after = waiting.after.min(number - 1);
        }
        None
    }

    /// What was handed out is not polled, because something else has panicked before: any caller that waits polls it, or
    /// makes one in its place.
    #[cold]
    pub(crate) fn put_back(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        (number, step): (u32, Step),
        load: Option<C::Load>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        if step == Step::MakeAnew {
            self.unmake_newer(waiting, effects);
        }
        let place = self.flights.find_place(&waiting.seat);
        let Some(place) = place.filter(|place| self.flights.at(*place).flight.awaits(number)) else {
            effects.rest().loads.extend(load);
            return;
        };
        let slot = self.flights.at(place);
        match step {
            Step::Poll | Step::Lent | Step::Batch => {
                let is_wanted = slot.flight.check_in(number).is_wanted;
                slot.flight.set_due(number);
                match load {
                    Some(load) if is_wanted => slot.loads.push((number, load)),
                    load => effects.rest().loads.extend(load),
                }
                self.lend_anew(waiting, None);
            }
            _ => {
                slot.flight.forget(number);
                self.flights.counts.unmade += 1;
            }
        }
        let woken = self.flights.at(place).flight.waits.all();
        effects.wake(woken);
    }

    /// A load was made and not polled yet; none if it could not be made.
    pub(crate) fn put_to_rest(
        &mut self,
        seat: &Seat<C::Notify>,
        number: u32,
        load: Option<C::Load>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let slot = self.flights.slot(seat);
        match load {
            Some(load) if slot.flight.put_to_rest(number) => {
                slot.loads.push((number, load));
                // It begins with its first poll, by the caller that waits.
                self.flights.counts.unmade += 1;
                let woken = self.flights.slot(seat).flight.waits.all();
                effects.wake(woken);
            }
            load => effects.rest().loads.extend(load),
        }
    }

    /// The place of the value of the caller's key.
    pub(super) fn value_of(&mut self, waiting: &Waiting<C::Notify>, key: Option<&dyn AsKey<K>>) -> Option<u32> {
        let key = key?;
        self.values.find(waiting.hash, |k| key.is(k))
    }
}
