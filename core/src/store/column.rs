//! One fact of each value, by place, beside the values: it takes memory only where it is not the same for all.

use alloc::vec::Vec;

use super::memory::{grow, is_sparse, shrink_sparse};
use crate::Instant;

/// What a fact mostly is.
pub(super) trait Usual: Copy + PartialEq {
    const USUAL: Self;
}

/// Mostly nothing ends.
impl Usual for Instant {
    const USUAL: Self = Self::NEVER;
}

/// Mostly all values weigh the same.
impl Usual for u64 {
    const USUAL: Self = 1;
}

/// Facts by place. Beyond the last one that is unusual, places need no memory.
pub(super) struct Column<T> {
    facts: Vec<T>,
    /// It keeps its memory.
    is_fixed: bool,
}

impl<T: Usual> Column<T> {
    pub(super) const fn new() -> Self {
        Self { facts: Vec::new(), is_fixed: false }
    }

    /// Reserves memory for so many places, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, places: usize) -> bool {
        self.is_fixed = true;
        self.facts.try_reserve_exact(places.saturating_sub(self.facts.len())).is_ok()
    }

    #[inline(always)]
    pub(super) fn get(&self, place: u32) -> T {
        fact(&self.facts, place)
    }

    /// Returns the facts up to the last one that is unusual: [`fact`] tells any of them.
    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[T] {
        &self.facts
    }

    /// Reserves memory to note this at one of so many places; returns whether there is enough.
    #[inline(always)]
    pub(super) fn has_memory(&mut self, fact: T, places: usize, limit: u64) -> bool {
        fact == T::USUAL || self.has_room(places, limit)
    }

    /// Reserves memory for so many places; returns whether there is enough.
    #[inline(always)]
    pub(super) fn has_room(&mut self, places: usize, limit: u64) -> bool {
        places <= self.facts.capacity() || self.grow(places, limit)
    }

    #[cold]
    fn grow(&mut self, places: usize, limit: u64) -> bool {
        let missing = places - self.facts.len();
        grow(&mut self.facts, missing, limit)
    }

    /// Notes this at a place; the [memory](Self::has_memory) for it is there.
    #[inline(always)]
    pub(super) fn set(&mut self, place: u32, fact: T) {
        match self.facts.get_mut(place as usize) {
            Some(present) => *present = fact,
            None if fact == T::USUAL => {}
            None => self.push(place, fact),
        }
    }

    fn push(&mut self, place: u32, fact: T) {
        self.facts.resize(place as usize, T::USUAL);
        self.facts.push(fact);
    }

    /// Moves a fact down, over one that is not needed any more.
    pub(super) fn shift(&mut self, from: u32, to: u32) {
        let fact = self.get(from);
        self.set(from, T::USUAL);
        self.set(to, fact);
    }

    /// Forgets what was at a place, to which the last value comes.
    pub(super) fn close_gap(&mut self, gap: u32, last: u32) {
        if last < self.facts.len() as u32 {
            self.facts.swap_remove(gap as usize);
        } else {
            self.set(gap, T::USUAL);
        }
        if !self.is_fixed && is_sparse(&self.facts) {
            shrink_sparse(&mut self.facts);
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
pub(super) fn fact<T: Usual>(facts: &[T], place: u32) -> T {
    facts.get(place as usize).copied().unwrap_or(T::USUAL)
}

#[cfg(test)]
mod tests;
