//! A load ends: what is stored, what everybody is told, and what is left over.

use core::{hash::Hash, time::Duration};

use super::{At, Effects, Shard, Waiting};
use crate::{
    Cause, Failure, Instant, Loaded, Outcome, Previous, Ttl,
    flight::{Answer, Ended, Flight, Seat, Terms},
    source::{Judgement, Touched},
    store::{Failing, Former, New, policy::Policy},
};

/// A value that a load has answered, and what there is to say of it.
pub(crate) struct News<V> {
    value: V,
    ttl: Ttl,
    weight: Option<u64>,
    judgement: Judgement,
    /// Which value it was before, if it is the previous one that is still good.
    former: Option<Former>,
}

impl<V> News<V> {
    pub(crate) fn new(Loaded { value, ttl, weight }: Loaded<V>, judgement: Judgement) -> Self {
        Self { value, ttl, weight, judgement, former: None }
    }

    pub(crate) fn kept(previous: Previous<V>, ttl: Ttl, judgement: Judgement) -> Self {
        let Previous { value, generation, published, weight, .. } = previous;
        Self { value, ttl, weight: Some(weight), judgement, former: Some(Former { generation, published }) }
    }
}

impl<K: Eq, V: Clone, E, F, W, C: Default, P: Policy> Shard<K, V, E, F, W, C, P> {
    /// Publishes the answer of attempt `number`, unless a newer outcome is there already.
    ///
    /// If the user's code panics, nothing has happened.
    pub(crate) fn succeed(
        &mut self,
        seat: &Seat,
        number: u32,
        news: News<V>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) where
        K: Hash + Clone,
    {
        let Some((terms, begun)) = self.flights.may_answer(seat, number) else {
            effects.value = Some(news.value);
            return;
        };
        let plan = self.plan(seat, (terms, begun), news, at);
        let Ended { key, hash, crowd, loads } = self.flights.succeed(seat, number);
        effects.wake = Some(crowd);
        effects.loads.extend(loads);
        let answer = self.publish(key.map(|key| (hash, key)), number, plan, at, effects);
        self.flights.seated(seat).tell(Ok(answer));
    }

