//! A caller from before a write begins a load after it: the load is part of the newer epoch, too.

use alloc::boxed::Box;

use super::{At, Carries, Effects, Rules, Shard, SharedLoad, Step, Twin, Visit, Waiting};
use crate::{
    Cause, Failure, LoadError,
    flight::{PolledBy, Start},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A waiting caller begins a further attempt: in its flight or, after a write, in the newer one as well.
    ///
    /// A caller that `is_impatient` does so although others are loading, and is refused if there are too many.
    pub(super) fn begin_further(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        start: Start,
        is_impatient: bool,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        match self.links.anew.filter(|_| self.is_of_an_older_epoch(waiting)) {
            Some((begin_anew, _)) => begin_anew(self, waiting, start, is_impatient, visit, effects),
            None => self.begin(waiting, start, visit, effects),
        }
    }

    /// Begins a further attempt after a write.
    pub(super) fn begin_anew(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        start: Start,
        is_impatient: bool,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Some(key) = self.flights.slot(&waiting.seat).key.clone() else { return Step::Again };
        let newer = self.flights.find(waiting.hash, |k| *k == key);
        let live = newer.map_or(0, |newer| self.flights.at(newer).flight.live());
        if let Some(newer) = newer.filter(|_| live > 0) {
            let is_over_age = self.is_over_age(newer, visit.reached, visit.rules);
            if !is_impatient && (!is_over_age || live >= visit.rules.attempts) {
                effects.keep_key(Some(key));
                return self.move_on(newer, waiting, visit, effects);
            }
            if live >= visit.rules.attempts {
                effects.keep_key(Some(key));
                self.refuse(waiting, LoadError::LockTimeout, effects);
                return Step::Told;
            }
        }
        let newer = match newer {
            Some(newer) => {
                effects.keep_key(Some(key));
                newer
            }
            None => self.flights.claim_vacant(waiting.hash, key),
        };
        let step = self.begin(waiting, start, visit, effects);
        self.share_with(newer, waiting, start, visit, effects);
        if step != Step::Make {
            return step;
        }
        effects.anew = self.links.anew.map(|(_, drive)| drive);
        Step::MakeAnew
    }

    /// May a waiting caller begin an attempt? Each epoch has a bound of its own.
    pub(super) fn may_begin(&mut self, waiting: &Waiting<C::Notify>, rules: &Rules) -> bool {
        // For the newer epoch, that is checked when the attempt begins.
        self.is_of_an_older_epoch(waiting) || self.flights.slot(&waiting.seat).flight.live() < rules.attempts
    }

    fn is_of_an_older_epoch(&mut self, waiting: &Waiting<C::Notify>) -> bool {
        // A caller that loads for itself has no key here, and always begins attempts in its own flight.
        let flight = &self.flights.slot(&waiting.seat).flight;
        !waiting.is_alone && !flight.is_attached() && !flight.is_private()
    }

    /// Moves the caller to the newer epoch of its key, where it joins instead of taking over.
    fn move_on(
        &mut self,
        newer: u32,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let live = self.flights.slot(&waiting.seat).flight.live();
        self.flights.counts.takeovers -= u64::from(live > 0);
        waiting.has_begun |= waiting.seat.began != 0;
        let mut seat = core::mem::take(&mut waiting.seat);
        self.take_seat(newer, waiting, effects);
        self.give_up(&mut seat, effects);
        self.visit(waiting, &Visit { is_first: true, ..*visit }, effects)
    }

    /// Shares the load that the caller has begun with the newer flight, which counts it.
    fn share_with(
        &mut self,
        newer: u32,
        waiting: &mut Waiting<C::Notify>,
        start: Start,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let older = self.flights.slot(&waiting.seat);
        let number = waiting.seat.began;
        let counted = Twin::default();
        let batch = older.parts.iter_mut().find(|part| part.number == number).map(|part| {
            part.twin = Some(counted.clone());
            part.batch.clone()
        });
        if batch.is_some() {
            older.flight.count_elsewhere(number);
        }
        let by = batch.as_ref().map_or_else(|| PolledBy::here(visit.inside), SharedLoad::polled_by);
        let flight = &mut self.flights.at(newer).flight;
        let (twin, is_earlier) = flight.begin_for_others(visit.reached, visit.call.terms, start, by);
        if is_earlier {
            let woken = flight.waits.all();
            effects.wake(woken);
        }
        flight.count_elsewhere(twin);
        if let Some(batch) = batch {
            self.add_part(newer, twin, (batch, Some(counted.clone())), None, effects);
        }
        waiting.newer = Some(Box::new((self.flights.seat_of(newer, twin), counted)));
    }

    /// Notes that the load a caller has lent in both epochs is polled, or is not any more.
    pub(super) fn lend_anew(&mut self, waiting: &Waiting<C::Notify>, by: Option<PolledBy>) {
        let Some(newer) = &waiting.newer else { return };
        let Some(place) = self.flights.find_place(&newer.0) else { return };
        let flight = &mut self.flights.at(place).flight;
        match by {
            Some(by) => flight.lend(newer.0.began, by),
            None => _ = flight.check_in(newer.0.began),
        }
    }

    /// The load goes with its caller, if it was lent; a load at rest stays.
    pub(super) fn leave_newer(&mut self, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let Some(newer) = waiting.newer.take() else { return };
        let Some(place) = self.flights.find_place(&newer.0) else { return };
        let flight = &mut self.flights.at(place).flight;
        if flight.release(newer.0.began) {
            effects.wake(flight.make_room());
            self.end_if_empty(place, effects);
        }
    }

    /// The load that the caller has begun in both epochs will not be made.
    #[cold]
    pub(super) fn unmake_newer(&mut self, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let Some(newer) = waiting.newer.take() else { return };
        let Some(place) = self.flights.find_place(&newer.0) else { return };
        let flight = &mut self.flights.at(place).flight;
        flight.forget(newer.0.began);
        effects.wake(flight.make_room());
        self.end_if_empty(place, effects);
    }

    /// A load that this caller drove has panicked. If keeping that [needs](Effects::need) room, this comes again.
    pub(crate) fn panicked(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        number: u32,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        if let Some(newer) = waiting.newer.as_ref().filter(|_| number == waiting.seat.began) {
            if !self.fail_at(&newer.0, Cause::Panicked, at, effects) {
                return;
            }
            waiting.newer = None;
        }
        // (A caller that was told has no seat any more.)
        let Some(place) = self.flights.find_place(&waiting.seat).filter(|_| waiting.seat.is_taken()) else { return };
        self.flights.at(place).flight.set_begun(waiting.seat.began, waiting.started);
        self.finish_with_failure(place, number, &mut Some(Err(Failure::new(Cause::Panicked))), at, effects);
    }
}
