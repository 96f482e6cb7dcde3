//! A list that knows its weight.

use super::Nodes;
use super::list::{Linked, List};

/// A first-in-first-out queue that knows its length.
#[derive(Debug)]
pub(super) struct Queue {
    list: List,
    pub(super) len: u32,
    /// Modulo 2^64: exact whenever the true sum fits, as it does within any capacity.
    pub(super) weight: u64,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { list: List::new(), len: 0, weight: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn back(&self) -> Option<u32> {
        self.list.back()
    }

    pub(super) fn push<N: Linked>(&mut self, entries: &mut impl Nodes<N>, place: u32) {
        self.list.push_front(entries, place);
        self.len += 1;
        self.weight = self.weight.wrapping_add(entries.weight(place));
    }

    pub(super) fn relocate<N: Linked>(&mut self, entries: &mut impl Nodes<N>, to: u32) {
        self.list.relocate(entries, to);
    }

    pub(super) fn remove<N: Linked>(&mut self, entries: &mut impl Nodes<N>, place: u32) {
        self.list.remove(entries, place);
        self.len -= 1;
        self.weight = self.weight.wrapping_sub(entries.weight(place));
    }

    pub(super) fn reweigh(&mut self, old: u64, new: u64) {
        self.weight = self.weight.wrapping_sub(old).wrapping_add(new);
    }

    /// Returns the places from the newest to the oldest.
    #[cfg(test)]
    pub(super) fn places<N: Linked>(&self, entries: &mut impl Nodes<N>) -> alloc::vec::Vec<u32> {
        self.list.places(entries)
    }
}