    /// Publishes the answer of attempt `number` and ends the flight with the wait of its caller, if that is all there is
    /// to it; if not, the answer is given back.
    ///
    /// The same as to [succeed](Self::succeed), to be [told](Self::told) and to leave, but most flights end like this.
    pub(crate) fn land(
        &mut self,
        waiting: &Waiting,
        number: u32,
        news: News<V>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Landed<K, V, E, F, W, C>
    where
        K: Hash + Clone,
    {
        let Some(alone) = self.flights.alone(&waiting.seat, number) else { return Err(news) };
        let plan = self.plan(&waiting.seat, alone, news, at);
        let (key, flight) = self.flights.land(&waiting.seat);
        let answer = self.publish(key.map(|key| (waiting.hash, key)), number, plan, at, effects);
        Ok((self.tell(waiting, answer), flight))
    }

    /// Does all that a publication takes of the user's code, while there is nothing yet that a panic could break.
    fn plan(&mut self, seat: &Seat, (terms, begun): (Terms, Instant), news: News<V>, at: At<'_>) -> Plan<K, V>
    where
        K: Hash + Clone,
    {
        let At { now, rules } = at;
        let News { value, ttl, weight, judgement, former } = news;
        let ttl = ttl.or(terms.ttl).or(judgement.ttl);
        let weight = weight.or(terms.weight).or(judgement.weight).unwrap_or(1);
        let places = self.places(seat);
        let flight = self.flights.seated(seat);
        let key = flight.key().filter(|_| flight.is_attached());
        let stored = key.and_then(|key| rules.end(ttl, key, now)).map(|end| (end, value.clone()));
        let over = key.filter(|_| rules.keeps_expired && ttl.or(rules.ttl).is_zero()).cloned();
        Plan { value, stored, over, weight, former, took: now.saturating_since(begun), places }
    }

    /// Stores what is planned under its key, if it may be, and returns what is to be said of it.
    fn publish(
        &mut self,
        key: Option<(u64, K)>,
        number: u32,
        plan: Plan<K, V>,
        At { now, rules }: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Answer<V> {
        let Plan { value, stored, over, weight, former, took, places: (place, failure) } = plan;
        // What came expired is no reason to do without a value that is still good.
        let is_of_use = |place: u32| over.is_some() && former.is_none() && self.values.entry(place).is_fresh(now);
        let stays = place.is_some_and(is_of_use);
        self.counts.load_time += took;
        let since = former.map_or(now, |former| former.published);
        let mut answer =
            Answer { value, attempt: Some(number), published: now, since, deadline: now, generation: None };
        let Some((hash, key)) = key else { return answer };
        effects.failures.extend(match over {
            // A source that keeps saying so must not be asked in a loop.
            Some(key) => {
                let failing = Failing { hash, key, failure: Failure::new(Cause::AlreadyExpired), waits: true };
                self.failures.record(failure, failing, now, &rules.backoff)
            }
            None => failure.map(|place| self.failures.remove(place)),
        });
        match stored {
            Some((_, value)) if stays => (effects.key, effects.value) = (Some(key), Some(value)),
            Some((end, value)) => {
                let new = New { hash, key, value, weight, now, end, took, former };
                let deadline = self.values.deadline(new.life());
                answer.generation = self.put_or_renew(place, new, effects);
                if answer.generation.is_some() {
                    answer.deadline = deadline;
                }
            }
            None => {
                if let Some(place) = place {
                    self.values.discard(place, now, &mut effects.leavers);
                    effects.touched = Some(Touched::Value);
                }
                effects.key = Some(key);
            }
        }
        answer
    }

    /// Stores a value, or lets the one that is stored stay if it is the same.
    fn put_or_renew(
        &mut self,
        place: Option<u32>,
        new: New<K, V>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Option<u32> {
        let is_same =
            |place: &u32| new.former.is_some_and(|former| former.generation == self.values.entry(*place).generation);
        let Some(place) = place.filter(is_same) else { return self.put(place, new, effects) };
        self.values.renew(place, new.life());
        self.note_due();
        effects.touched = Some(Touched::Deadline);
        (effects.key, effects.value) = (Some(new.key), Some(new.value));
        new.former.map(|former| former.generation)
    }

    /// Ends attempt `number` by a failure; if it was the last in flight, everybody is told and it may be kept.
    pub(crate) fn fail(
        &mut self,
        seat: &Seat,
        number: u32,
        failure: Failure<E>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) {
        if let Some((_, begun)) = self.flights.may_answer(seat, number) {
            self.counts.load_time += at.now.saturating_since(begun);
            let places = self.places(seat);
            if let Some(ended) = self.flights.fail(seat, number, &failure) {
                return self.keep_failure(ended, places, failure, at, effects);
            }
            // Whoever began it is told so, and he need not be the one who drove it; others have room for an attempt again.
            effects.nudge = true;
        }
        effects.error = Some(failure);
    }

    /// Ends the attempts that are overdue.
    pub(super) fn settle_overdue(
        &mut self,
        seat: &Seat,
        is_overdue: impl Fn(Instant) -> bool,
        at: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) {
        let places = self.places(seat);
        let (ended, mut loads) = self.flights.overdue(seat, is_overdue);
        if let Some((mut ended, failure)) = ended {
            loads.append(&mut ended.loads);
            self.keep_failure(ended, places, failure, at, effects);
        } else {
            effects.nudge = true;
        }
        effects.loads.append(&mut loads);
    }

    /// Stores a value under its key, at `place` if it is there, and makes room for it among values and failures.
    pub(super) fn put(
        &mut self,
        place: Option<u32>,
        new: New<K, V>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Option<u32> {
        if let Some(spare) = self.values.capacity().checked_sub(new.weight.max(1)) {
            while self.failures.len() as u64 > spare {
                effects.failures.extend(self.failures.forget_first());
            }
        }
        let generation = self.values.put(place, new, self.failures.len() as u64, &mut effects.leavers);
        effects.touched = Some(Touched::Value);
        self.note_due();
        generation
    }

    /// Looks up the value and the kept failure of a seated caller's key, while there is nothing yet that a panic could
    /// break.
    fn places(&mut self, seat: &Seat) -> Places {
        let flight = self.flights.seated(seat);
        let hash = flight.hash();
        match flight.key().filter(|_| flight.is_attached()) {
            Some(key) => (self.values.find(hash, |k| k == key), self.failures.place(hash, |k| k == key)),
            None => (None, None),
        }
    }

    fn keep_failure(
        &mut self,
        ended: Ended<K, F, C>,
        (value, place): Places,
        failure: Failure<E>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, F, C>,
    ) {
        let At { now, rules } = at;
        let Ended { key, hash, crowd, loads } = ended;
        effects.wake = Some(crowd);
        effects.loads.extend(loads);
        let Some(key) = key else { return };
        let capacity = self.values.capacity();
        // A value that it may soften is worth more than it: where there is no room for both, the value stays.
        let spare = value.map_or(capacity, |value| capacity.saturating_sub(self.values.entry(value).weight));
        let share = failures_share(capacity).min(spare);
        if (rules.backoff.first.is_zero() && !rules.backoff.endless) || share == 0 {
            effects.key = Some(key);
            // The same visit may have failed another attempt, whose error must not be dropped under the lock; then this is
            // an exceeded budget, with nothing of the user's in it.
            effects.error.get_or_insert(failure);
            return;
        }
        while place.is_none() && self.failures.len() as u64 >= share {
            effects.failures.extend(self.failures.forget_first());
        }
        if let Some(value) = value {
            // It may soften this very failure, so it is the last that should make room for it.
            self.values.favour(value);
        }
        let failing = Failing { hash, key, failure, waits: value.is_some() || rules.delays_empty };
        effects.failures.extend(self.failures.record(place, failing, now, &rules.backoff));
        self.values.make_room(self.failures.len() as u64, now, &mut effects.leavers);
        self.note_due();
    }
}

/// What is about to be published.
struct Plan<K, V> {
    value: V,
    /// Until when it is stored, and the copy that is.
    stored: Option<(Instant, V)>,
    /// The key, if the source has answered with a value that was over already.
    over: Option<K>,
    weight: u64,
    former: Option<Former>,
    took: Duration,
    places: Places,
}

/// What the only caller of a flight is told, and what is left of the flight; or what he came with, if he is not that.
pub(crate) type Landed<K, V, E, F, W, C> = Result<(Outcome<V, E>, Flight<K, F, V, E, W, C>), News<V>>;

/// Where the value and the kept failure of a key are.
type Places = (Option<u32>, Option<u32>);

/// Returns how many failures are kept at most.
///
/// They have a share of their own, so that neither a flood of them nor a flood of values drives out the other.
pub(super) fn failures_share(capacity: u64) -> u64 {
    (capacity / FAILURES_SHARE).max(1).min(capacity)
}

/// Kept failures take at most one in so many of the capacity.
const FAILURES_SHARE: u64 = 8;
