//! Goes over all keys of a shard, a few at a time.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Carries, Shard};
use crate::store::policy::Policy;

/// How far a call has come that goes over the keys of a shard, from the last place of each kind down.
///
/// What stays keeps its place or moves down, so none is passed over, though some may be met twice. Loads come first:
/// what ends meanwhile is met among the failures or the values.
#[derive(Debug)]
pub(crate) struct KeyWalk {
    flights: usize,
    failures: usize,
    values: usize,
}

impl KeyWalk {
    pub(crate) const fn is_over(&self) -> bool {
        self.flights == 0 && self.failures == 0 && self.values == 0
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Begins to go over all keys, to remove some; a write, for answers that were not asked for.
    pub(crate) const fn walk_keys(&mut self) -> KeyWalk {
        self.writes = self.writes.wrapping_add(1);
        KeyWalk { flights: usize::MAX, failures: usize::MAX, values: usize::MAX }
    }

    /// Returns copies of the next keys, from at most so many places: attached loads, kept failures, then values.
    pub(crate) fn next_keys(&self, walk: &mut KeyWalk, most: usize) -> Vec<K> {
        let mut left = most;
        let flights = next_below(&mut walk.flights, self.flights.places(), &mut left);
        let failures = next_below(&mut walk.failures, self.failures.len(), &mut left);
        let values = next_below(&mut walk.values, self.values.len(), &mut left);
        let mut keys: Vec<K> = self.flights.keys_at(flights).cloned().collect();
        keys.extend(self.failures.keys_at(failures).cloned());
        keys.extend(self.values.entries()[values].iter().map(|entry| entry.key.clone()));
        keys
    }
}

/// The next places below `end`, at most `left` of them.
fn next_below(end: &mut usize, len: usize, left: &mut usize) -> Range<usize> {
    if *left == 0 {
        // The kinds before may not be over, and what ends there comes in here.
        return 0..0;
    }
    let top = len.min(*end);
    *end = top.saturating_sub(*left);
    *left -= top - *end;
    *end..top
}
