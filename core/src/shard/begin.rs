//! A caller begins an attempt in a flight that it waits in.

use super::{Carries, Effects, Part, Shard, SharedLoad, Step, Visit, Waiting};
use crate::{
    LoadError,
    flight::{PolledBy, Registration, Start},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// The load went with the caller that brought it; the caller that is polled first leads from now on.
    pub(super) fn lead(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        if !visit.is_present {
            return Step::ReadClock;
        }
        let Some(start) = visit.start else {
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        self.begin_further(waiting, start, false, visit, effects)
    }

    /// The caller begins a further attempt in its flight.
    pub(super) fn begin(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        start: Start,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        let is_alone = slot.flight.seats() == 1 && slot.parts.is_empty();
        if !is_alone {
            // Noted at once, so that its load gets a waker that reaches all, and the caller hears of the other loads.
            let mut old = None;
            slot.flight.wait(&mut waiting.seat.registration, visit.waker, true, &mut old);
            effects.keep_waker(old);
        }
        let slot = self.flights.at(place);
        let waker = if start == Start::Made { slot.flight.waits.waker() } else { None };
        let batch = visit.batch.filter(|_| start == Start::Batch).map(|batch| batch(waiting.is_alone));
        let by = match &batch {
            Some(batch) => batch.polled_by(),
            None => PolledBy::with(waker.as_ref().unwrap_or(visit.waker), visit.inside),
        };
        waiting.newer = None;
        let before = waiting.seat.began;
        effects.keep_verdict(slot.take_own(before));
        let is_lent = slot.flight.release(before);
        let is_earlier = slot.flight.begin(&mut waiting.seat.began, visit.reached, visit.call.terms, start, by);
        if is_earlier {
            effects.wake(slot.flight.waits.all());
        }
        // Once the load has been polled, the others are asked, too.
        waiting.after = if is_alone { waiting.seat.began } else { 0 };
        (effects.number, effects.waker) = (waiting.seat.began, waker);
        let counts = &mut self.flights.counts;
        (counts.begun, counts.dropped) = (counts.begun + 1, counts.dropped + u64::from(is_lent));
        match start {
            Start::Lent => Step::Lent,
            Start::Batch => {
                let (slot, mut old) = (self.flights.at(place), None);
                slot.flight.wait(&mut waiting.seat.registration, visit.waker, false, &mut old);
                effects.keep_waker(old);
                let number = waiting.seat.began;
                let part = batch.map(|batch| Part { number, batch, twin: None, registration: Registration::default() });
                part.into_iter().for_each(|part| slot.parts.push(part));
                // The others need not look before the load is woken.
                self.listen_to_batches(place, number, visit.waker, effects);
                Step::Gathered
            }
            _ => Step::Make,
        }
    }
}
