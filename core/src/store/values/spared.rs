//! A value that does not leave while room is made for another of its key.

use super::{ByPlace, FEW, Values};
use crate::{
    Instant,
    store::{Leavers, policy::Policy},
};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Lets a few values leave for a newcomer beside all that is `used`, if a few are likely to be as heavy as what is
    /// missing. The one that it replaces stays, perhaps in another place.
    ///
    /// Returns whether there is room now.
    #[cold]
    #[inline(never)]
    pub(crate) fn evict_few(
        &mut self,
        place: &mut Option<u32>,
        (used, weight): (u64, u64),
        now: Instant,
        leavers: &mut Leavers<K, V>,
    ) -> bool {
        let lack = weight.saturating_sub(self.allowance.spare(used));
        let is_its_own = lack <= used && self.allowance.is_enough(used.saturating_add(weight));
        if !is_its_own || !self.are_few(lack) {
            return false;
        }
        if let Some(place) = *place {
            self.spare(place);
        }
        let (before, mut left) = (self.weight, FEW);
        // What is missing then leaves as the newcomer comes, be it values or failures.
        let is_enough = |values: &Self, left| {
            let others = used - (before - values.weight);
            weight.saturating_sub(values.allowance.spare(others)) <= left
        };
        // Those that leave may be far lighter than most.
        while left > 0 && !is_enough(self, left) && self.evict(None, now, leavers) {
            left -= 1;
        }
        *place = self.loose;
        self.end_sparing();
        is_enough(self, left)
    }

    /// Do only about a few values have this weight?
    fn are_few(&self, weight: u64) -> bool {
        let each = self.weight / (self.len() as u64).max(1);
        weight / each.max(1) <= FEW
    }

    /// Returns the place of the value with this generation.
    pub(crate) fn find_generation(&self, hash: u64, generation: u32) -> Option<u32> {
        self.table.find_row(hash, |entry| entry.generation == generation)
    }

    /// Takes the value at `place` out of the order of eviction, until that [ends](Self::end_sparing).
    pub(crate) fn spare(&mut self, place: u32) {
        self.policy.remove(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place);
        self.loose = Some(place);
    }

    /// Lets the [spared](Self::spare) value leave as others do, as if it had just come.
    pub(crate) fn end_sparing(&mut self) {
        let Some(place) = self.loose.take() else { return };
        let weight = self.weight_at(place);
        let row = &mut self.table.rows_mut()[place as usize];
        row.node = P::Node::default();
        let hash = row.hash;
        let entries = &mut ByPlace(self.table.rows_mut(), self.facts.weights());
        let admission = self.policy.admit(entries, hash, weight);
        self.policy.insert(entries, place, admission);
    }
}
