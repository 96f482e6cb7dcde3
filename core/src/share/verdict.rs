//! What a load has answered: judged by the user's rules, and turned into the shard's form.

use super::{After, Engine, VisitOf, caller_load::Verdict, guard::Driving};
use crate::{
    Cause, Failure, Instant, Key, Loaded, Runtime, Ttl, Tuning,
    shard::{AsKey, Need, News, Step, Waiting},
    source::{Answered, Judgement},
    sync::Arc,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Lets the user's rules judge an answer, without a lock.
    #[inline(always)]
    pub(super) fn judge_answer(&self, verdict: &mut Verdict<V, E>, key: Option<&dyn AsKey<K>>) -> Judgement {
        match verdict {
            Ok(Answered::Value(loaded, _)) => self.judge_loaded(loaded, key).unwrap_or_default(),
            _ => Judgement::default(),
        }
    }

    /// The same, of a value; none if there are no rules.
    #[inline(always)]
    pub(super) fn judge_loaded(&self, loaded: &mut Loaded<V>, key: Option<&dyn AsKey<K>>) -> Option<Judgement> {
        // (Mostly, they say nothing.)
        if !matches!(loaded.ttl, Ttl::Inherit) {
            self.expect_expiry_of([loaded.ttl]);
        }
        let key = key.filter(|_| self.source.judges())?;
        let judgement = self.source.judge(&key.to_key(), loaded);
        self.expect_expiry_of([judgement.ttl]);
        Some(judgement)
    }

    /// Returns why a load without a value has failed, and holds the value that it brought to be served instead.
    #[cold]
    #[inline(never)]
    pub(super) fn failed(
        &self,
        mut verdict: Verdict<V, E>,
        Waiting { hash, seat, newer, .. }: &Waiting<R::Notify>,
        number: u32,
        key: Option<&dyn AsKey<K>>,
        now: Instant,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Failure<E> {
        if let (Ok(Answered::Instead(failed)), Some(hold_instead)) = (&mut verdict, self.hold_instead) {
            let newer = newer.as_ref().filter(|_| number == seat.began);
            let own = seat.at_attempt(number);
            let seats = [newer.map_or(&own, |newer| &newer.0), &own];
            hold_instead(self, *hash, &seats, failed.0.take(), key, now, after.effects());
        }
        self.failure(cause_of(verdict))
    }

    /// Publishes what a load has brought.
    #[inline(always)]
    pub(super) fn publish(
        &self,
        driving: Driving<'_, K, V, E, R, S>,
        mut news: Option<Result<News<V>, Failure<E>>>,
        now: Instant,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Step {
        let hash = driving.waiting.hash;
        // The time never goes back within a poll. A time that an earlier poll has reached does not count: if the clock
        // has jumped back since, what began after that is not old.
        let reached = if visit.is_present { visit.reached } else { now };
        (visit.reached, visit.is_present) = (reached.max(now), true);
        let step = match self.finish.filter(|_| S::IS_BESIDE) {
            Some(finish) => finish(self, driving.waiting, &mut news, now, visit, after.effects()),
            None => {
                let step =
                    self.with(hash, |shard| shard.finish(driving.waiting, &mut news, now, visit, after.effects()));
                if after.effects().need == Need::Nothing {
                    step
                } else {
                    self.finish_with_room(driving.waiting, &mut news, now, visit, after)
                }
            }
        };
        driving.disarm_polled();
        step
    }

    /// Finishes an answer for which other shards have to give room.
    #[cold]
    #[inline(never)]
    fn finish_with_room(
        &self,
        waiting: &mut Waiting<R::Notify>,
        news: &mut Option<Result<News<V>, Failure<E>>>,
        now: Instant,
        visit: &VisitOf<'_, K, V, E, R, S>,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Step {
        self.with_room_of_others(waiting.hash, now, after, |shard, effects| {
            shard.finish(waiting, news, now, visit, effects)
        })
    }

    /// Turns the answer of a load into the shard's form.
    pub(super) fn news_of(&self, verdict: Verdict<V, E>, judgement: Judgement) -> Result<News<V>, Failure<E>> {
        match verdict {
            Ok(Answered::Value(loaded, former)) => Ok(News::new(loaded, judgement).with_former(former)),
            verdict => Err(self.failure(cause_of(verdict))),
        }
    }

    /// Makes a failure, with how long it is kept, without a lock.
    #[cold]
    pub(super) fn failure(&self, cause: Cause<E>) -> Failure<E> {
        let failure = self.source.failure(cause);
        if failure.length().is_some_and(|length| !length.is_zero()) {
            self.expects_expiry();
        }
        failure
    }
}

/// Returns why a load without a value has failed.
fn cause_of<V, E>(verdict: Verdict<V, E>) -> Cause<E> {
    match verdict {
        Ok(Answered::Instead(failed)) => failed.1,
        Ok(Answered::Nothing(lack)) => lack.into(),
        // Never asked for a value.
        Ok(Answered::Value(..)) => Cause::Missing,
        Err(error) => Cause::Error(Arc::new(error)),
    }
}
