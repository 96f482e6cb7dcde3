//! Those who go over all rows of a table, a few at a time, while rows come and go.

use alloc::vec::Vec;

/// Who goes over the rows, from the last one down; the rows below its place are still to come.
///
/// A row that stays is met exactly once: when one leaves from among those that are to come, the gap is closed with another one of
/// those, and only then with the last row, which was met.
#[derive(Debug, Default)]
pub(super) struct Walks {
    under_way: Vec<Walk>,
    last: u32,
}

#[derive(Debug)]
struct Walk {
    id: u32,
    below: u32,
}

impl Walks {
    /// Begins to go over so many rows.
    pub(super) fn begin(&mut self, len: u32) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.under_way.push(Walk { id: self.last, below: len });
        self.last
    }

    /// The rows that are still to come for this one.
    pub(super) fn below(&mut self, id: u32) -> Option<&mut u32> {
        self.under_way.iter_mut().find(|walk| walk.id == id).map(|walk| &mut walk.below)
    }

    pub(super) fn end(&mut self, id: u32) {
        self.under_way.retain(|walk| walk.id != id);
        if self.under_way.is_empty() {
            self.under_way = Vec::new();
        }
    }

    /// Nothing that is there now is still to come.
    pub(super) fn pass_over_all(&mut self) {
        self.under_way.iter_mut().for_each(|walk| walk.below = 0);
    }

    /// Which row is to close this gap, before the last row closes the one that it leaves; none if that one may do so.
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
