//! One entry, and how the list of those in use sees it.

use slab::Slab;

use super::State;
use crate::store::policy::{Nodes, list::Link};

/// One value and what there is to say of it.
pub(crate) struct Entry<K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    /// The number of the change that made the value what it is; zero if it was loaded.
    pub(crate) version: u64,
    pub(crate) pins: u32,
    pub(crate) state: State,
    /// Numbers the time until the next flush of it ends.
    pub(crate) round: u64,
    pub(super) link: Link,
}

/// The entries as their list sees them.
pub(super) struct ByPlace<'a, K, V>(pub(super) &'a mut Slab<Entry<K, V>>);

impl<K, V> Nodes<Link> for ByPlace<'_, K, V> {
    fn node(&mut self, place: u32) -> &mut Link {
        &mut self.0[place as usize].link
    }

    fn hash(&self, place: u32) -> u64 {
        self.0[place as usize].hash
    }

    fn weight(&self, _: u32) -> u64 {
        1
    }
}
