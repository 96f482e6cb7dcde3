//! A look at the copies of hot values, and how they are made.

use core::borrow::Borrow;

use super::{
    Copies, Engine, ShardOf,
    stripe::{Copied, Near},
};
use crate::{Instant, Key, Lock, Runtime, Tuning};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Returns the value of a copy.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_near<Q>(&self, hash: u64, now: Instant, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let (copies, shard) = (self.copies.as_ref()?, self.shards.first_of(hash));
        let (slots, version) = copies.slots_of(shard, hash);
        let found = copies.stripe().with(|stripe| stripe.look(slots, hash, version, now, |k| k.borrow() == key));
        match found {
            Near::Hit(value) => Some(value),
            Near::Miss => None,
            Near::Wanted | Near::Bare => {
                if matches!(found, Near::Bare) {
                    copies.furnish();
                }
                self.copy(copies, slots, hash, now, key);
                None
            }
        }
    }

    /// Makes a copy of a fresh value.
    #[cold]
    #[inline(never)]
    fn copy<Q>(&self, copies: &Copies<K, V, R>, slots: [usize; 2], hash: u64, now: Instant, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        // (A key is never dropped under a lock, even if the clone of its value panics.)
        let mut own = None;
        // (What it replaces is dropped outside the locks.)
        let _former = self.with(hash, |shard: &mut ShardOf<K, V, E, R, S>| {
            shard.copy(
                hash,
                now,
                |k| k.borrow() == key,
                |key, value, version, end| {
                    own = Some(key.clone());
                    let value = value.clone();
                    let copy = Copied::new(hash, own.take()?, value, version, end);
                    copies.stripe().with(|stripe| stripe.keep(slots, copy))
                },
            )
        });
    }
}
