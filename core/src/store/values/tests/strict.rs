//! A policy that checks that it is called as its trait promises.

use alloc::collections::BTreeSet;

use super::*;

/// Evicts the entry with the lowest place.
pub(super) struct Strict {
    places: BTreeSet<u32>,
    admitted: Option<u64>,
}

impl Strict {
    fn leave<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, place: u32) {
        assert!(self.places.remove(&place), "an entry leaves once");
        let weight = entries.weight(place);
        assert_eq!(entries.node(place).take(), Some(weight), "every change of a weight is told");
    }
}

impl Policy for Strict {
    /// The weight that the policy was told.
    type Node = Option<u64>;
    type Admission = u64;

    fn new(_capacity: u64) -> Self {
        Self { places: BTreeSet::new(), admitted: None }
    }

    fn set_capacity(&mut self, _capacity: u64) {}

    fn hit<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, place: u32) {
        assert!(self.places.contains(&place) && entries.node(place).is_some());
    }

    fn admit<E: Nodes<Option<u64>>>(&mut self, _entries: &mut E, _hash: u64, weight: u64) -> u64 {
        assert_eq!(self.admitted.replace(weight), None, "one entry comes at a time");
        weight
    }

    fn evict<E: Nodes<Option<u64>>>(&mut self, entries: &mut E) -> Option<u32> {
        let place = *self.places.first()?;
        self.leave(entries, place);
        Some(place)
    }

    fn insert<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, place: u32, admission: u64) {
        assert_eq!((self.admitted.take(), entries.weight(place)), (Some(admission), admission));
        assert!(self.places.insert(place), "a place has one entry");
        assert_eq!(entries.node(place).replace(admission), None, "a newcomer's node is the default");
    }

    fn remove<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, place: u32) {
        self.leave(entries, place);
    }

    fn reweigh<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, place: u32, old: u64) {
        assert!(self.places.contains(&place));
        let weight = entries.weight(place);
        assert_eq!(entries.node(place).replace(weight), Some(old));
    }

    fn relocate<E: Nodes<Option<u64>>>(&mut self, entries: &mut E, from: u32, to: u32) {
        assert!(self.places.remove(&from) && self.places.insert(to));
        assert!(entries.node(to).is_some(), "its node moved with it");
    }

    fn clear(&mut self) {
        self.places.clear();
    }
}
