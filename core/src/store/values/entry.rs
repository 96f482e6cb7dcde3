//! A stored value, and one that is to be stored.

use core::mem;

use super::{super::table::Row, Life};
use crate::Instant;

/// A stored value and what each hit or removal needs of it; the other facts stand [beside](super::facts::Facts).
pub(crate) struct Entry<K, V, N> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) hash: u64,
    pub(crate) generation: u32,
    pub(super) node: N,
}

/// The value that this was before, if it comes back, and when it was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Former {
    pub(crate) generation: u32,
    pub(crate) published: Instant,
}

impl Former {
    /// The generation of a value that was elsewhere before.
    pub(crate) const NONE: u32 = 0;

    /// Where it was, if it was published `age` nanoseconds ago.
    pub(crate) fn of(before: Option<Self>, age: u64, now: Instant) -> Option<Self> {
        let elsewhere = (age > 0).then(|| Self { generation: Self::NONE, published: now.saturating_sub(age) });
        before.or(elsewhere)
    }

    /// Whether it was here before.
    pub(crate) fn stays(former: Option<Self>) -> bool {
        former.is_some_and(|former| former.generation != Self::NONE)
    }
}

impl<K, V, N> Row<K> for Entry<K, V, N> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn key(&self) -> &K {
        &self.key
    }
}

impl<K, V, N> Entry<K, V, N> {
    /// Takes another value of its key, and returns the former one. (Its hash stays: by it the row is found.)
    #[inline(always)]
    pub(super) fn renew(&mut self, new: New<K, V>, generation: u32) -> (K, V) {
        self.generation = generation;
        (mem::replace(&mut self.key, new.key), mem::replace(&mut self.value, new.value))
    }

    /// Takes the value of another key, and returns the former one.
    // Field by field, because to make a row and to move it directly after that takes longer than to look for one.
    #[inline(always)]
    pub(super) fn take_over(&mut self, new: New<K, V>, generation: u32) -> (K, V)
    where
        N: Default,
    {
        (self.hash, self.node) = (new.hash, N::default());
        self.renew(new, generation)
    }
}

/// A value that is to be stored.
pub(crate) struct New<K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) weight: u64,
    pub(crate) now: Instant,
    /// When its lifetime ends, even if it is asked for.
    pub(crate) end: Instant,
    /// When its load began.
    pub(crate) begun: Instant,
    pub(crate) former: Option<Former>,
}

impl<K, V> New<K, V> {
    /// Returns the life that it begins.
    pub(crate) const fn life(&self) -> Life {
        Life { since: self.now, end: self.end, begun: self.begun }
    }

    #[inline(always)]
    pub(super) fn published(&self) -> Instant {
        self.former.map_or(self.now, |former| former.published)
    }

    pub(super) fn entry<N: Default>(self, generation: u32) -> Entry<K, V, N> {
        let Self { hash, key, value, .. } = self;
        Entry { key, value, hash, generation, node: N::default() }
    }
}
