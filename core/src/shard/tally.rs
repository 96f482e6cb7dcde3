//! Lookups and loads are counted when they end.

use super::{Call, LookupCounts, Shard, Wait};
use crate::{Failure, Instant, LoadError, Outcome, Status, store::policy::Policy};

/// How a load outside any flight ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoadEnd {
    Succeeded,
    Failed,
    Panicked,
    Dropped,
}

impl LookupCounts {
    /// Counts a lookup that ended with a value.
    pub(crate) fn ended(&mut self, status: Status) {
        let counter = match status {
            Status::Hit => &mut self.hits,
            Status::Miss => &mut self.misses,
            Status::Expired => &mut self.expired,
            Status::LockHit => &mut self.joined,
            Status::Stale(_) => &mut self.stale,
        };
        *counter += 1;
    }
}

impl<K: Eq, V: Clone, E, F, W, C: Default, P: Policy> Shard<K, V, E, F, W, C, P> {
    /// Counts a lookup that ended with a value.
    pub(crate) fn count(&mut self, status: Status) {
        self.counts.ended(status);
    }

    /// Serves a stale value in place of a failure, if the time is given and there is one within the call's limit.
    ///
    /// Or a fresh one, to who has refreshed it ahead of time.
    pub(crate) fn soften(
        &mut self,
        hash: u64,
        now: Option<(Instant, &Call)>,
        failure: Failure<E>,
        wait: Wait,
        eq: impl FnMut(&K) -> bool,
    ) -> Result<Outcome<V, E>, LoadError<E>> {
        if let Some((now, call)) = now {
            let place = self.values.find(hash, eq);
            if let Some(mut outcome) = self.instead(place, now, call.is_ahead(), call.stale_if_error, Some(&failure)) {
                wait.told(&mut outcome, now);
                return Ok(outcome);
            }
        }
        self.counts.errors += 1;
        Err(LoadError::Failed(failure))
    }

    /// Counts a load that begins outside any flight.
    pub(crate) const fn begin_alone(&mut self) {
        self.flights.counts.begun += 1;
        self.counts.alone += 1;
    }

    /// Counts the end of a load outside any flight, if it has begun, and of its lookup if that is not over.
    pub(crate) const fn end_alone(&mut self, end: Option<LoadEnd>, is_over: bool) {
        if !is_over {
            self.counts.abandoned += 1;
        }
        if let Some(end) = end {
            self.counts.alone -= 1;
            let counts = &mut self.flights.counts;
            let counter = match end {
                LoadEnd::Succeeded => &mut counts.succeeded,
                LoadEnd::Failed => &mut counts.failed,
                LoadEnd::Panicked => &mut counts.panicked,
                LoadEnd::Dropped => &mut counts.dropped,
            };
            *counter += 1;
        }
    }
}
