//! Places found by hash, in an index that never moves many of them at once.

use hashbrown::HashTable;

/// The places of rows, by their hashes.
///
/// A large index that changes its size, or gets rid of the traces of removed rows, is moved a few places at a time, by
/// each call that changes it. Until that is over, the rest is found in the former one.
pub(super) struct Index {
    places: HashTable<u32>,
    former: HashTable<u32>,
    /// Places from here on have been moved. Rows only move down, so none of them comes back.
    left: u32,
    /// It keeps its memory, and takes no more.
    is_fixed: bool,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { places: HashTable::new(), former: HashTable::new(), left: 0, is_fixed: false }
    }

    /// Reserves memory for so many places and some space left, and keeps it; returns whether there is enough.
    ///
    /// All places are moved at once, because later on there is no memory to move them to.
    pub(super) fn preallocate(&mut self, len: usize, hash_of: HashOf<'_>) -> bool {
        self.is_fixed = reserve(&mut self.places, with_space(len), hash_of);
        while self.is_fixed && !self.former.is_empty() {
            self.step(hash_of);
        }
        self.is_fixed
    }

    /// Forgets all places, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.former = HashTable::new();
    }

    /// Reserves memory for one more place, of so many rows; returns whether there is enough.
    #[inline(always)]
    pub(super) fn has_memory(&mut self, rows: u32, hash_of: HashOf<'_>) -> bool {
        self.places.len() < self.places.capacity() || self.make_way(rows, rows, hash_of)
    }

    /// Returns the place of this hash that `is_it` accepts.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        match self.places.find(hash, |place| is_it(*place)) {
            Some(place) => Some(*place),
            None if self.former.is_empty() => None,
            None => self.former.find(hash, |place| is_it(*place)).copied(),
        }
    }

    /// Returns such a place, but looks only among those that have been moved.
    #[inline(always)]
    pub(super) fn find_at_once(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.places.find(hash, |place| is_it(*place)).copied()
    }

    /// Returns whether all places have been moved.
    #[inline(always)]
    pub(super) fn is_whole(&self) -> bool {
        self.former.is_empty()
    }

    /// Adds a place that is not in the index; `hash_of` returns the hash of the row at a place.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64, place: u32, rows: u32, hash_of: HashOf<'_>) {
        if self.places.len() == self.places.capacity() || !self.former.is_empty() {
            self.make_way(rows, place, hash_of);
        }
        enter(&mut self.places, hash, place, hash_of);
    }

    /// Removes a place.
    #[inline(always)]
    pub(super) fn remove(&mut self, hash: u64, place: u32) {
        if let Ok(entry) = self.places.find_entry(hash, |other| *other == place) {
            entry.remove();
        } else if let Ok(entry) = self.former.find_entry(hash, |other| *other == place) {
            entry.remove();
        }
    }

    /// Notes that a row has moved down, from one place to another.
    pub(super) fn relocate(&mut self, hash: u64, from: u32, to: u32) {
        let is_it = |place: &u32| *place == from;
        match self.places.find_mut(hash, is_it) {
            Some(place) => *place = to,
            None => self.former.find_mut(hash, is_it).into_iter().for_each(|place| *place = to),
        }
    }

    /// Goes on with the move, and gives back memory that is not needed any more.
    pub(super) fn tidy(&mut self, may_shrink: bool, hash_of: HashOf<'_>) {
        if !self.former.is_empty() {
            return self.step(hash_of);
        }
        let len = self.places.len();
        if may_shrink && 2 * with_space(len) <= self.places.capacity() && self.begin(hash_of) {
            while len < AT_ONCE && !self.former.is_empty() {
                self.step(hash_of);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn make_way(&mut self, rows: u32, newcomer: u32, hash_of: HashOf<'_>) -> bool {
        if !self.is_fixed {
            if self.former.is_empty() && self.places.len() >= AT_ONCE {
                self.begin(hash_of);
            }
            if !self.former.is_empty() {
                self.step(hash_of);
            }
            if self.places.len() < self.places.capacity() || reserve(&mut self.places, 1, hash_of) {
                return true;
            }
        }
        if self.former.is_empty() {
            self.clean(rows, newcomer, hash_of);
        }
        self.places.len() < self.places.capacity()
    }

    /// Begins to move to an index with some space left; returns whether there is memory for it.
    fn begin(&mut self, hash_of: HashOf<'_>) -> bool {
        let mut roomy = HashTable::new();
        if !reserve(&mut roomy, with_space(self.places.len()), hash_of) {
            return false;
        }
        // There may be a gap among the rows.
        self.left = self.places.len() as u32 + 1;
        self.former = core::mem::replace(&mut self.places, roomy);
        true
    }

    /// Removes the traces of places that have left, without more memory: it adds all places again.
    fn clean(&mut self, rows: u32, newcomer: u32, hash_of: HashOf<'_>) {
        self.places.clear();
        // The row that is still at the newcomer's place is not in the index any more.
        let others = (0..rows).filter(|place| *place != newcomer);
        for (place, hash) in others.filter_map(|place| Some((place, hash_of(place)?))) {
            enter(&mut self.places, hash, place, hash_of);
        }
    }

    fn step(&mut self, hash_of: HashOf<'_>) {
        for _ in 0..STEP {
            let Some(place) = self.left.checked_sub(1) else { break };
            self.left = place;
            let Some(hash) = hash_of(place) else { continue };
            if let Ok(entry) = self.former.find_entry(hash, |other| *other == place) {
                entry.remove();
                enter(&mut self.places, hash, place, hash_of);
            }
        }
        if self.former.is_empty() {
            self.former = HashTable::new();
        }
    }
}

/// Reserves memory for so many more places; returns whether there is enough.
#[inline(never)]
fn reserve(places: &mut HashTable<u32>, more: usize, hash_of: HashOf<'_>) -> bool {
    places.try_reserve(more, |place| hash_of(*place).unwrap_or(0)).is_ok()
}

/// Adds a place for which there is memory.
#[inline(always)]
fn enter(places: &mut HashTable<u32>, hash: u64, place: u32, hash_of: HashOf<'_>) {
    places.insert_unique(hash, place, |place| hash_of(*place).unwrap_or(0));
}

/// Returns the hash of the row at a place. A `dyn`, so that rarely used code is compiled only once.
type HashOf<'a> = &'a dyn Fn(u32) -> Option<u64>;

/// How much room an index should have: while it is moved, at most this many more come in.
const fn with_space(len: usize) -> usize {
    len.saturating_add(len / 4)
}

/// An index of fewer places is moved at once.
const AT_ONCE: usize = 512;

/// How many places each change moves.
const STEP: usize = 16;

#[cfg(test)]
mod tests;
