//! A value that does not leave while room is made for another of its key.

use super::{ByPlace, Values};
use crate::store::policy::Policy;

impl<K: Eq, V, P: Policy> Values<K, V, P> {
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
