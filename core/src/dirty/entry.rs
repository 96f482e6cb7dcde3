//! One entry, and how lists of them see it.

use slab::Slab;

use super::{State, leaving::Stands};
use crate::store::policy::{Nodes, list::Link};

/// One value and what is known about it.
pub(crate) struct Entry<K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    /// The number of the change that made the value; zero if it was loaded.
    pub(crate) version: u64,
    pub(crate) pins: u32,
    pub(crate) state: State,
    /// Numbers the time until its next flush ends.
    pub(crate) round: u64,
    pub(super) stands: Stands,
    /// Numbers its last use, among all entries.
    pub(super) used: u64,
    /// In the order of use, and among those that are clean.
    pub(super) links: [Link; 2],
}

/// The entries as one of their lists sees them.
pub(super) struct ByPlace<'a, K, V>(&'a mut Slab<Entry<K, V>>, usize);

impl<'a, K, V> ByPlace<'a, K, V> {
    /// In the order of use.
    pub(super) const fn all(entries: &'a mut Slab<Entry<K, V>>) -> Self {
        Self(entries, 0)
    }

    /// Those that are clean and need not leave.
    pub(super) const fn clean(entries: &'a mut Slab<Entry<K, V>>) -> Self {
        Self(entries, 1)
    }
}

impl<K, V> Nodes<Link> for ByPlace<'_, K, V> {
    fn node(&mut self, place: u32) -> &mut Link {
        &mut self.0[place as usize].links[self.1]
    }

    fn hash(&self, place: u32) -> u64 {
        self.0[place as usize].hash
    }

    fn weight(&self, _: u32) -> u64 {
        1
    }
}
