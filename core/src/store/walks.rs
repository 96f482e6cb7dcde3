//! Walks over all rows of a table, a few at a time, while rows come and go.

use alloc::vec::Vec;

/// The walks that are under way; each goes from the last place down.
///
/// A walk meets each row that stays exactly once. When a row leaves that is still to come, another row that is still to
/// come closes the gap, and then the last row, which the walk has met, closes the gap of that one.
#[derive(Debug, Default)]
pub(super) struct Walks {
    under_way: Vec<Walk>,
    last: u32,
}

/// One walk; the rows below a place are still to come.
#[derive(Debug)]
struct Walk {
    id: u32,
    below: u32,
}

impl Walks {
    /// Begins a walk over so many rows, or joins one that is under way in other tables; returns its number.
    pub(super) fn begin(&mut self, walk: Option<u32>, len: u32) -> u32 {
        let id = walk.unwrap_or_else(|| {
            self.last = self.last.wrapping_add(1);
            self.last
        });
        if self.below(id).is_none() {
            self.under_way.push(Walk { id, below: len });
        }
        id
    }

    /// The same walks over another table, without rows.
    #[cfg(feature = "std")]
    pub(super) fn split_off(&self) -> Self {
        let walks = self.under_way.iter().map(|walk| Walk { below: 0, ..*walk });
        Self { under_way: walks.collect(), last: self.last }
    }

    /// A row comes from another table, where it has this place; those that are still to come there come first.
    #[cfg(feature = "std")]
    pub(super) fn take_over(&mut self, others: &Self, place: u32) {
        for (walk, other) in self.under_way.iter_mut().zip(&others.under_way) {
            walk.below += u32::from(place < other.below);
        }
    }

    /// Returns the place below which the rows of a walk are still to come.
    pub(super) fn below(&mut self, id: u32) -> Option<&mut u32> {
        self.under_way.iter_mut().find(|walk| walk.id == id).map(|walk| &mut walk.below)
    }

    pub(super) fn end(&mut self, id: u32) {
        self.under_way.retain(|walk| walk.id != id);
        if self.under_way.is_empty() {
            self.under_way = Vec::new();
        }
    }

    /// All rows have left: nothing is still to come.
    pub(super) fn pass_over_all(&mut self) {
        self.under_way.iter_mut().for_each(|walk| walk.below = 0);
    }

    /// Returns the row that has to close this gap before the last row closes its own gap; none if the last row may.
    #[inline(always)]
    pub(super) fn bridge(&mut self, gap: u32) -> Option<u32> {
        if self.under_way.is_empty() { None } else { self.next_bridge(gap) }
    }

    #[cold]
    fn next_bridge(&mut self, gap: u32) -> Option<u32> {
        let to_come = self.under_way.iter_mut().filter(|walk| walk.below > gap);
        let first = to_come.min_by_key(|walk| walk.below)?;
        first.below -= 1;
        Some(first.below)
    }
}

#[cfg(test)]
mod tests;
