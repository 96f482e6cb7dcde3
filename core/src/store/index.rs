//! Places found by hash, in an index that never moves many of them at once.

use hashbrown::HashTable;

/// Where rows stand, by their hashes.
///
/// A large index that takes another size, or is to be rid of the traces of what has left, is moved a few places at a time,
/// by whatever changes it. Until that is over, what has not been moved is found in the former one.
pub(super) struct Index {
    places: HashTable<u32>,
    former: HashTable<u32>,
    /// Places from here on have been moved. (Rows move down only, so none of them comes back.)
    left: u32,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { places: HashTable::new(), former: HashTable::new(), left: 0 }
    }

    /// Returns the place of this hash that `is_it` says yes to.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        match self.places.find(hash, |place| is_it(*place)) {
            Some(place) => Some(*place),
            None if self.former.is_empty() => None,
            None => self.former.find(hash, |place| is_it(*place)).copied(),
        }
    }

    /// The same, but looks only among those that have been moved.
    #[inline(always)]
    pub(super) fn find_at_once(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.places.find(hash, |place| is_it(*place)).copied()
    }

    /// Adds a place, which no row of the index stands at; `hash_of` tells the hash of the row at a place.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> Option<u64>) {
        if self.places.len() == self.places.capacity() || !self.former.is_empty() {
            self.make_way(&hash_of);
        }
        self.places.insert_unique(hash, place, |place| hash_of(*place).unwrap_or(hash));
    }

    /// Takes a place out.
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

    /// Goes on with what is being moved, and gives back what memory is not needed any more.
    pub(super) fn tidy(&mut self, may_shrink: bool, hash_of: impl Fn(u32) -> Option<u64>) {
        if !self.former.is_empty() {
            return self.step(&hash_of);
        }
        let len = self.places.len();
        if may_shrink && len < AT_ONCE {
            self.places.shrink_to(len, |place| hash_of(*place).unwrap_or(0));
        } else if may_shrink && 2 * with_space(len) <= self.places.capacity() {
            self.begin();
        }
    }

    #[cold]
    #[inline(never)]
    fn make_way(&mut self, hash_of: &impl Fn(u32) -> Option<u64>) {
        if self.former.is_empty() {
            if self.places.len() < AT_ONCE {
                return;
            }
            self.begin();
        }
        self.step(hash_of);
    }

    /// Begins to move to an index with some space left.
    fn begin(&mut self) {
        // (There may be a gap among the rows.)
        self.left = self.places.len() as u32 + 1;
        let roomy = HashTable::with_capacity(with_space(self.places.len()));
        self.former = core::mem::replace(&mut self.places, roomy);
    }

    fn step(&mut self, hash_of: &impl Fn(u32) -> Option<u64>) {
        for _ in 0..STEP {
            let Some(place) = self.left.checked_sub(1) else { break };
            self.left = place;
            let Some(hash) = hash_of(place) else { continue };
            if let Ok(entry) = self.former.find_entry(hash, |other| *other == place) {
                entry.remove();
                self.places.insert_unique(hash, place, |place| hash_of(*place).unwrap_or(hash));
            }
        }
        if self.former.is_empty() {
            self.former = HashTable::new();
        }
    }
}

/// How much an index should have room for: while it is moved, so many more come in at the most.
const fn with_space(len: usize) -> usize {
    len + len / 4
}

/// An index of fewer places is moved at once.
const AT_ONCE: usize = 512;

/// How many places are moved by each change.
const STEP: usize = 16;

#[cfg(test)]
mod tests;
