//! Goes over all keys of a shard, a few at a time.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Carries, Effects, LoadsAnew, Shard};
use crate::{Instant, source::Touched, store::policy::Policy};

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

/// How far a call has come that expires all values, from the last place down; none is passed over.
#[derive(Debug)]
pub(crate) struct Expiring {
    below: usize,
    /// What comes later has another generation.
    generation: u32,
}

impl Expiring {
    pub(crate) const fn is_over(&self) -> bool {
        self.below == 0
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
}

impl<K: Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// Begins to expire all values, which is a write to all keys. If this shard has split off since another one has begun,
    /// what has come since that generation stays.
    pub(crate) fn begin_expiring(&mut self, begun: Option<u32>, effects: &mut Effects<K, V, E, C>) -> Expiring {
        if begun.is_none() {
            self.invalidate_loads(effects);
        }
        Expiring { below: self.values.len(), generation: begun.unwrap_or_else(|| self.values.generation()) }
    }

    /// Ends the freshness of the next values, of at most so many, unless they have come since; returns how many were fresh.
    pub(crate) fn expire_next(
        &mut self,
        expiring: &mut Expiring,
        most: usize,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> usize {
        let mut count = 0;
        // From the last one down: if there is no memory to note an end, the value leaves, and one that was met closes the gap.
        for place in next_below(&mut expiring.below, self.values.len(), &mut { most }).rev() {
            let (place, generation) = (place as u32, self.values.entries()[place].generation);
            // (Numbers may wrap around, so the few that have come since are told apart, not the many before.)
            let come = self.values.generation().wrapping_sub(expiring.generation);
            if generation.wrapping_sub(expiring.generation).wrapping_sub(1) >= come {
                if !effects.leavers.has_memory() {
                    // It may have to leave as well, and comes first in the next step.
                    expiring.below = place as usize + 1;
                    break;
                }
                count += usize::from(self.is_fresh_at(place, now));
                self.values.expire(place, now, &mut effects.leavers);
            }
        }
        self.note_due();
        self.give_back();
        effects.touched = Some(Touched::Deadline);
        count
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Begins to go over all keys, to remove some; a write, for answers that were not asked for.
    pub(crate) const fn walk_keys(&mut self) -> KeyWalk {
        self.writes = self.writes.wrapping_add(1);
        KeyWalk { flights: usize::MAX, failures: usize::MAX, values: usize::MAX }
    }

    /// Returns copies of the next keys, from at most so many places: attached loads, kept failures, then values.
    pub(crate) fn next_keys(&mut self, walk: &mut KeyWalk, most: usize) -> Vec<K> {
        self.flights.unfold_for_others();
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
