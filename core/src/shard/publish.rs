//! The answer of a load is stored: planned first, because a clone may panic, and then done.

use core::{hash::Hash, num::NonZeroU64};

use super::{Answer, At, Carries, Effects, Shard};
use crate::{
    Cause, Failure, Instant, Ttl,
    flight::Terms,
    source::{Judgement, Loaded, Touched},
    store::{Failing, Former, New, policy::Policy},
};

/// The terms of a value, from all that have a say in them.
pub(super) struct Settled {
    pub(super) ttl: Ttl,
    pub(super) weight: u64,
    pub(super) former: Option<Former>,
    pub(super) begun: Instant,
}

/// The answer of a load, with the judgement of the user's rules.
#[derive(Clone)]
pub(crate) struct News<V> {
    pub(super) loaded: Loaded<V>,
    /// The generation of the previous value that is to stay, and when it was published.
    former: Option<(u32, Instant)>,
    judgement: Judgement,
}

impl<V> News<V> {
    #[inline(always)]
    pub(crate) const fn new(loaded: Loaded<V>, judgement: Judgement) -> Self {
        Self { loaded, former: None, judgement }
    }

    /// The answer is the previous value.
    #[inline(always)]
    pub(crate) const fn with_former(mut self, former: Option<(u32, Instant)>) -> Self {
        self.former = former;
        self
    }

    /// The generation of the previous value that is to stay.
    pub(super) fn former(&self) -> Option<u32> {
        self.former.map(|former| former.0)
    }

    pub(crate) const fn value(&mut self) -> &mut V {
        &mut self.loaded.value
    }

    pub(crate) fn into_value(self) -> V {
        self.loaded.value
    }

    /// Settles how long it lives and what it weighs, by all that have a say in it, and which value it was before.
    #[inline(always)]
    pub(super) fn terms(&self, begun: Instant, terms: &Terms, At { now, rules }: At<'_>) -> Settled {
        let Self { loaded: Loaded { ttl, weight, age, .. }, former, judgement } = self;
        let former = former.map(|(generation, published)| Former { generation, published });
        let former = Former::of(former, *age, now);
        let of = [ttl, &terms.ttl, &judgement.ttl, &rules.ttl];
        let mut ttl = Ttl::first(of);
        if ttl.is_to_be_settled() {
            ttl = Ttl::settle(of, begun, *age, now);
        }
        let weight = weight.map(NonZeroU64::get).or(terms.weight).or(judgement.weight).unwrap_or(1).max(1);
        Settled { ttl, weight, former, begun }
    }
}

impl<K, V, E, C: Carries> Effects<K, V, E, C> {
    /// Keeps an answer that is of no use, to be dropped.
    #[cold]
    pub(crate) fn keep_news(&mut self, news: Option<Result<News<V>, Failure<E>>>) {
        match news {
            Some(Ok(news)) => self.rest().values.push(news.into_value()),
            Some(Err(failure)) => self.keep_error(Some(failure)),
            None => {}
        }
    }
}

/// What is to be done with an answer.
pub(super) struct Plan<K, V> {
    /// When the value ends and the value, if it is stored.
    pub(super) stored: Option<(Instant, V)>,
    /// The key of a value that came expired, if such values are kept.
    over: Option<K>,
    pub(super) ttl: Ttl,
    pub(super) weight: u64,
    pub(super) former: Option<Former>,
    pub(super) begun: Instant,
    pub(super) places: (Option<u32>, Option<u32>),
}

