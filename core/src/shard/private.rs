//! An answer is for its own caller alone: the others load for themselves, and for a while no load of the key is shared.

use core::hash::Hash;

use super::{
    Answer, Carries, Effects, Rules, Shard, Waiting,
    publish::{News, Plan},
};
use crate::{Failure, Instant, Ttl, store::policy::Policy};

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A load has answered for its own caller alone, or after a newer one that has; true if that caller was told, as the
    /// only one that waits.
    #[cold]
    #[inline(never)]
    pub(super) fn succeed_privately(
        &mut self,
        place: u32,
        number: u32,
        (brought, plan): (&mut Option<Result<News<V>, Failure<E>>>, Plan<K, V>),
        now: Instant,
        alone: Option<(&mut Waiting<C::Notify>, bool)>,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let slot = self.flights.at(place);
        // A clone may panic, so it comes before the answer is taken.
        let key = slot.key.as_ref().filter(|_| slot.flight.is_attached());
        let key = key.cloned().zip(plan.ttl.as_private());
        let Some(Ok(news)) = brought.take() else { return false };
        let value = news.into_value();
        let hash = slot.hash;
        // The only caller that waits need not have begun the load.
        let alone = alone.filter(|(waiting, _)| waiting.seat.began == number);
        self.flights.counts.succeeded += u64::from(alone.is_some() || self.flights.counts(place, number));
        self.counts.count_time(plan.begun, now);
        let since = plan.former.map_or(now, |former| former.published);
        let answer = Answer { value, attempt: Some(number), published: now, since, deadline: now, generation: None };
        let is_told = alone.is_some();
        if let Some((waiting, wants_value)) = alone {
            let own = self.end_alone(place, effects);
            effects.keep_key(own);
            self.tell_alone(waiting, wants_value, answer, effects);
        } else {
            self.remove_part(place, number, effects);
            self.keep_to_its_caller(place, number, answer, effects);
        }
        if let Some((key, length)) = key {
            let (former, known) = plan.places;
            self.discard(former, now, effects);
            self.keep_private(known, (hash, key), now.told().saturating_add(length), now, effects);
        }
        Self::end_plan(plan, effects);
        is_told
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Is an answer for its own caller alone?
    ///
    /// Never in a slot, nor for a caller that loads for itself, which has no key here.
    #[cold]
    pub(super) fn is_private(&mut self, place: u32, ttl: Ttl, rules: &Rules) -> bool {
        matches!(ttl, Ttl::Private(_)) && !rules.keeps_expired && self.flights.at(place).key.is_some()
    }

    /// Keeps the answer for the caller that began the load, or drops it if that has left. All that wait look again.
    fn keep_to_its_caller(&mut self, place: u32, number: u32, answer: Answer<V>, effects: &mut Effects<K, V, E, C>) {
        let slot = self.flights.at(place);
        // From now on it is known of the key that its loads are not shared.
        slot.is_blank = false;
        if slot.flight.keep_private(number) {
            slot.own.push((number, Ok(answer)));
        } else {
            effects.rest().values.push(answer.value);
        }
        effects.wake(slot.flight.waits.all());
    }

    /// If each caller loads for itself, a load goes with its caller, and there is room for the next one.
    #[cold]
    pub(super) fn drop_private(&mut self, place: u32, own: u32, effects: &mut Effects<K, V, E, C>) {
        let flight = &mut self.flights.at(place).flight;
        if own == 0 || flight.seats() == 1 {
            return;
        }
        // A lent load goes in any case.
        let Some(attempt) = flight.attempt(own).filter(|attempt| attempt.is_live() && !attempt.is_lent()) else {
            return;
        };
        self.flights.counts.dropped += u64::from(attempt.is_running());
        self.flights.at(place).flight.forget(own);
        let load = self.flights.take_load(place, own);
        effects.rest().loads.extend(load);
        self.remove_part(place, own, effects);
        effects.wake(self.flights.at(place).flight.make_room());
    }
}
