//! One fact of each value, by place, beside the values: it takes memory only where it is not the same for all.

use alloc::vec::Vec;

use super::memory::{grow, is_sparse, reserve, shrink_sparse};

/// Facts by place. What is usual is zero; beyond the last one that is not, places need no memory.
pub(super) struct Column {
    facts: Vec<u64>,
    /// It keeps its memory.
    is_fixed: bool,
}

impl Column {
    pub(super) const fn new() -> Self {
        Self { facts: Vec::new(), is_fixed: false }
    }

    /// Reserves memory for so many places, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, places: usize) -> bool {
        self.is_fixed = true;
        reserve(&mut self.facts, places)
    }

    #[inline(always)]
    pub(super) fn get(&self, place: u32) -> u64 {
        fact(&self.facts, place)
    }

    /// Returns the facts up to the last one that is unusual: [`fact`] tells any of them.
    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[u64] {
        &self.facts
    }

    /// Reserves memory to note this at one of so many places; returns whether there is enough.
    #[inline(always)]
    pub(super) fn has_memory(&mut self, fact: u64, places: usize, limit: u64) -> bool {
        fact == 0 || self.has_room(places, limit)
    }

    /// Reserves memory for so many places; returns whether there is enough.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    pub(super) fn has_room(&mut self, places: usize, limit: u64) -> bool {
        places <= self.facts.capacity() || self.grow(places, limit)
    }

    #[cold]
    fn grow(&mut self, places: usize, limit: u64) -> bool {
        let missing = places - self.facts.len();
        grow(&mut self.facts, missing, limit)
    }

    /// Notes this at a place; the [memory](Self::has_memory) for it is there.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    pub(super) fn set(&mut self, place: u32, fact: u64) {
        match self.facts.get_mut(place as usize) {
            Some(present) => *present = fact,
            None if fact == 0 => {}
            None => self.push(place, fact),
        }
    }

    fn push(&mut self, place: u32, fact: u64) {
        self.facts.resize(place as usize, 0);
        self.facts.push(fact);
    }

    /// Moves a fact down, over one that is not needed any more.
    #[inline(never)]
    pub(super) fn shift(&mut self, from: u32, to: u32) {
        let fact = self.get(from);
        self.set(from, 0);
        self.set(to, fact);
    }

    /// Forgets what was at a place, to which the last value comes.
    #[cfg_attr(not(feature = "std"), inline(never))]
    pub(super) fn close_gap(&mut self, gap: u32, last: u32) {
        if last < self.facts.len() as u32 {
            self.facts.swap_remove(gap as usize);
        } else {
            self.set(gap, 0);
        }
        // What was reserved for all places stays reserved, though what is noted may end before.
        if !self.is_fixed && is_sparse(&self.facts, last as usize) {
            shrink_sparse(&mut self.facts, last as usize);
        }
    }

    /// Forgets all, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.facts.clear();
    }

    /// Takes out all facts.
    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self { facts: Vec::new(), is_fixed: self.is_fixed })
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.facts.capacity()
    }
}

/// Returns the fact of a place from what is noted.
#[inline(always)]
pub(super) fn fact(facts: &[u64], place: u32) -> u64 {
    facts.get(place as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
