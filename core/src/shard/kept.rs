//! What is kept of a key without a value: that its last load has failed, or that its loads are not shared.

use super::{At, Carries, Effects, Shard};
use crate::{
    Failure, Instant,
    store::{Allowance, Failing, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Keeps a failure of the key, if that is to delay the next load.
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
        let Some(keep) = self.links.failures else { return effects.keep_key(Some(key)) };
        let hash = self.flights.at(place).hash;
        let share = self.share_of_failures(value, known);
        if share == 0 {
            effects.keep_key(Some(key));
            return;
        }
        self.make_room_for_failure(known, share, effects);
        // The value may soften this very failure: it does not leave for it, and should be the last to leave for others.
        let stays = value.map(|value| self.values.entry(value).generation);
        if let Some(value) = value {
            self.values.touch(value);
        }
        let failing = Failing { hash, key, failure, waits: value.is_some() || rules.delays_empty };
        effects.keep_failure(keep(&mut self.failures, known, failing, now, &rules.backoff));
        self.values.make_room(self.failures.len() as u64, stays, now, &mut effects.leavers);
        self.values.end_sparing();
        self.note_due();
        self.give_back();
    }

    /// How many failures may be kept beside the value of the key.
    fn share_of_failures(&mut self, value: Option<u32>, known: Option<u32>) -> u64 {
        if known.is_none() {
            let used = self.weight();
            _ = self.values.allowance.lack(used, 1);
        }
        let Allowance { own, part, whole, .. } = self.values.allowance;
        // A value that the failure may soften is worth more than it: if there is no room for both, the value stays.
        let spare = value.map_or(own, |value| own.saturating_sub(self.values.weight_at(value)));
        failures_share(part, whole).min(spare)
    }

    /// Makes room for one more failure, unless it replaces the one at `known`.
    fn make_room_for_failure(&mut self, known: Option<u32>, share: u64, effects: &mut Effects<K, V, E, C>) {
        while known.is_none() && self.failures.len() as u64 >= share {
            effects.keep_failure(self.failures.forget_first());
        }
    }

    /// Makes each caller of this key load alone until `end`.
    pub(super) fn keep_private(
        &mut self,
        known: Option<u32>,
        (hash, key): (u64, K),
        end: Instant,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let share = self.share_of_failures(None, known);
        if end.reached(now) || share == 0 {
            effects.keep_failure(known.map(|known| self.failures.remove(known)));
            effects.keep_key(Some(key));
        } else {
            self.make_room_for_failure(known, share, effects);
            effects.keep_failure(self.failures.keep_private(known, (hash, key), end));
            self.values.make_room(self.failures.len() as u64, None, now, &mut effects.leavers);
        }
        self.note_due();
        self.give_back();
    }
}

/// How many failures a shard keeps at most, so that they do not crowd out values.
pub(super) fn failures_share(part: u64, whole: u64) -> u64 {
    (part / FAILURES_SHARE).max(1).min(whole)
}

/// Failures take at most one part in so many.
const FAILURES_SHARE: u64 = 8;
