//! The shards of a cache, which become more when its capacity grows.

use alloc::boxed::Box;
#[cfg(feature = "std")]
use alloc::vec::Vec;
#[cfg(feature = "std")]
use core::iter::successors;

#[cfg(feature = "std")]
use spin::Once;

use super::Aligned;
#[cfg(feature = "std")]
use crate::{
    shard::split_bits,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
};

/// The shards, each behind its lock, by number.
///
/// Some bits of a hash choose among the first ones. When they become more, each splits in two, and one more bit chooses
/// between the halves; that is the addressing of linear hashing (Litwin, VLDB 1980). The number of the upper half is that
/// of the lower one plus how many there were: what moves comes to a higher number.
///
/// A split takes one lock at a time. So a caller may come to a shard whose key has just moved; it is
/// [told](crate::shard::Home) so under the lock, and goes on to where the key is.
pub(crate) struct Shards<L> {
    first: Box<[Aligned<L>]>,
    #[cfg(feature = "std")]
    splits: Splits<L>,
}

/// What has come by splits.
#[cfg(feature = "std")]
struct Splits<L> {
    more: Once<Box<More<L>>>,
    /// How many shards there are.
    len: AtomicUsize,
    /// Which further bits of a hash choose the shard, in all of them.
    mask: AtomicU32,
    /// How many shards there may be.
    most: usize,
}

/// Places for shards that come by splits, from the first one up.
#[cfg(feature = "std")]
struct More<L> {
    shards: Box<[Aligned<Once<L>>]>,
    more: Once<Box<Self>>,
}

impl<L> Shards<L> {
    /// These shards, which may become so many.
    pub(crate) fn new(first: Box<[Aligned<L>]>, most: usize) -> Self {
        #[cfg(not(feature = "std"))]
        let _ = most;
        Self {
            #[cfg(feature = "std")]
            splits: Splits { more: Once::new(), len: AtomicUsize::new(first.len()), mask: AtomicU32::new(0), most },
            first,
        }
    }

    /// The shard of a hash, as far as is known without a lock.
    #[inline(always)]
    pub(crate) fn of(&self, hash: u64) -> &L {
        #[cfg(feature = "std")]
        {
            let mask = self.splits.mask.load(Ordering::Acquire);
            if mask != 0 {
                return self.split_of(hash, mask);
            }
        }
        self.at_first(hash)
    }

    /// The shard of a hash if none has split.
    #[inline(always)]
    pub(crate) fn at_first(&self, hash: u64) -> &L {
        &self.first[self.first_of(hash)].0
    }

    /// The one among the first shards from which the shard of a hash has come.
    #[inline(always)]
    pub(crate) fn first_of(&self, hash: u64) -> usize {
        // Bits that neither choose the bucket in a shard's table nor make the tag there.
        let index = (((hash >> 16) & 0xffff_ffff) * self.first.len() as u64) >> 32;
        index as usize
    }

    /// The number of a hash's shard that has these further bits.
    pub(crate) fn number_at(&self, hash: u64, bits: u32) -> usize {
        self.first_of(hash) + self.first.len() * bits as usize
    }

    /// The first shards.
    #[cfg(feature = "std")]
    pub(crate) const fn first(&self) -> &[Aligned<L>] {
        &self.first
    }

    /// All shards there are, and those that come meanwhile.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &L> {
        let mut numbers = 0..;
        core::iter::from_fn(move || self.get(numbers.next()?))
    }
}

#[cfg(not(feature = "std"))]
impl<L> Shards<L> {
    /// Goes over all shards.
    pub(crate) fn each_once<T: Copy>(&self, mut visit: impl FnMut(&L, Option<T>) -> (u32, T)) {
        self.iter().for_each(|shard| _ = visit(shard, None));
    }

    pub(crate) const fn len(&self) -> usize {
        self.first.len()
    }

    pub(crate) fn number_of(&self, hash: u64) -> usize {
        self.first_of(hash)
    }

    pub(crate) fn get(&self, number: usize) -> Option<&L> {
        Some(&self.first.get(number)?.0)
    }
}

