//! The copies of hot values that the threads of one stripe have.

use alloc::{boxed::Box, vec::Vec};

use crate::{Instant, contain::each};

/// Copies of values, for a few threads: slots in groups, one for each shard.
pub(super) struct Stripe<K, V> {
    /// Taken with the first copy.
    slots: Box<[Slot<K, V>]>,
    /// How many lookups were served.
    pub(super) hits: u64,
}

struct Slot<K, V> {
    /// What was last looked for in vain.
    wanted: u64,
    copy: Option<Copied<K, V>>,
}

/// A copy of a value, good as long as its version is the current one of its shard.
pub(super) struct Copied<K, V> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) value: V,
    pub(super) version: usize,
    pub(super) end: Instant,
    uses: u8,
}

/// What a look at a stripe finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Near<V> {
    Hit(V),
    /// Nothing, or it is time for the shard to hear of it.
    Miss,
    /// Nothing, for the second time in a row: a copy would be of use.
    Wanted,
}

/// Each one of so many uses is told to the shard, so that its policy hears of the key. That use also makes two values
/// leave that have expired, as is due for each 16 uses.
const TOLD: u8 = 32;

impl<K, V> Copied<K, V> {
    pub(super) const fn new(hash: u64, key: K, value: V, version: usize, end: Instant) -> Self {
        Self { hash, key, value, version, end, uses: 0 }
    }
}

impl<K, V> Drop for Stripe<K, V> {
    fn drop(&mut self) {
        each(self.slots.iter_mut(), |slot| slot.copy = None);
    }
}

impl<K, V> Stripe<K, V> {
    pub(super) fn new() -> Self {
        Self { slots: Box::default(), hits: 0 }
    }

    /// Looks for a copy of this version in one of two slots.
    pub(super) fn look(
        &mut self,
        slots: [usize; 2],
        hash: u64,
        version: usize,
        now: Instant,
        mut eq: impl FnMut(&K) -> bool,
    ) -> Near<V>
    where
        V: Clone,
    {
        for slot in slots {
            let Some(Slot { copy: Some(copy), .. }) = self.slots.get_mut(slot) else { continue };
            if copy.hash == hash && copy.version == version && !copy.end.reached(now) && eq(&copy.key) {
                copy.uses = (copy.uses + 1) % TOLD;
                if copy.uses == 0 {
                    return Near::Miss;
                }
                let value = copy.value.clone();
                self.hits += 1;
                return Near::Hit(value);
            }
        }
        match self.slots.get_mut(slots[0]) {
            Some(slot) if slot.wanted != hash => {
                slot.wanted = hash;
                Near::Miss
            }
            _ => Near::Wanted,
        }
    }

    /// Keeps a copy in one of two slots, of so many in all; returns the one that it replaces.
    pub(super) fn keep(&mut self, all: usize, slots: [usize; 2], copy: Copied<K, V>) -> Option<Copied<K, V>> {
        if self.slots.is_empty() {
            self.slots = (0..all).map(|_| Slot { wanted: 0, copy: None }).collect();
        }
        let good = |slot: &Slot<K, V>| slot.copy.as_ref().is_some_and(|other| other.version == copy.version);
        let same = |slot: &Slot<K, V>| slot.copy.as_ref().is_some_and(|other| other.hash == copy.hash);
        let [first, second] = slots.map(|slot| self.slots.get(slot).is_some_and(|slot| good(slot) && !same(slot)));
        let slot = slots[usize::from(first && !second)];
        self.slots.get_mut(slot)?.copy.replace(copy)
    }

    /// Takes out the copies in these slots that are not of this version.
    pub(super) fn purge(&mut self, slots: core::ops::Range<usize>, version: usize) -> Vec<Copied<K, V>> {
        let slots = self.slots.get_mut(slots).unwrap_or_default();
        slots.iter_mut().filter_map(|slot| slot.copy.take_if(|copy| copy.version != version)).collect()
    }
}

#[cfg(test)]
mod tests;
