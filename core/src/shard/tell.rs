//! A caller is told how its wait ends, and leaves.

use alloc::boxed::Box;

use super::{Answer, Carries, Effects, Seat, Shard, Step, Visit, Waiting};
use crate::{Failure, LoadError, Outcome, store::policy::Policy};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Takes the outcome if it is there and leaves nothing to drop: the fast path.
    #[inline]
    pub(crate) fn collect(&mut self, waiting: &mut Waiting<C::Notify>) -> Option<Outcome<V, E>> {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        // A load that it has lent in a newer epoch has to be taken back.
        if !slot.flight.is_over() || waiting.newer.is_some() {
            return None;
        }
        let Some(Ok(answer)) = &slot.verdict else { return None };
        let answer = if slot.flight.seats() > 1 {
            let answer = answer.clone();
            slot.flight.leave(0);
            answer
        } else {
            // The last caller takes it, and the flight ends. Its key may be left if that caller loads for itself or
            // came before a write.
            if slot.key.is_some() {
                return None;
            }
            let Some(Ok(answer)) = slot.verdict.take() else { return None };
            slot.flight.vacate();
            self.flights.free(place);
            answer
        };
        self.flights.seats -= 1;
        let outcome = self.outcome_of(waiting, answer);
        waiting.seat = Seat::default();
        Some(outcome)
    }

    /// The caller's own attempt has ended for it alone: it failed beside another one, or its answer is private.
    pub(super) fn tell_own(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let own = waiting.seat.began;
        let slot = self.flights.slot(&waiting.seat);
        let failure =
            slot.own.iter().find(|(number, _)| *number == own).and_then(|(_, verdict)| verdict.as_ref().err());
        if let Some(failure) = failure {
            if visit.call.softens() && !visit.is_present {
                return Step::ReadClock;
            }
            // (It is still there until the caller has left: a clone of a value may panic.)
            let failure = failure.clone();
            return self.leave_with_failure(waiting, failure, visit, effects);
        }
        let verdict = slot.take_own(own);
        slot.flight.forget(own);
        match verdict {
            Some(Ok(answer)) => self.leave_with(waiting, answer, effects),
            _ => Step::Again,
        }
    }

    /// The outcome is there: the caller takes it and leaves.
    pub(super) fn tell(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let slot = self.flights.slot(&waiting.seat);
        let is_last = slot.flight.seats() == 1;
        let answer = match &slot.verdict {
            Some(Ok(answer)) if !is_last => answer.clone(),
            Some(Ok(_)) => match slot.verdict.take() {
                Some(Ok(answer)) => answer,
                _ => return Step::Wait,
            },
            Some(Err(failure)) => {
                if visit.call.softens() && !visit.is_present {
                    return Step::ReadClock;
                }
                let failure = failure.clone();
                return self.leave_with_failure(waiting, failure, visit, effects);
            }
            None => {
                let Some(kept) = slot.kept.take() else { return Step::Wait };
                self.rise(waiting, effects);
                effects.told = Some(*kept);
                return Step::Told;
            }
        };
        self.leave_with(waiting, answer, effects)
    }

    /// The caller leaves with an answer.
    #[inline(always)]
    fn leave_with(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        answer: Answer<V>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let outcome = self.outcome_of(waiting, answer);
        self.rise(waiting, effects);
        effects.told = Some(Ok(outcome));
        Step::Told
    }

    /// The poll that was about to tell the caller unwinds: the caller gets a seat again, and finds its result there.
    pub(crate) fn keep_told(&mut self, waiting: &mut Waiting<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let place = self.flights.claim(waiting.hash, None, false, &mut waiting.seat);
        let (slot, at) = (self.flights.at(place), waiting.started);
        let (_nobody, _none) = slot.flight.settle();
        waiting.is_counted = false;
        slot.kept = effects.told.take().map(Box::new);
        // A caller that wants only the value is told no more of it.
        slot.verdict = effects.value.take().map(|value| Ok(Answer::bare(value, at)));
    }

    /// The caller leaves with a failure, or with a value that softens it.
    pub(super) fn leave_with_failure(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        failure: Failure<E>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let told = self.soften(waiting, failure, visit);
        self.rise(waiting, effects);
        effects.told = Some(told);
        Step::Told
    }

    /// The caller leaves with an error.
    pub(super) fn refuse(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        error: LoadError<E>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        self.counts.errors += u64::from(waiting.is_counted);
        if waiting.seat.is_taken() {
            self.rise(waiting, effects);
        }
        effects.told = Some(Err(error));
    }
}
