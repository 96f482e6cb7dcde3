//! Values that leave: why, how they are counted, and how they are taken out of the lock.

use alloc::vec::Vec;

use super::{
    memory::grow,
    table::Table,
    values::{Entry, Facts},
};
use crate::{
    Instant, RemovalCause,
    contain::{both, drop_each},
};

/// A value that has left.
pub(crate) struct Leaver<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    /// Why it left; taken when the listener is told, so that it is told only once.
    pub(crate) cause: Option<RemovalCause>,
}

/// Values that have left: told to the listener and dropped outside the lock.
pub(crate) struct Leavers<K, V> {
    /// Most operations make one value leave, and need no memory for that.
    pub(crate) first: Option<Leaver<K, V>>,
    more: Vec<Leaver<K, V>>,
}

impl<K, V> Leavers<K, V> {
    pub(crate) const fn new() -> Self {
        Self { first: None, more: Vec::new() }
    }

    /// Is there no list of more than one?
    // (By its memory: a drop looks at that in any case.)
    #[inline(always)]
    pub(crate) fn are_few(&self) -> bool {
        self.more.capacity() == 0
    }

    /// Takes the value that left first.
    pub(crate) fn take_first(&mut self) -> Option<V> {
        self.first.take().map(|leaver| leaver.value)
    }

    /// Is there no memory to give back?
    pub(crate) fn has_no_memory(&self) -> bool {
        self.first.is_none() && self.more.capacity() == 0
    }

    /// Reserves memory for one more value; returns whether there is enough.
    pub(crate) fn has_memory(&mut self) -> bool {
        self.first.is_none() || (self.more.len() < self.more.capacity() || grow(&mut self.more, 1, u64::MAX))
    }

    /// Drops all.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.are_few() {
            self.first = None;
        } else {
            self.clear_many();
        }
    }

    #[cold]
    fn clear_many(&mut self) {
        both(self, |this| this.first = None, |this| drop_each(&mut this.more));
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Leaver<K, V>> {
        self.first.iter_mut().chain(&mut self.more)
    }

    #[cfg_attr(feature = "std", inline(always))]
    pub(super) fn push(&mut self, key: K, value: V, cause: RemovalCause) {
        let leaver = Leaver { key, value, cause: Some(cause) };
        if self.first.is_none() {
            self.first = Some(leaver);
        } else {
            self.more.push(leaver);
        }
    }

    #[cfg_attr(feature = "std", inline(always))]
    pub(super) fn push_entry<N>(&mut self, entry: Entry<K, V, N>, cause: RemovalCause) {
        self.push(entry.key, entry.value, cause);
    }
}

#[cfg(feature = "std")]
impl<K, V> Drop for Leavers<K, V> {
    #[inline]
    fn drop(&mut self) {
        if !self.are_few() {
            self.clear_many();
        }
    }
}

/// All values at once: told to the listener and dropped outside the lock.
pub(crate) struct Cleared<K, V, N> {
    pub(super) entries: Table<Entry<K, V, N>>,
    pub(super) facts: Facts,
    pub(super) at: Instant,
    pub(super) trusted: Instant,
}

impl<K, V, N> Cleared<K, V, N> {
    /// Drops the values.
    pub(crate) fn empty(&mut self) {
        self.facts.clear();
        self.entries.empty();
    }

    pub(super) fn into_memory(self) -> (Table<Entry<K, V, N>>, Facts) {
        (self.entries, self.facts)
    }

    /// Returns how many were removed, and how many had expired before.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let is_fresh = |place: &u32| self.facts.is_fresh(*place, self.at, self.trusted);
        let fresh = (0..self.entries.len() as u32).filter(is_fresh).count() as u64;
        (fresh, self.entries.len() as u64 - fresh)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V, RemovalCause)> {
        let cause = |place| cause(RemovalCause::Removed, self.facts.is_fresh(place, self.at, self.trusted));
        (0..).zip(self.entries.rows()).map(move |(place, entry)| (&entry.key, &entry.value, cause(place)))
    }
}

/// What happened to values, by cause.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StoreCounts {
    pub(crate) stored: u64,
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) replaced: u64,
    pub(crate) removed: u64,
    pub(crate) refused: u64,
}

impl StoreCounts {
    /// Counts a value that left; returns the cause.
    pub(super) fn left(&mut self, why: RemovalCause, was_fresh: bool) -> RemovalCause {
        let cause = cause(why, was_fresh);
        let counter = match cause {
            RemovalCause::Evicted => &mut self.evicted,
            RemovalCause::Expired => &mut self.expired,
            RemovalCause::Refused => &mut self.refused,
            RemovalCause::Removed => &mut self.removed,
            RemovalCause::Replaced => &mut self.replaced,
        };
        *counter += 1;
        cause
    }
}

/// A value that had expired when it left counts as expired, whatever removed it.
const fn cause(why: RemovalCause, was_fresh: bool) -> RemovalCause {
    if was_fresh { why } else { RemovalCause::Expired }
}
