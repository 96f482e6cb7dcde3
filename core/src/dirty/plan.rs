//! The order in which caches are flushed that have to be flushed before others.

use alloc::vec::Vec;

/// Caches, known by their places here, each of which waits for some others. The first is the one that the plan is for.
#[derive(Default)]
pub(crate) struct Plan {
    /// For each, the caches that wait for it.
    waiting: Vec<Vec<usize>>,
    /// For how many each waits.
    waits_for: Vec<usize>,
    /// For each, the first failed one of those that it waited for.
    hindered: Vec<Option<usize>>,
    /// The caches that wait for nothing any more.
    next: Vec<usize>,
}

impl Plan {
    /// Adds a cache; returns its place.
    pub(crate) fn add(&mut self) -> usize {
        self.waiting.push(Vec::new());
        self.waits_for.push(0);
        self.hindered.push(None);
        self.waiting.len() - 1
    }

    /// Makes one wait for another.
    pub(crate) fn wait(&mut self, one: usize, other: usize) {
        self.waits_for[one] += 1;
        self.waiting[other].push(one);
    }

    /// It is complete: the caches that wait for nothing come first.
    pub(crate) fn begin(&mut self) {
        self.next = (0..self.waits_for.len()).rev().filter(|place| self.waits_for[*place] == 0).collect();
    }

    /// Returns one that waits for nothing any more, and whether something that it waited for has failed.
    pub(crate) fn next(&mut self) -> Option<(usize, Option<usize>)> {
        let place = self.next.pop()?;
        Some((place, self.hindered[place]))
    }

    /// One is done.
    pub(crate) fn end(&mut self, place: usize, has_failed: bool) {
        for waits in core::mem::take(&mut self.waiting[place]) {
            if has_failed {
                self.hindered[waits].get_or_insert(place);
            }
            self.waits_for[waits] -= 1;
            if self.waits_for[waits] == 0 {
                self.next.push(waits);
            }
        }
    }
}

#[cfg(test)]
mod tests;