/// An answer that is stale already had expired before it came, although it is not stored.
#[cold]
fn tell_stale<V>(ttl: Ttl, answer: &mut Answer<V>) {
    if let Ttl::Stale(since) = ttl {
        answer.deadline = answer.published.told().saturating_sub(since);
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// The value is not stored: the plan comes to nothing.
    #[cold]
    #[inline(never)]
    pub(super) fn end_plan(plan: Plan<K, V>, effects: &mut Effects<K, V, E, C>) {
        effects.rest().values.extend(plan.stored.map(|stored| stored.1));
        effects.keep_key(plan.over);
    }

    #[inline(always)]
    pub(super) fn plan(
        &mut self,
        place: u32,
        Settled { ttl, weight, former, begun }: Settled,
        news: &News<V>,
        at: At<'_>,
    ) -> Plan<K, V> {
        let At { now, rules } = at;
        let value = &news.loaded.value;
        let places = self.places(place);
        let slot = self.flights.at(place);
        let key = slot.key.as_ref().filter(|_| slot.flight.is_attached());
        let stored = key.and_then(|key| rules.end(ttl, key, now)).map(|end| (end, value.clone()));
        let over = key.filter(|_| rules.keeps_expired && ttl.is_over()).cloned();
        Plan { stored, over, ttl, weight, former, begun, places }
    }

    #[inline(always)]
    pub(super) fn publish(
        &mut self,
        key: Option<(u64, K)>,
        number: u32,
        value: V,
        plan: Plan<K, V>,
        At { now, rules }: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Answer<V> {
        let Plan { stored, over, ttl, weight, former, begun, places: (place, failure) } = plan;
        // A value that came expired does not remove one that is still good.
        let is_past = || (over.is_some() || matches!(ttl, Ttl::Stale(_))) && !Former::stays(former);
        let is_of_use = |place: u32| is_past() && self.is_fresh_at(place, now);
        let stays = place.is_some_and(is_of_use);
        self.counts.count_time(begun, now);
        let since = former.map_or(now, |former| former.published);
        let mut answer =
            Answer { value, attempt: Some(number), published: now, since, deadline: now, generation: None };
        let Some((hash, key)) = key else {
            tell_stale(ttl, &mut answer);
            return answer;
        };
        match over {
            // A source that always answers so must not be asked in a loop.
            Some(key) => {
                let failing = Failing { hash, key, failure: Failure::new(Cause::AlreadyExpired), waits: true };
                if let Some(keep) = self.links.failures {
                    effects.keep_failure(keep(&mut self.failures, failure, failing, now, &rules.backoff));
                }
            }
            None => effects.keep_failure(failure.map(|place| self.failures.remove(place))),
        }
        match stored {
            stored if stays => {
                effects.keep_key(Some(key));
                effects.rest().values.extend(stored.map(|stored| stored.1));
                tell_stale(ttl, &mut answer);
            }
            Some((end, value)) => {
                let new = New { hash, key, value, weight, now, end, begun, former };
                let deadline = self.values.deadline(new.life());
                answer.generation = self.put_or_renew(place, new, effects);
                if answer.generation.is_some() {
                    answer.deadline = deadline;
                }
            }
            None => {
                self.discard(place, now, effects);
                effects.keep_key(Some(key));
                tell_stale(ttl, &mut answer);
            }
        }
        answer
    }

    /// Removes what is stored under a key if the new answer is not stored.
    pub(super) fn discard(&mut self, place: Option<u32>, now: Instant, effects: &mut Effects<K, V, E, C>) {
        if let Some(place) = place {
            self.values.discard(place, now, &mut effects.leavers);
            self.give_back();
            effects.touched = Some(Touched::Value);
        }
    }

    /// Keeps the previous value if it is still there; otherwise, it is stored again.
    fn put_or_renew(&mut self, place: Option<u32>, new: New<K, V>, effects: &mut Effects<K, V, E, C>) -> Option<u32> {
        let is_same =
            |place: &u32| new.former.is_some_and(|former| former.generation == self.values.entry(*place).generation);
        let is_kept = place.filter(is_same).is_some_and(|place| self.values.renew(place, new.life()));
        if !is_kept {
            return self.put(place, new, effects);
        }
        self.note_due();
        effects.touched = Some(Touched::Deadline);
        effects.keep_key(Some(new.key));
        effects.rest().values.push(new.value);
        new.former.map(|former| former.generation)
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    #[inline(always)]
    pub(super) fn put(&mut self, place: Option<u32>, new: New<K, V>, effects: &mut Effects<K, V, E, C>) -> Option<u32> {
        if let Some(spare) = self.values.allowance.own.checked_sub(new.weight) {
            while self.failures.len() as u64 > spare {
                effects.keep_failure(self.failures.forget_first());
            }
        }
        let is_forever = new.end == Instant::NEVER;
        let generation = self.values.put(place, new, self.failures.len() as u64, &mut effects.leavers);
        effects.touched = Some(Touched::Value);
        // A value that leaves makes nothing due earlier.
        if !is_forever {
            self.note_due();
        }
        generation
    }
}
