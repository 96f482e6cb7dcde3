//! Room for what comes: found in the shard, or asked of others; and given to others.

use super::{At, Carries, Effects, Need, Rules, Shard};
use crate::{
    Failure, Instant,
    store::{Allowance, FEW, Failing, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Finds room for a newcomer of this weight, in place of the value that is there; if not, others have to give it.
    #[inline(always)]
    pub(super) fn finds_room(&mut self, place: Option<u32>, weight: u64, effects: &mut Effects<K, V, E, C>) -> bool {
        let former = place.map_or(0, |place| self.values.entry(place).weight);
        let (used, weight) = (self.weight() - former, weight.max(1));
        self.values.finds_room(used, weight) || Self::has_asked(weight, effects)
    }

    /// There is none: then the newcomer has asked others for it already, or is to do so.
    #[cold]
    fn has_asked(weight: u64, effects: &mut Effects<K, V, E, C>) -> bool {
        let has_asked = effects.need == Need::Met;
        if !has_asked {
            effects.need = Need::Room(weight);
        }
        has_asked
    }

    /// The same for a failure of a flight's key.
    pub(super) fn finds_room_for_failure(
        &mut self,
        place: u32,
        rules: &Rules,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let is_asked = effects.need == Need::Met || self.values.allowance.is_alone();
        if is_asked || !rules.keeps_failures() || self.flights.at(place).key.is_none() {
            return true;
        }
        let (value, known) = self.places(place);
        let others = self.values.len() - usize::from(value.is_some()) + self.failures.len();
        let used = self.weight();
        let finds = known.is_some() || others > 0 || self.values.allowance.lack(used, 1) == 0;
        if !finds {
            effects.need = Need::RoomBeside;
        }
        finds
    }

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
        if !rules.keeps_failures() {
            effects.keep_key(Some(key));
            return;
        }
        let hash = self.flights.at(place).hash;
        if known.is_none() {
            let used = self.weight();
            _ = self.values.allowance.lack(used, 1);
        }
        let Allowance { own, part, whole, .. } = self.values.allowance;
        // A value that it may soften is worth more than it: where there is no room for both, the value stays.
        let spare = value.map_or(own, |value| own.saturating_sub(self.values.entry(value).weight));
        let share = failures_share(part, whole).min(spare);
        if share == 0 {
            effects.keep_key(Some(key));
            return;
        }
        while known.is_none() && self.failures.len() as u64 >= share {
            effects.keep_failure(self.failures.forget_first());
        }
        if let Some(value) = value {
            // It may soften this very failure, so it is the last that should make room for it.
            self.values.touch(value);
        }
        let failing = Failing { hash, key, failure, waits: value.is_some() || rules.delays_empty };
        effects.keep_failure(self.failures.record(known, failing, now, &rules.backoff));
        self.values.make_room(self.failures.len() as u64, now, &mut effects.leavers);
        self.note_due();
        self.give_back();
    }
}

impl<K: Eq, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Gives room for others, up to `most`, as long as this shard has more than it `keeps`; for that, a few values may leave.
    ///
    /// Returns how much that is, and whether there is more to be had.
    pub(crate) fn give(
        &mut self,
        most: u64,
        keeps: u64,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> (u64, bool) {
        let mut left = FEW;
        while left > 0 && self.weight() > keeps && self.values.allowance.spare(self.weight()) < most {
            left -= 1;
            if !self.values.evict(now, &mut effects.leavers) {
                effects.keep_failure(self.failures.forget_first());
            }
        }
        let given = self.values.allowance.hand_out(self.weight(), most);
        self.give_back();
        (given, left == 0 && given < most)
    }

    /// Gives back what room is not used any more.
    #[inline(always)]
    pub(crate) fn give_back(&mut self) {
        self.values.allowance.settle(self.values.weight() + self.failures.len() as u64);
    }

    /// Changes the capacity of the cache; what is too much then is to be [given](Self::give). True if there are failures
    /// left that are too many.
    pub(crate) fn resize(&mut self, whole: u64, part: u64, effects: &mut Effects<K, V, E, C>) -> bool {
        self.values.resize(whole, part);
        let share = failures_share(part, whole);
        for _ in 0..FEW {
            if self.failures.len() as u64 <= share {
                break;
            }
            effects.keep_failure(self.failures.forget_first());
        }
        self.note_due();
        self.give_back();
        self.failures.len() as u64 > share
    }
}

/// How many failures a shard keeps at most, so that they do not crowd out values.
fn failures_share(part: u64, whole: u64) -> u64 {
    (part / FAILURES_SHARE).max(1).min(whole)
}

/// Failures take at most one part in so many.
const FAILURES_SHARE: u64 = 8;
