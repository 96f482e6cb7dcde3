//! A memory of entries that left: from which queue, and how long ago they came.

use alloc::vec::Vec;

use super::clock::TICKS_PER_CAPACITY;

/// What is remembered of an entry that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ghost {
    /// Whether it left from the main queue.
    pub(super) from_main: bool,
    /// How many ticks ago it took its place in the queue that it left.
    pub(super) age: u16,
}

/// Two remembered hashes for each resident entry, in three bytes each.
///
/// Hashes are kept as fingerprints of 16 bits in buckets of eight, and each bucket forgets its oldest first: a look-up
/// or a note touches one bucket of 24 bytes. About one look-up in eight thousand finds a ghost that is not its own,
/// which costs a hit at worst. Nothing is allocated before the first note.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Ghosts {
    buckets: Vec<Bucket>,
}

const SLOTS: usize = 8;
const PER_RESIDENT: u64 = 2;

/// Fingerprints and marks, the newest in the lowest bits; a fingerprint of zero is a vacant slot.
///
/// They are kept in words, in which all are looked at, or moved on, at once.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Four fingerprints each.
    newer: u64,
    older: u64,
    marks: u64,
}

/// The bit of a mark that says "from the main queue"; the others are the low bits of a stamp.
const FROM_MAIN: u8 = 0x80;
const STAMP: u16 = 0x7f;

/// Ages are capped to this when noted, so that the stamp does not wrap until two more capacities are inserted. By then
/// most buckets have forgotten the ghost.
const OLDEST: u16 = STAMP + 1 - 2 * TICKS_PER_CAPACITY;

impl Ghosts {
    /// Forgets all, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.buckets.fill(Bucket::default());
    }

    /// Finds the ghost with this hash and takes it out.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, now: u16) -> Option<Ghost> {
        let (index, print) = self.locate(hash);
        let bucket = self.buckets.get_mut(index)?;
        let slot = bucket.find(print)?;
        let mark = bucket.take(slot);
        Some(Ghost { from_main: mark & FROM_MAIN != 0, age: now.wrapping_sub(u16::from(mark)) & STAMP })
    }

    /// Remembers an entry that leaves.
    pub(super) fn note(&mut self, hash: u64, ghost: Ghost, now: u16) {
        let (index, print) = self.locate(hash);
        let Some(bucket) = self.buckets.get_mut(index) else { return };
        let stamp = now.wrapping_sub(ghost.age.min(OLDEST)) & STAMP;
        bucket.note(print, stamp as u8 | if ghost.from_main { FROM_MAIN } else { 0 });
    }

    /// Makes room for the ghosts of this many resident entries, but never for more than `capacity` allows.
    ///
    /// Costs a comparison, except when it grows: then O(residents), and at least to the double, so seldom.
    pub(super) fn reserve(&mut self, residents: u64, capacity: u64) {
        if !self.are_enough_for(residents.min(capacity)) {
            self.grow(residents, capacity);
        }
    }

    /// Is there room for the ghosts of so many resident entries?
    pub(super) fn are_enough_for(&self, residents: u64) -> bool {
        residents <= self.buckets.len() as u64 * (SLOTS as u64 / PER_RESIDENT)
    }

    /// Gives back what exceeds the ghosts that `capacity` allows.
    pub(super) fn trim(&mut self, capacity: u64) {
        let most = buckets(capacity);
        // A little more is left, because the capacity of a shard may change often.
        if most + most / 8 < self.buckets.len() as u64 {
            self.resize(most);
        }
    }

    #[cold]
    fn grow(&mut self, residents: u64, capacity: u64) {
        let (needed, most) = (buckets(residents.min(capacity)), buckets(capacity));
        // A multiple of the present number, for which `resize` loses nothing.
        let present = (self.buckets.len() as u64).max(1);
        self.resize(needed.div_ceil(present).saturating_mul(present).min(most));
    }

    /// Spreads the ghosts over another number of buckets.
    ///
    /// The fingerprints do not tell which of the new buckets they belong to, so each gets a copy; the copies in the
    /// wrong buckets are never found and age out. Without memory for the new buckets, the old ones stay.
    fn resize(&mut self, len: u64) {
        let mut buckets = Vec::new();
        let Ok(len) = usize::try_from(len) else { return };
        if buckets.try_reserve_exact(len).is_ok() {
            let old = self.buckets.len() as u64;
            buckets.extend((0..len as u64).map(|new| {
                let source = (new * old).checked_div(len as u64).unwrap_or(0);
                self.buckets.get(source as usize).copied().unwrap_or_default()
            }));
            self.buckets = buckets;
        }
    }

    /// Returns the bucket and the fingerprint for a hash.
    ///
    /// The hash is mixed once more, because all hashes of a shard agree in some bits and a table depends on others.
    fn locate(&self, hash: u64) -> (usize, u16) {
        let product = u128::from(hash ^ 0xa076_1d64_78bd_642f) * 0xe703_7ed1_a0b4_28db;
        let mixed = (product >> 64) as u64 ^ product as u64;
        // Fewer than 2^32 buckets, as there are fewer than 2^32 places.
        let index = ((mixed >> 32) * self.buckets.len() as u64) >> 32;
        (index as usize, (mixed as u16).max(1))
    }
}

impl Bucket {
    /// Adds a fingerprint and its mark, and forgets the oldest.
    fn note(&mut self, print: u16, mark: u8) {
        self.older = self.older << PRINT | self.newer >> (u64::BITS - PRINT);
        self.newer = self.newer << PRINT | u64::from(print);
        self.marks = self.marks << u8::BITS | u64::from(mark);
    }

    /// Returns the slot of the newest of these fingerprints.
    #[inline]
    fn find(&self, print: u16) -> Option<u32> {
        find(self.newer, print).or_else(|| find(self.older, print).map(|slot| slot + HALF))
    }

    /// Takes out a fingerprint; returns its mark.
    #[inline(never)]
    fn take(&mut self, slot: u32) -> u8 {
        let mark = self.marks >> (slot * u8::BITS);
        self.marks = without(self.marks, u8::BITS, slot);
        if slot < HALF {
            self.newer = without(self.newer, PRINT, slot) | self.older << (u64::BITS - PRINT);
            self.older >>= PRINT;
        } else {
            self.older = without(self.older, PRINT, slot - HALF);
        }
        mark as u8
    }
}

/// The bits of a fingerprint.
const PRINT: u32 = u16::BITS;

/// How many slots each word of fingerprints has.
const HALF: u32 = SLOTS as u32 / 2;

/// Returns where a fingerprint stands in a word, counted from the lowest bits.
#[inline]
fn find(prints: u64, print: u16) -> Option<u32> {
    const ONES: u64 = 0x0001_0001_0001_0001;
    const TOPS: u64 = ONES << (PRINT - 1);

    let differences = prints ^ (u64::from(print) * ONES);
    // The lowest that is marked is zero; above that there may be others that are not.
    let zeros = differences.wrapping_sub(ONES) & !differences & TOPS;
    (zeros != 0).then(|| zeros.trailing_zeros() / PRINT)
}

/// Takes out one of a word's parts of so many bits, and moves those above it down.
const fn without(word: u64, bits: u32, part: u32) -> u64 {
    let below = (1 << (part * bits)) - 1;
    (word & below) | (word >> bits & !below)
}

/// Returns the number of buckets for the ghosts of this many residents.
fn buckets(residents: u64) -> u64 {
    residents.saturating_mul(PER_RESIDENT).div_ceil(SLOTS as u64)
}

#[cfg(test)]
mod tests;
