//! The next place that is due: a binary heap that knows where each place stands in it.

use alloc::vec::Vec;

use super::memory::{SMALL, grow, reserve, shrink};
use crate::Instant;

/// Deadlines by place: set and remove in O(log n), look at the earliest in O(1).
///
/// Lifetimes of one length arrive in order, and then setting costs O(1). Places without a deadline cost nothing until
/// the first one has one.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: Vec<(Instant, u32)>,
    /// Where each place stands in the heap, `NOWHERE` if it has no deadline.
    standing: Vec<u32>,
    /// It keeps its memory, and takes no more.
    is_fixed: bool,
    /// There was no memory for a deadline, so the earliest may not be known.
    pub(super) is_short: bool,
}

impl Deadlines {
    /// Reserves memory for so many places, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, places: usize) -> bool {
        self.is_fixed = reserve(&mut self.heap, places) && reserve(&mut self.standing, places);
        self.is_fixed
    }

    /// Reserves memory for a deadline of any place up to this one; returns whether there is enough.
    #[inline(always)]
    pub(super) fn has_memory(&mut self, place: usize) -> bool {
        let missing = (place + 1).saturating_sub(self.standing.len());
        // If all places have a deadline, a newcomer comes into a gap.
        let of_heap = self.heap.len() < self.heap.capacity() || grow(&mut self.heap, 1, u64::MAX);
        of_heap && (place < self.standing.capacity() || grow(&mut self.standing, missing, u64::MAX))
    }

    /// Reserves memory for another deadline of a place among so many; returns whether there is enough.
    pub(super) fn has_memory_at(&mut self, place: Option<u32>, places: usize) -> bool {
        let is_there = place.map_or(self.heap.len() >= places, |place| self.position(place).is_some());
        is_there || self.has_memory(places.saturating_sub(1))
    }

    /// Forgets all deadlines, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.standing.clear();
    }

    /// Returns the earliest deadline and its place.
    #[inline]
    pub(super) fn first(&self) -> Option<(Instant, u32)> {
        self.heap.first().copied()
    }

    /// Sets the deadline of `place`; `NEVER` removes it.
    ///
    /// Without memory for it, the place has no deadline, and its entry leaves for other reasons only.
    #[inline]
    pub(super) fn set(&mut self, place: u32, deadline: Instant) {
        if deadline == Instant::NEVER {
            return self.remove(place);
        }
        self.put(place, deadline);
    }

    fn put(&mut self, place: u32, deadline: Instant) {
        let at = match self.position(place) {
            Some(at) => {
                self.heap[at].0 = deadline;
                at
            }
            None => {
                let index = place as usize;
                if !self.has_memory(index) {
                    self.is_short = true;
                    return;
                }
                if self.standing.len() <= index {
                    self.standing.resize(index + 1, NOWHERE);
                }
                self.heap.push((deadline, place));
                self.standing[index] = self.heap.len() as u32 - 1;
                self.heap.len() - 1
            }
        };
        self.settle(at);
    }

    /// Removes the deadline of `place`, if it has one.
    #[inline]
    pub(super) fn remove(&mut self, place: u32) {
        if !self.heap.is_empty() {
            self.take_out(place);
        }
    }

    fn take_out(&mut self, place: u32) {
        let Some(at) = self.position(place) else { return };
        self.standing[place as usize] = NOWHERE;
        self.heap.swap_remove(at);
        if at < self.heap.len() {
            self.standing[self.heap[at].1 as usize] = at as u32;
            self.settle(at);
        }
        if self.heap.len() * 4 < self.heap.capacity() && self.heap.capacity() > SMALL && !self.is_fixed {
            let len = self.heap.len() * 2;
            shrink(&mut self.heap, len);
        }
    }

    /// Moves the deadline of the last place, `from`, to place `to`, which has none.
    pub(super) fn relocate(&mut self, from: u32, to: u32) {
        self.shift(from, to);
        self.truncate(from);
    }

    /// Moves the deadline of any place `from` to place `to`.
    pub(super) fn shift(&mut self, from: u32, to: u32) {
        if let Some(at) = self.position(from) {
            self.heap[at].1 = to;
            self.standing[to as usize] = at as u32;
            self.standing[from as usize] = NOWHERE;
        }
    }

    /// Forgets the places from `len` on, which have no deadlines.
    pub(super) fn truncate(&mut self, len: u32) {
        self.standing.truncate(len as usize);
        if self.standing.len() * 4 < self.standing.capacity() && self.standing.capacity() > SMALL && !self.is_fixed {
            let len = self.standing.len() * 2;
            shrink(&mut self.standing, len);
        }
    }

    fn position(&self, place: u32) -> Option<usize> {
        self.standing.get(place as usize).filter(|at| **at != NOWHERE).map(|at| *at as usize)
    }

    /// Moves the element at `at` up or down to its right place.
    fn settle(&mut self, mut at: usize) {
        while at > 0 && self.heap[at].0 < self.heap[(at - 1) / 2].0 {
            self.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        loop {
            let children = 2 * at + 1..(2 * at + 3).min(self.heap.len());
            let Some(least) = children.min_by_key(|child| self.heap[*child].0) else { return };
            if self.heap[at].0 <= self.heap[least].0 {
                return;
            }
            self.swap(at, least);
            at = least;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.standing[self.heap[a].1 as usize] = a as u32;
        self.standing[self.heap[b].1 as usize] = b as u32;
    }
}

/// No place in the heap.
const NOWHERE: u32 = u32::MAX;

#[cfg(test)]
mod tests;
