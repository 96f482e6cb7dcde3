//! The copies of hot values that the threads of one stripe have.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use crate::{Instant, contain::each};

/// Copies of values, for a few threads: slots in groups, one for each shard.
pub(super) struct Stripe<K, V> {
    /// None until the first copy.
    slots: Slots<K, V>,
    /// How many lookups were served.
    pub(super) hits: u64,
}

/// Slots for copies.
pub(super) type Slots<K, V> = Box<[Slot<K, V>]>;

pub(super) struct Slot<K, V> {
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
    /// No copy, nor a slot for one.
    Bare,
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
        let Some(slot) = self.slots.get_mut(slots[0]) else { return Near::Bare };
        if slot.wanted == hash {
            return Near::Wanted;
        }
        slot.wanted = hash;
        Near::Miss
    }

    /// So many slots for a stripe, which are made outside the lock.
    pub(super) fn slots(all: usize) -> Slots<K, V> {
        (0..all).map(|_| Slot { wanted: 0, copy: None }).collect()
    }

    /// Takes these slots if it has none yet; returns what is left over.
    pub(super) fn furnish(&mut self, slots: Slots<K, V>) -> Slots<K, V> {
        if self.slots.is_empty() { mem::replace(&mut self.slots, slots) } else { slots }
    }

    /// Keeps a copy in one of two slots; returns what is to be dropped: the one that it replaces, or the copy itself if
    /// there is no such slot.
    pub(super) fn keep(&mut self, slots: [usize; 2], copy: Copied<K, V>) -> Option<Copied<K, V>> {
        let good = |slot: &Slot<K, V>| slot.copy.as_ref().is_some_and(|other| other.version == copy.version);
        let same = |slot: &Slot<K, V>| slot.copy.as_ref().is_some_and(|other| other.hash == copy.hash);
        let [first, second] = slots.map(|slot| self.slots.get(slot).is_some_and(|slot| good(slot) && !same(slot)));
        match self.slots.get_mut(slots[usize::from(first && !second)]) {
            Some(slot) => slot.copy.replace(copy),
            None => Some(copy),
        }
    }

    /// Takes out the copies in these slots that are not of this version.
    pub(super) fn purge(&mut self, slots: core::ops::Range<usize>, version: usize) -> Vec<Copied<K, V>> {
        let slots = self.slots.get_mut(slots).unwrap_or_default();
        slots.iter_mut().filter_map(|slot| slot.copy.take_if(|copy| copy.version != version)).collect()
    }
}

#[cfg(test)]
mod tests;
