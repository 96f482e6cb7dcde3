//! A load has failed, and brought a value that may be served instead.

use core::hash::Hash;

use super::{At, Carries, Effects, News, Seat, Shard, publish::Settled};
use crate::{
    Ttl,
    store::{New, policy::Policy},
};

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Takes the value and holds it as a stale one, if the attempt of this seat may still be stored and nothing fresh
    /// or less stale is held.
    pub(crate) fn hold_instead(
        &mut self,
        seat: &Seat<C::Notify>,
        news: &mut Option<News<V>>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let At { now, rules } = at;
        let Some(place) = self.flights.find_place(seat) else { return };
        let slot = self.flights.at(place);
        let (hash, key) = (slot.hash, slot.key.as_ref().filter(|_| slot.flight.is_attached()).cloned());
        let attempt = slot.flight.attempt(seat.began).filter(|attempt| attempt.is_live());
        let (Some(attempt), Some(coming)) = (attempt, &*news) else { return effects.keep_key(key) };
        let settled = coming.terms(attempt.begun, &attempt.terms, at);
        let Some(key) = key else { return };
        let Settled { ttl, weight, former, begun } = settled;
        let ttl = match ttl {
            Ttl::Stale(_) | Ttl::NotStored | Ttl::Private(_) => ttl,
            // It is of use only in the place of a failure.
            _ => Ttl::Stale(0),
        };
        let (mut value, _) = self.places(place);
        let is_better = |end| value.is_some_and(|value| self.expired_at(value) > end);
        let end = rules.expired(ttl, now).filter(|end| !is_better(*end) && weight <= self.values.allowance.whole);
        let end = end.filter(|_| self.finds_room(&mut value, weight, now, effects));
        let Some((end, News { loaded, .. })) = end.zip(news.take_if(|_| end.is_some())) else {
            return effects.keep_key(Some(key));
        };
        self.flights.at(place).is_blank = false;
        self.put(value, New { hash, key, value: loaded.value, weight, now, end, begun, former }, effects);
        self.give_back();
    }
}
