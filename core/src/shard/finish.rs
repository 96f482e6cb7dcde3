//! A load that a caller drove has ended: its answer is stored and told.

use core::hash::Hash;

use super::{Answer, At, Carries, Effects, News, Seat, Shard, Step, Visit, Waiting};
use crate::{Failure, Instant, store::policy::Policy};

/// What became of an answer that was delivered in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It was told there, if that was still of use, and stored as this.
    Done(Option<Stored>),
    /// It needs room first.
    NeedsRoom,
}

/// What identifies a value that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(super) generation: u32,
    pub(super) deadline: Instant,
}

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A load that this caller drove has ended: it is published, unless something newer is there; then the caller is
    /// told. If it [needs](Effects::need) room, it is not finished.
    ///
    /// It is taken out of `brought` in place, because it may be large.
    #[inline(always)]
    pub(crate) fn finish(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        brought: &mut Option<Result<News<V>, Failure<E>>>,
        now: Instant,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let at = At { now, rules: visit.rules };
        if waiting.newer.is_some() {
            return self.finish_in_both(waiting, brought, at, visit, effects);
        }
        let (place, number) = self.back(waiting, effects);
        let is_alone = !waiting.is_visitor && self.flights.at(place).is_alone_with(number);
        if let Some(Err(_)) = brought {
            if !self.finish_with_failure(place, number, brought, at, effects) {
                return Step::Again;
            }
        } else {
            let alone = if is_alone { Some((&mut *waiting, visit.wants_value)) } else { None };
            if self.succeed(place, number, brought, at, alone, effects) || effects.lacks_room() {
                return Step::Told;
            }
        }
        if waiting.is_visitor {
            return Step::Told;
        }
        self.visit(waiting, visit, effects)
    }

    /// A load lent in two epochs of its key has ended: what the newer epoch stores is told in the older one, too.
    #[cold]
    #[inline(never)]
    fn finish_in_both(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        brought: &mut Option<Result<News<V>, Failure<E>>>,
        at: At<'_>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let Delivered::Done(stored) = self.finish_in_newer(waiting, brought, at, effects) else { return Step::Again };
        let (place, number) = self.back(waiting, effects);
        if let Some(Err(_)) = brought {
            if !self.finish_with_failure(place, number, brought, at, effects) {
                return Step::Again;
            }
        } else {
            self.succeed(place, number, brought, at, None, effects);
            if effects.lacks_room() {
                return Step::Told;
            }
            if let Some(stored) = stored {
                self.tell_stored(place, number, stored);
            }
        }
        if waiting.is_visitor { Step::Told } else { self.visit(waiting, visit, effects) }
    }

    /// Delivers in the newer epoch first: what is published is there before any caller is told.
    fn finish_in_newer(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        brought: &Option<Result<News<V>, Failure<E>>>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Delivered {
        let is_lent_there = effects.number == waiting.seat.began;
        let Some(newer) = waiting.newer.as_ref().filter(|_| is_lent_there) else { return Delivered::Done(None) };
        let mut news = brought.clone();
        let delivered = self.deliver(&newer.0, (None, None), &mut news, at, effects);
        if delivered == Delivered::NeedsRoom {
            effects.keep_news(news);
        } else {
            // Not before: if a clone has panicked, the newer epoch has to be told.
            waiting.newer = None;
        }
        delivered
    }

    /// The answer of this attempt was not stored by its own epoch, but by a newer one.
    #[cold]
    pub(super) fn tell_stored(&mut self, place: u32, number: u32, stored: Stored) {
        match &mut self.flights.at(place).verdict {
            Some(Ok(answer)) if answer.attempt == Some(number) => {
                (answer.generation, answer.deadline) = (Some(stored.generation), stored.deadline);
            }
            _ => {}
        }
    }

    /// A load has answered: its answer is stored and told, unless something newer is there.
    ///
    /// `alone` is the caller, and whether it wants only the value, if it is the only one that waits and this is its
    /// only load: the flight ends at once, and true is returned. If it [needs](Effects::need) room, nothing has
    /// happened.
    pub(crate) fn succeed(
        &mut self,
        place: u32,
        number: u32,
        brought: &mut Option<Result<News<V>, Failure<E>>>,
        at: At<'_>,
        alone: Option<(&mut Waiting<C::Notify>, bool)>,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let attempt = self.flights.at(place).flight.attempt(number).filter(|attempt| attempt.is_live());
        let (Some(Ok(news)), Some(attempt)) = (&*brought, attempt) else {
            effects.keep_news(brought.take());
            return false;
        };
        // Everything that may panic comes first.
        let (former, settled) = (news.former(), news.terms(attempt.begun, &attempt.terms, at));
        let mut plan = self.plan(place, settled, news, at);
        let is_outdone = self.flights.at(place).flight.is_outdone(number);
        let is_private = plan.stored.is_none() && self.is_private(place, plan.ttl, at.rules);
        let finds_room = if plan.stored.is_some() {
            is_outdone || self.finds_room(&mut plan.places.0, plan.weight, at.now, effects)
        } else {
            !is_private || self.finds_room_beside(place, effects)
        };
        if !finds_room {
            Self::end_plan(plan, effects);
            return false;
        }
        if is_private || is_outdone {
            return self.succeed_privately(place, number, (brought, plan), at.now, alone, effects);
        }
        let Some(Ok(news)) = brought.take() else { return false };
        let value = news.into_value();
        // A caller that loads for itself has no key there.
        let slot = self.flights.at(place);
        let (is_unshared, hash) = (slot.key.is_none(), slot.hash);
        self.flights.counts.succeeded += u64::from(alone.is_some() || self.flights.counts(place, number));
        let key = if alone.is_some() {
            self.end_alone(place, effects)
        } else {
            self.flights.at(place).flight.forget(number);
            self.settle(place, effects)
        };
        let mut answer = self.publish(key.map(|key| (hash, key)), number, value, plan, at, effects);
        if is_unshared {
            // Nothing is stored; a value that is still good was stored before.
            answer.generation = former;
        }
        match alone {
            Some((waiting, wants_value)) => {
                self.tell_alone(waiting, wants_value, answer, effects);
                true
            }
            None => {
                self.flights.at(place).verdict = Some(Ok(answer));
                false
            }
        }
    }

    /// Tells the only caller of a flight that has ended.
    #[inline(always)]
    pub(super) fn tell_alone(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        wants_value: bool,
        answer: Answer<V>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        if wants_value {
            self.count_told(waiting, answer.published, answer.deadline);
            effects.value = Some(answer.value);
        } else {
            effects.told = Some(Ok(self.outcome_of(waiting, answer)));
        }
        waiting.seat = Seat::default();
    }

    /// Ends a flight with its only caller and its only load.
    #[inline(always)]
    pub(super) fn end_alone(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) -> Option<K> {
        let was_attached = self.flights.detach(place);
        let slot = self.flights.at(place);
        effects.keep_waker(slot.flight.end_alone());
        let key = slot.key.take();
        self.flights.seats -= 1;
        self.flights.free(place);
        if was_attached {
            return key;
        }
        effects.keep_key(key);
        None
    }
}
