//! Rows found by key, packed without gaps.

use alloc::vec::Vec;

use super::{
    deadlines::Deadlines,
    index::Index,
    memory::{grow, is_sparse, reserve, shrink_sparse},
};
use crate::{Instant, contain::drop_each};

/// What a table needs to know of a row.
pub(super) trait Row<K> {
    fn hash(&self) -> u64;
    fn key(&self) -> &K;
}

/// A dense table with an index of 32-bit places and an order of deadlines.
pub(super) struct Table<T> {
    index: Index,
    rows: Vec<T>,
    deadlines: Deadlines,
    /// How many rows it may hold, if their memory was reserved; otherwise `usize::MAX`.
    most: usize,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Self { index: Index::new(), rows: Vec::new(), deadlines: Deadlines::default(), most: usize::MAX }
    }

    /// Reserves memory for so many rows, and holds no more from now on; returns whether there is enough.
    pub(super) fn preallocate<K>(&mut self, rows: usize) -> bool
    where
        T: Row<K>,
    {
        self.most = rows;
        reserve(&mut self.rows, rows)
            && self.index.preallocate(rows, &|place| self.rows.get(place as usize).map(Row::hash))
            && self.deadlines.preallocate(rows)
    }

    /// Does it hold as many rows as it may?
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }

    /// Drops all rows, and keeps their memory.
    pub(super) fn empty(&mut self) {
        self.index.clear();
        self.deadlines.clear();
        // The last, as a drop may panic.
        drop_each(&mut self.rows);
    }

    /// Takes an [emptied](Self::empty) table in place of this new one, unless this has rows; returns the other one.
    pub(super) fn refill(&mut self, emptied: Self) -> Self {
        if self.rows.is_empty() { core::mem::replace(self, emptied) } else { emptied }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    pub(super) fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// Returns the earliest deadline and its place.
    #[inline(always)]
    pub(super) fn first_due(&self) -> Option<(Instant, u32)> {
        self.deadlines.first()
    }

    /// Is it uncertain which deadline is the earliest?
    pub(super) const fn lacks_deadlines(&self) -> bool {
        self.deadlines.is_short
    }

    /// Reserves memory for a deadline at this place, or at any; returns whether there is enough.
    pub(super) fn has_memory_at(&mut self, place: Option<u32>, deadline: Instant) -> bool {
        deadline == Instant::NEVER || self.deadlines.has_memory_at(place, self.rows.len())
    }

    pub(super) fn set_deadline(&mut self, place: u32, deadline: Instant) {
        self.deadlines.set(place, deadline);
    }

    /// Empties the table at once, and returns its former content as a whole.
    pub(super) fn take(&mut self) -> Self {
        let mut empty = Self::new();
        empty.most = self.most;
        core::mem::replace(self, empty)
    }

    #[inline(always)]
    pub(super) fn find<K>(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32>
    where
        T: Row<K>,
    {
        let rows = &self.rows;
        self.index.find(hash, |place| rows.get(place as usize).is_some_and(|row| eq(row.key())))
    }

    /// Finds a row by anything that identifies it.
    pub(super) fn find_row<K>(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<u32>
    where
        T: Row<K>,
    {
        self.index.find(hash, |place| self.rows.get(place as usize).is_some_and(&is_it))
    }

    /// Finds a row only among those that the index has moved; it may be there all the same.
    #[inline(always)]
    pub(super) fn find_at_once<K>(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32>
    where
        T: Row<K>,
    {
        let rows = &self.rows;
        self.index.find_at_once(hash, |place| rows.get(place as usize).is_some_and(|row| eq(row.key())))
    }

    /// Is there nothing to be found in another place?
    #[inline(always)]
    pub(super) fn finds_all_at_once(&self) -> bool {
        self.index.is_whole()
    }

    /// Goes on with what the index moves in steps.
    pub(super) fn tidy<K>(&mut self)
    where
        T: Row<K>,
    {
        let rows = &self.rows;
        self.index.tidy(false, &|place| rows.get(place as usize).map(Row::hash));
    }

    /// Reserves memory for a newcomer after the last row; returns whether there is enough.
    #[inline(never)]
    pub(super) fn has_memory<K>(&mut self, limit: u64, expires: bool) -> bool
    where
        T: Row<K>,
    {
        (self.rows.len() < self.rows.capacity() || grow(&mut self.rows, 1, limit))
            && (!expires || self.deadlines.has_memory(self.rows.len()))
            && self.index.has_memory(self.rows.len() as u32, &|place| self.rows.get(place as usize).map(Row::hash))
    }

    /// Adds a row with a new key, for which there is [memory](Self::has_memory); returns its place.
    pub(super) fn push<K>(&mut self, row: T) -> u32
    where
        T: Row<K>,
    {
        let place = self.rows.len() as u32;
        self.point(row.hash(), place);
        self.rows.push(row);
        place
    }

    /// Returns the row that was taken out of the index, for a key of this hash to come in its place.
    // It has one caller, a miss in a full cache.
    #[inline(always)]
    pub(super) fn refill_gap<K>(&mut self, gap: u32, hash: u64) -> &mut T
    where
        T: Row<K>,
    {
        self.point(hash, gap);
        &mut self.rows[gap as usize]
    }

    /// Takes a row out of the index and the deadlines, but leaves it in its place as a gap.
    #[inline(always)]
    pub(super) fn unlink<K>(&mut self, place: u32)
    where
        T: Row<K>,
    {
        let hash = self.rows[place as usize].hash();
        self.index.remove(hash, place);
        self.deadlines.remove(place);
    }

    /// Moves a row into a gap, and the gap to the row's former place.
    pub(super) fn shift<K>(&mut self, from: u32, gap: u32)
    where
        T: Row<K>,
    {
        self.rows.swap(from as usize, gap as usize);
        self.index.relocate(self.rows[gap as usize].hash(), from, gap);
        self.deadlines.shift(from, gap);
    }

    /// Closes a gap with the last row; returns the row that was there, and the former place of the row that moved.
    pub(super) fn close_gap<K>(&mut self, gap: u32) -> (T, Option<u32>)
    where
        T: Row<K>,
    {
        let last = self.rows.len() as u32 - 1;
        let row = self.rows.swap_remove(gap as usize);
        let moved = (gap != last).then_some(last);
        if let Some(from) = moved {
            self.index.relocate(self.rows[gap as usize].hash(), from, gap);
            self.deadlines.relocate(from, gap);
        } else {
            self.deadlines.truncate(last);
        }
        let is_sparse = self.most == usize::MAX && is_sparse(&self.rows, self.rows.len());
        if is_sparse {
            let len = self.rows.len();
            shrink_sparse(&mut self.rows, len);
        }
        let rows = &self.rows;
        self.index.tidy(is_sparse, &|place| rows.get(place as usize).map(Row::hash));
        (row, moved)
    }

    #[inline(always)]
    fn point<K>(&mut self, hash: u64, place: u32)
    where
        T: Row<K>,
    {
        let rows = &self.rows;
        self.index.insert(hash, place, rows.len() as u32, &|place| rows.get(place as usize).map(Row::hash));
    }
}

#[cfg(feature = "std")]
impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        drop_each(&mut self.rows);
    }
}

#[cfg(test)]
mod tests;
