//! Serves what is held: fresh, or stale.

use core::time::Duration;

use super::{Call, Carries, Shard, Takes, Visit};
use crate::{Failure, Instant, Outcome, Status, TimeLeft, store::policy::Policy};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    pub(super) fn stale(
        &mut self,
        place: Option<u32>,
        now: Instant,
        limit: Option<Duration>,
        error: Option<&Failure<E>>,
    ) -> Option<Outcome<V, E>> {
        let place = place.filter(|place| self.expired_at(*place).stale_within(now, limit).is_some())?;
        Some(self.serve(place, now, error))
    }

    /// What a caller takes in the place of an answer: a fresh value, if that is good enough, or a stale one.
    pub(super) fn instead(
        &mut self,
        place: Option<u32>,
        now: Instant,
        takes_fresh: bool,
        limit: Option<Duration>,
        error: Option<&Failure<E>>,
    ) -> Option<Outcome<V, E>> {
        let fresh = place.filter(|place| takes_fresh && self.is_fresh_at(*place, now));
        let Some(fresh) = fresh else { return self.stale(place, now, limit, error) };
        Some(Outcome { error: error.cloned(), ..self.serve(fresh, now, None) })
    }

    /// Serves what is held: a hit, or stale with the error that it stands in for.
    pub(super) fn serve(&mut self, place: u32, now: Instant, error: Option<&Failure<E>>) -> Outcome<V, E> {
        let expired = self.expired_at(place);
        if !expired.reached(now) {
            let outcome = self.outcome_at(place, now, Status::Hit);
            self.values.hit(place, now);
            self.counts.hits += 1;
            return outcome;
        }
        let status = Status::Stale(now.saturating_since(expired));
        let error = error.filter(|failure| !failure.is_expired_answer()).cloned();
        let outcome = Outcome { error, ..self.outcome_at(place, now, status) };
        self.counts.stale += 1;
        outcome
    }

    pub(super) fn takes_stale(&self, place: u32, Visit { reached, call, .. }: &Visit<'_, K, C::Batch>) -> bool {
        let limit = call.stale_while_refresh.filter(|_| call.takes != Takes::Fresh);
        self.expired_at(place).stale_within(*reached, limit).is_some()
    }

    /// Is the value to be refreshed although it is fresh?
    pub(super) fn is_early(&self, place: u32, Visit { reached, rules, call, .. }: &Visit<'_, K, C::Batch>) -> bool {
        let is_asked = match call.takes {
            Takes::Fresh => false,
            Takes::Others => rules.early.inline,
            Takes::Ticket => true,
        };
        let Call { random, .. } = **call;
        is_asked && self.values.life(place).is_some_and(|life| rules.early.is_due(life, *reached, random))
    }

    /// Describes a value that is held.
    pub(super) fn outcome_at(&self, place: u32, now: Instant, status: Status) -> Outcome<V, E> {
        let entry = self.values.entry(place);
        Outcome {
            value: entry.value.clone(),
            status,
            age: now.saturating_since(self.values.published(place)),
            time_left: if self.values.trusted().reached(now) {
                TimeLeft::For(Duration::ZERO)
            } else {
                self.values.time_left(place, now)
            },
            led: false,
            attempt: None,
            waited: Duration::ZERO,
            generation: Some(entry.generation),
            error: None,
        }
    }
}
