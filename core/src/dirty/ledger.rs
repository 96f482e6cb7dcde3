//! The entries of a write-back cache.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::mem;

use hashbrown::HashTable;
use slab::Slab;

use super::{
    Change, Delays, Entry,
    entry::ByPlace,
    health::Health,
    leaving::{Leaving, Stands},
    room::Room,
};
use crate::{Instant, store::policy::list::List};

/// All entries, the callers that wait for room, and how much of it is reserved.
pub(crate) struct Ledger<K, V, W> {
    pub(super) index: HashTable<u32>,
    pub(super) entries: Slab<Entry<K, V>>,
    /// The unpinned entries, the most recently used in front.
    pub(super) unpinned: List,
    /// The entries whose content is not on disk, by the number of the first change that is not.
    pub(super) dirty: BTreeMap<u64, u32>,
    /// Those of them that are being flushed.
    pub(super) flushing: BTreeSet<u64>,
    /// All changes that are not on disk, by their times: if a clock jumps back, this order is another one.
    pub(super) by_time: BTreeSet<Change>,
    /// How many changes there have been.
    pub(super) changes: u64,
    /// How many rounds have been begun, each of one entry until a flush of it ends.
    pub(super) rounds: u64,
    pub(super) capacity: usize,
    pub(super) pinned: usize,
    /// How many places are reserved.
    pub(super) reserved: usize,
    /// How many of these have something clean to leave for them, or did not need that.
    pub(super) clear: usize,
    pub(super) room: Room<W>,
    pub(super) leaving: Leaving,
    pub(crate) health: Health,
    /// How often a last pin was dropped.
    pub(super) uses: u64,
    /// How many entries were looked at.
    #[cfg(test)]
    pub(super) looks: core::cell::Cell<usize>,
}

/// All entries of a ledger, and what held them.
pub(crate) struct Taken<K, V> {
    entries: Slab<Entry<K, V>>,
    _rest: (HashTable<u32>, Leaving, (BTreeMap<u64, u32>, BTreeSet<Change>, BTreeSet<u64>)),
}

impl<K, V> Taken<K, V> {
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry<K, V>> {
        self.entries.into_iter().map(|(_, entry)| entry)
    }
}

/// Where a value that is to take its reserved place comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// It was loaded.
    Loaded,
    /// It was loaded, and its key was written after that load began.
    Outdated,
    /// It was changed at this time.
    Changed(Instant),
}

/// What happens to a value that is to take its reserved place. It is left where it was, except in the first case.
pub(crate) enum Placed<K, V> {
    /// It is there, pinned once; what had to leave comes out.
    At(u32, Option<(K, V)>),
    /// Its key was there already, and is pinned once more.
    Present(u32),
    /// Something has to be cleaned first.
    Dirty,
    /// Everything is pinned.
    Full,
    /// Its key was written after its load began.
    Void,
}

/// What happens to a request for a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// There is one, and it is reserved.
    Place,
    /// There is none; the caller is in the queue.
    Queued,
    /// There is none, and the caller does not wait.
    Nothing,
}

/// How many places are looked at in one step.
const AT_ONCE: usize = 256;

