//! What a caller is told at the end of its wait, and how that is counted.

use super::{Answer, Carries, Shard, Visit, Waiting};
use crate::{Failure, Instant, LoadError, Outcome, Status, TimeLeft, store::policy::Policy};

#[cold]
fn stale_since(deadline: Instant, published: Instant) -> Status {
    Status::Stale(published.saturating_since(deadline))
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Counts a caller that is told an answer; returns the status.
    ///
    /// The answer expired at `deadline`, if that was before it was published.
    pub(super) fn count_told(&mut self, waiting: &Waiting<C::Notify>, published: Instant, deadline: Instant) -> Status {
        let status = if deadline < published {
            stale_since(deadline, published)
        } else if waiting.seat.began != 0 {
            waiting.first()
        } else {
            Status::LockHit
        };
        if waiting.is_counted {
            self.counts.ended(status);
        }
        status
    }

    /// The outcome of an answer for this caller.
    pub(super) fn outcome_of(&mut self, waiting: &Waiting<C::Notify>, answer: Answer<V>) -> Outcome<V, E> {
        let Answer { value, attempt, published, since, deadline, generation } = answer;
        let led = waiting.seat.began != 0;
        let status = self.count_told(waiting, published, deadline);
        Outcome {
            value,
            status,
            age: published.saturating_since(since),
            time_left: TimeLeft::until(deadline, published),
            led,
            attempt: attempt.filter(|_| !waiting.is_alone),
            waited: published.saturating_since(waiting.started),
            generation,
            error: None,
        }
    }

    /// The failure, or the value that the caller takes in its place.
    pub(super) fn soften(
        &mut self,
        waiting: &Waiting<C::Notify>,
        failure: Failure<E>,
        visit: &Visit<'_, K, C::Batch>,
    ) -> Result<Outcome<V, E>, LoadError<E>> {
        if visit.call.softens() {
            let (now, call) = (visit.reached, visit.call);
            let place = self.value_of(waiting, visit.key);
            if let Some(mut outcome) = self.instead(place, now, true, call.stale_if_error, Some(&failure)) {
                waiting.tell_wait(&mut outcome, now);
                return Ok(outcome);
            }
        }
        self.counts.errors += u64::from(waiting.is_counted);
        Err(LoadError::Failed(failure))
    }
}
