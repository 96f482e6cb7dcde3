//! The shards of a cache split when it grows, and are gone over whole.

#[cfg(feature = "std")]
use super::{Afters, engine::SPLIT};
use super::{Engine, ShardOf};
#[cfg(feature = "std")]
use crate::{Instant, sync::atomic::Ordering};
use crate::{Key, Lock, Runtime, Tuning};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Locks each shard in turn; none splits meanwhile, so nothing is met in both halves, or in neither.
    pub(crate) fn with_each(&self, mut f: impl FnMut(&mut ShardOf<K, V, E, R, S>)) {
        let mut with_each = || self.shards.iter().for_each(|shard| shard.with(&mut f));
        #[cfg(feature = "std")]
        self.capacity.with(|_| with_each());
        #[cfg(not(feature = "std"))]
        with_each();
    }

    /// How many writes there were to a key's shard, as was noted of all shards then. If nothing was noted, it is as if there
    /// had been one since.
    pub(crate) fn writes_before(&self, shard: &ShardOf<K, V, E, R, S>, hash: u64, noted: &[u64]) -> u64 {
        let mut bits = shard.home.bits();
        // One that has split off since had the same number as the one from which it came.
        while let Some(bit) = bits.checked_ilog2().filter(|_| self.shards.number_at(hash, bits) >= noted.len()) {
            bits -= 1 << bit;
        }
        noted.get(self.shards.number_at(hash, bits)).copied().unwrap_or_else(|| shard.writes.wrapping_sub(1))
    }

    /// Splits all shards until there are so many, if there may be. To be called under the lock of the capacity.
    #[cfg(feature = "std")]
    pub(crate) fn split_shards(&self, capacity: u64, to: usize, now: Instant, afters: &mut Afters<'_, K, V, E, R, S>) {
        self.shards.grow(to, |lower, number, upper| {
            let effects = afters.next(1);
            let part = capacity / number as u64;
            lower.with(|shard| shard.split_off(part, now, effects, |half| upper(R::Lock::new(half))));
        });
        if self.shards.len() > self.shards.first().len() {
            self.needs.fetch_or(SPLIT, Ordering::Relaxed);
        }
    }
}
