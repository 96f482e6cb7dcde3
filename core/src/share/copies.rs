//! Copies of hot values near the threads that use them, so that a hit of one writes nothing that other threads read.

use alloc::boxed::Box;
use core::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{aligned::Aligned, stripe::Stripe};
use crate::{Lock, Runtime, contain::each, store::Versions, sync::Arc};

/// Copies of hot values, in stripes of which each serves a few threads.
///
/// A copy is made under the lock of its shard, and each change to a value that may have copies makes those outdated
/// under that lock. So none is served after a write has returned; and the write has taken them out by then.
pub(crate) struct Copies<K, V, R: Runtime> {
    stripes: Box<[Aligned<R::Lock<Stripe<K, V>>>]>,
    /// For each of the first shards, and for those that have split from it.
    versions: Box<[Arc<Versions>]>,
    /// How many copies each stripe has of each shard's values.
    of_each: usize,
}

impl<K, V, R: Runtime> Copies<K, V, R> {
    /// So many copies in each of so many stripes.
    pub(crate) fn new(stripes: usize, copies: usize, versions: Box<[Arc<Versions>]>) -> Self {
        let of_each = copies.div_ceil(versions.len().max(1)).clamp(1, MOST);
        let stripe = |_| Aligned(R::Lock::new(Stripe::new()));
        Self { stripes: (0..stripes.max(1)).map(stripe).collect(), versions, of_each }
    }

    /// The stripe of this thread.
    pub(super) fn stripe(&self) -> &R::Lock<Stripe<K, V>> {
        &self.stripes[thread() % self.stripes.len()].0
    }

    /// The slots of a shard's values.
    fn slots(&self, shard: usize) -> Range<usize> {
        shard * self.of_each..(shard + 1) * self.of_each
    }

    /// The slots of a hash, and the current version of the copies of its shard.
    pub(super) fn slots_of(&self, shard: usize, hash: u64) -> ([usize; 2], usize) {
        // Bits that do not choose the shard.
        let slot = |bits: u64| shard * self.of_each + (bits & 0xffff) as usize % self.of_each;
        ([slot(hash), slot(hash >> 48)], self.versions[shard].current())
    }

    /// Gives the stripe of this thread its slots.
    #[cold]
    pub(super) fn furnish(&self) {
        let slots = Stripe::slots(self.of_each * self.versions.len());
        let _left = self.stripe().with(|stripe| stripe.furnish(slots));
    }

    /// Takes out the copies of a shard's values that are outdated.
    #[inline]
    pub(crate) fn purge(&self, shard: usize) {
        self.versions[shard].purge(|version| self.take_out(shard, version));
    }

    #[cold]
    #[inline(never)]
    fn take_out(&self, shard: usize, version: usize) {
        let slots = self.slots(shard);
        each(self.stripes.iter(), |stripe| {
            each(slots.clone().step_by(AT_ONCE), |first| {
                let few = first..slots.end.min(first + AT_ONCE);
                // Dropped outside the lock.
                each(stripe.0.with(|stripe| stripe.purge(few, version)).into_iter(), drop);
            });
        });
    }

    /// How many lookups were served from copies.
    pub(crate) fn hits(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.0.with(|stripe| stripe.hits)).sum()
    }
}

/// A hash chooses one of at most so many slots.
const MOST: usize = 1 << 16;

/// How many slots are looked at in one step under the lock.
const AT_ONCE: usize = 256;

/// The number of this thread.
fn thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.try_with(|number| *number).unwrap_or(0)
}