impl<K, V, W> Ledger<K, V, W> {
    pub(crate) fn new(capacity: usize, delays: Delays) -> Self {
        Self {
            index: HashTable::new(),
            entries: Slab::new(),
            unpinned: List::new(),
            dirty: BTreeMap::new(),
            flushing: BTreeSet::new(),
            by_time: BTreeSet::new(),
            changes: 0,
            rounds: 0,
            capacity,
            pinned: 0,
            reserved: 0,
            clear: 0,
            room: Room::new(),
            leaving: Leaving::new(),
            health: Health::new(delays),
            uses: 0,
            #[cfg(test)]
            looks: core::cell::Cell::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) const fn pinned(&self) -> usize {
        self.pinned
    }

    pub(crate) fn dirty(&self) -> usize {
        self.dirty.len()
    }

    /// Returns the keys that are pinned at the next few places from this one on, and where there may be more.
    pub(crate) fn pinned_keys(&self, first: usize) -> (Vec<K>, Option<usize>)
    where
        K: Clone,
    {
        let end = self.entries.capacity().min(first + AT_ONCE);
        let pinned = (first..end).filter_map(|place| self.entries.get(place).filter(|entry| entry.pins > 0));
        (pinned.map(|entry| entry.key.clone()).collect(), Some(end).filter(|end| *end < self.entries.capacity()))
    }

    /// Returns the entries whose content is not on disk, in the order of their changes, from that number on.
    #[cfg(test)]
    pub(crate) fn by_change(&self, first: u64) -> impl Iterator<Item = (u64, &Entry<K, V>)> {
        self.dirty.range(first..).map(|(number, place)| (*number, self.entry(*place)))
    }

    /// Returns an entry that is being flushed, the first one that is dirty since that number or later if there is one;
    /// and since when it is, which is where to look for the next.
    pub(crate) fn flushing(&self, first: u64) -> Option<(u64, &Entry<K, V>)> {
        let since = self.flushing.range(first..).next().or_else(|| self.flushing.first())?;
        self.dirty.get(since).map(|place| (*since, self.entry(*place)))
    }

    /// Takes out the entries whose content is not on disk, in the order of their changes; nothing must be pinned.
    pub(crate) fn take_dirty(&mut self) -> Vec<(K, V)> {
        let places: Vec<_> = self.dirty.values().copied().collect();
        places.into_iter().map(|place| self.take_out(place)).collect()
    }

    /// Takes out everything; nothing must be pinned. Takes no time: what held it is emptied where it is dropped.
    pub(crate) fn take_all(&mut self) -> Taken<K, V> {
        self.unpinned = List::new();
        self.health.aside.clear();
        let orders = (mem::take(&mut self.dirty), mem::take(&mut self.by_time), mem::take(&mut self.flushing));
        let (index, leaving) = (mem::take(&mut self.index), mem::replace(&mut self.leaving, Leaving::new()));
        Taken { entries: mem::take(&mut self.entries), _rest: (index, leaving, orders) }
    }

    pub(crate) fn find(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        let entries = &self.entries;
        self.index.find(hash, |place| entries.get(*place as usize).is_some_and(|entry| eq(&entry.key))).copied()
    }

    pub(crate) fn entry(&self, place: u32) -> &Entry<K, V> {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        &self.entries[place as usize]
    }

    /// Pins an entry, or pins it once more.
    pub(crate) fn pin(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        entry.pins += 1;
        if entry.pins == 1 {
            self.pinned += 1;
            self.unpinned.remove(&mut ByPlace::all(&mut self.entries), place);
            self.stand(place, |stands, _| *stands = Stands::Pinned);
            self.fit();
        }
    }

    /// Takes one pin away; the entry was in use until now. Returns the wakers to wake.
    pub(crate) fn unpin(&mut self, place: u32) -> Vec<W> {
        let entry = &mut self.entries[place as usize];
        entry.pins -= 1;
        if entry.pins > 0 {
            return Vec::new();
        }
        self.pinned -= 1;
        self.uses += 1;
        entry.used = self.uses;
        self.unpinned.push_front(&mut ByPlace::all(&mut self.entries), place);
        self.stand(place, |stands, _| *stands = Stands::Idle);
        self.grant()
    }

    /// Gives an entry another value; returns the old one.
    pub(crate) fn change(&mut self, place: u32, value: V, now: Instant) -> V {
        let change = self.next_change(now);
        let entry = &mut self.entries[place as usize];
        entry.version = change.number;
        let old = mem::replace(&mut entry.value, value);
        self.stand(place, |_, state| *state = state.changed(change));
        old
    }

    pub(super) fn next_change(&mut self, now: Instant) -> Change {
        self.changes += 1;
        Change { number: self.changes, at: now }
    }
}

#[cfg(test)]
mod tests;
