//! Which entries have to leave, kept up to date as the order of use and the reserved places change.

use alloc::collections::BTreeMap;

use super::State;
use crate::store::policy::list::List;

/// Where an entry stands when room is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It is in use.
    Pinned,
    /// Others have to leave before it.
    Idle,
    /// It is one of those that have to leave.
    Leaves,
    /// It could not be flushed, and is skipped.
    Aside,
}

/// The entries that have to leave for the reserved places, each by its last use; and the clean ones of the others.
pub(super) struct Leaving {
    pub(super) clean: BTreeMap<u64, u32>,
    pub(super) dirty: BTreeMap<u64, u32>,
    pub(super) flushing: BTreeMap<u64, u32>,
    /// Clean ones that need not leave, in no strict order.
    pub(super) idle: List,
    pub(super) idles: usize,
}

impl Leaving {
    pub(super) fn new() -> Self {
        let (clean, dirty, flushing) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { clean, dirty, flushing, idle: List::new(), idles: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.clean.len() + self.dirty.len() + self.flushing.len()
    }

    /// Returns the most recently used of them.
    pub(super) fn last(&self) -> Option<u32> {
        let ends = [&self.clean, &self.dirty, &self.flushing].into_iter().filter_map(BTreeMap::last_key_value);
        ends.max().map(|(_, place)| *place)
    }

    pub(super) fn of(&mut self, state: State) -> &mut BTreeMap<u64, u32> {
        match state {
            State::Clean => &mut self.clean,
            State::Dirty(_) => &mut self.dirty,
            State::Flushing(_) | State::Again(..) => &mut self.flushing,
        }
    }
}
