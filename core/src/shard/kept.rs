//! What is kept of a key of which no value is stored: that its last load has failed, or that its loads are not shared.

use super::{At, Carries, Effects, Shard};
use crate::{
    Failure, Instant,
    store::{Failing, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A failure of the key is kept, if it is to delay the next load.
    pub(super) fn keep_failure(
        &mut self,
        place: u32,
        key: Option<K>,
        (value, known): (Option<u32>, Option<u32>),
        failure: Failure<E>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let At { now, rules } = at;
        let Some(key) = key else { return };
        let hash = self.flights.at(place).hash;
        let capacity = self.values.capacity();
        // A value that it may soften is worth more than it: where there is no room for both, the value stays.
        let spare = value.map_or(capacity, |value| capacity.saturating_sub(self.values.entry(value).weight));
        let share = failures_share(capacity).min(spare);
        if (rules.backoff.first.is_zero() && !rules.backoff.endless) || share == 0 {
            effects.keep_key(Some(key));
            return;
        }
        self.make_room_for_failure(known, share, effects);
        if let Some(value) = value {
            // It may soften this very failure, so it is the last that should make room for it.
            self.values.touch(value);
        }
        let failing = Failing { hash, key, failure, waits: value.is_some() || rules.delays_empty };
        effects.keep_failure(self.failures.record(known, failing, now, &rules.backoff));
        self.values.make_room(self.failures.len() as u64, now, &mut effects.leavers);
        self.note_due();
    }

    /// One failure more is to be kept, unless it takes the place of the one at `known`.
    fn make_room_for_failure(&mut self, known: Option<u32>, share: u64, effects: &mut Effects<K, V, E, C>) {
        while known.is_none() && self.failures.len() as u64 >= share {
            effects.keep_failure(self.failures.forget_first());
        }
    }

    /// Until `end`, whoever asks for this key loads alone.
    pub(super) fn keep_private(
        &mut self,
        known: Option<u32>,
        (hash, key): (u64, K),
        end: Instant,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let share = failures_share(self.values.capacity());
        if end.reached(now) || share == 0 {
            effects.keep_failure(known.map(|known| self.failures.remove(known)));
            effects.keep_key(Some(key));
        } else {
            self.make_room_for_failure(known, share, effects);
            effects.keep_failure(self.failures.keep_private(known, (hash, key), end));
            self.values.make_room(self.failures.len() as u64, now, &mut effects.leavers);
        }
        self.note_due();
    }
}

/// How many failures are kept at most, so that they do not crowd out values.
pub(super) fn failures_share(capacity: u64) -> u64 {
    (capacity / FAILURES_SHARE).max(1).min(capacity)
}

/// Failures take at most one part in so many.
const FAILURES_SHARE: u64 = 8;