#[cfg(feature = "std")]
impl<L> Shards<L> {
    /// Goes over all shards, and those that come meanwhile. `visit` returns the mask that a shard has in that instant, and
    /// what is noted of it; if a shard has split off later, it is visited with what was noted of that from which it came.
    pub(crate) fn each_once<T: Copy>(&self, mut visit: impl FnMut(&L, Option<T>) -> (u32, T)) {
        let mut noted: Vec<(u32, T)> = Vec::with_capacity(self.len());
        for (number, shard) in self.iter().enumerate() {
            let bit = (number / self.first.len()).checked_ilog2().map(|log| 1_usize << log);
            let came_from = bit.and_then(|bit| Some((bit, noted.get(number - self.first.len() * bit)?)));
            // Then its mask has had no such bit.
            let before = came_from.filter(|(bit, (mask, _))| *mask as usize & bit == 0).map(|(_, (_, noted))| *noted);
            let after = visit(shard, before);
            noted.push(before.map_or(after, |before| (0, before)));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.splits.len.load(Ordering::Acquire)
    }

    /// The number of a hash's shard, unless splits are under way.
    pub(crate) fn number_of(&self, hash: u64) -> usize {
        self.number_by(hash, self.splits.mask.load(Ordering::Acquire))
    }

    fn number_by(&self, hash: u64, mask: u32) -> usize {
        self.number_at(hash, split_bits(hash) & mask)
    }

    /// The shard of a hash that is chosen by these further bits; if it has not split off yet, that from which it will.
    #[inline(never)]
    pub(crate) fn split_of(&self, hash: u64, mut mask: u32) -> &L {
        loop {
            match self.get(self.number_by(hash, mask)) {
                Some(shard) => return shard,
                None => mask >>= 1,
            }
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&L> {
        match number.checked_sub(self.first.len()) {
            None => Some(&self.first[number].0),
            Some(beyond) => self.place(beyond)?.get(),
        }
    }

    /// The place of a shard that has come by a split, or may.
    fn place(&self, mut beyond: usize) -> Option<&Once<L>> {
        for More { shards, .. } in self.lists() {
            match shards.get(beyond) {
                Some(place) => return Some(&place.0),
                None => beyond -= shards.len(),
            }
        }
        None
    }

    fn lists(&self) -> impl Iterator<Item = &More<L>> {
        successors(self.splits.more.get(), |list| list.more.get()).map(|list| &**list)
    }

    /// Splits all shards, again and again, until there are so many, but no more than there may be. To be called by one at a
    /// time.
    ///
    /// `split` locks a shard, takes its upper half out and hands that over there, with a lock around it.
    pub(crate) fn grow(&self, to: usize, mut split: impl FnMut(&L, usize, &mut dyn FnMut(L))) {
        let whole = |mask: u32| self.first.len() * (mask as usize + 1);
        let (mut mask, to) = (self.splits.mask.load(Ordering::Relaxed), to.min(self.splits.most));
        if to < 2 * whole(mask) {
            return;
        }
        let places = self.first.len() + self.lists().map(|list| list.shards.len()).sum::<usize>();
        let more = to.saturating_sub(places);
        if more > 0 {
            let shards = (0..more).map(|_| Aligned(Once::new())).collect();
            let last = self.lists().last().map_or(&self.splits.more, |list| &list.more);
            last.call_once(|| Box::new(More { shards, more: Once::new() }));
        }
        while 2 * whole(mask) <= to {
            let len = whole(mask);
            for number in 0..len {
                let halves = self.get(number).zip(self.place(number + len - self.first.len()));
                // (There is an upper half if a split has unwound before.)
                if let Some((lower, upper)) = halves.filter(|(_, upper)| !upper.is_completed()) {
                    split(lower, 2 * len, &mut |half| _ = upper.call_once(|| half));
                    self.splits.len.store(len + number + 1, Ordering::Release);
                }
            }
            mask = 2 * mask + 1;
            self.splits.mask.store(mask, Ordering::Release);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
