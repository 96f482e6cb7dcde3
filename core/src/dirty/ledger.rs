//! The entries of a write-back cache.

use alloc::{collections::BTreeMap, vec::Vec};
use core::mem;

use hashbrown::HashTable;
use slab::Slab;

use super::{Change, Entry, Grant, State, entry::ByPlace, room::Room};
use crate::{
    Instant,
    store::policy::list::{Link, List},
};

/// All entries, who waits for room, and how much of it is spoken for.
pub(crate) struct Ledger<K, V, W> {
    index: HashTable<u32>,
    pub(super) entries: Slab<Entry<K, V>>,
    /// Those that nobody has pinned, the one that was in use last in front.
    unpinned: List,
    /// Those whose content is not on disk, by the number of the change since which it is not.
    pub(super) dirty: BTreeMap<u64, u32>,
    /// How many changes there have been.
    pub(super) changes: u64,
    capacity: usize,
    pinned: usize,
    /// How many places are spoken for by those who load.
    reserved: usize,
    room: Room<W>,
}

/// What becomes of a value that is to take its reserved place.
pub(crate) enum Placed<K, V> {
    /// It stands there, pinned once; what had to leave comes out.
    At(u32, Option<(K, V)>),
    /// Its key has been there already, and is pinned once more; it comes back.
    Present(u32, V),
    /// Something has to be cleaned first; it comes back.
    Dirty(V),
    /// Everything is pinned; it comes back.
    Full(V),
}

/// What has to be flushed to make room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Nothing: there is a place, or what stands there is clean.
    None,
    /// The entry at this place.
    At(u32),
    /// Nothing is left that has not been tried.
    NoneLeft,
}

impl<K, V, W> Ledger<K, V, W> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            index: HashTable::new(),
            entries: Slab::new(),
            unpinned: List::new(),
            dirty: BTreeMap::new(),
            changes: 0,
            capacity,
            pinned: 0,
            reserved: 0,
            room: Room::new(),
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

    pub(crate) fn keys(&self, of: impl Fn(&Entry<K, V>) -> bool) -> Vec<K>
    where
        K: Clone,
    {
        self.entries.iter().filter(|(_, entry)| of(entry)).map(|(_, entry)| entry.key.clone()).collect()
    }

    /// Returns the keys whose content is not on disk, in the order of their changes.
    pub(crate) fn dirty_keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.dirty.values().map(|place| self.entry(*place).key.clone()).collect()
    }

    /// Returns the first entry that is such a one.
    pub(crate) fn first(&self, is_such: impl Fn(&Entry<K, V>) -> bool) -> Option<&Entry<K, V>> {
        self.entries.iter().map(|(_, entry)| entry).find(|entry| is_such(entry))
    }

    /// Takes out everything; nothing must be pinned.
    pub(crate) fn take_all(&mut self) -> Vec<Entry<K, V>> {
        self.index.clear();
        self.dirty.clear();
        self.unpinned = List::new();
        mem::take(&mut self.entries).into_iter().map(|(_, entry)| entry).collect()
    }

    pub(crate) fn find(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        let entries = &self.entries;
        self.index.find(hash, |place| entries.get(*place as usize).is_some_and(|entry| eq(&entry.key))).copied()
    }

    pub(crate) fn entry(&self, place: u32) -> &Entry<K, V> {
        &self.entries[place as usize]
    }

    /// Pins an entry, or once more.
    pub(crate) fn pin(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        entry.pins += 1;
        if entry.pins == 1 {
            self.pinned += 1;
            self.unpinned.remove(&mut ByPlace(&mut self.entries), place);
        }
    }

    /// Takes one pin away; the entry was in use until now. Returns whom to wake.
    pub(crate) fn unpin(&mut self, place: u32) -> Vec<W> {
        let entry = &mut self.entries[place as usize];
        entry.pins -= 1;
        if entry.pins > 0 {
            return Vec::new();
        }
        self.pinned -= 1;
        self.unpinned.push_front(&mut ByPlace(&mut self.entries), place);
        self.grant()
    }

    /// Gives an entry another value; returns the old one.
    pub(crate) fn change(&mut self, place: u32, value: V, now: Instant) -> V {
        let change = self.next_change(now);
        let entry = &mut self.entries[place as usize];
        entry.version = change.number;
        let before = entry.state;
        entry.state = before.changed(change);
        if before == State::Clean {
            self.dirty.insert(change.number, place);
        }
        mem::replace(&mut entry.value, value)
    }

    fn next_change(&mut self, now: Instant) -> Change {
        self.changes += 1;
        Change { number: self.changes, at: now }
    }
}

/// Room.
impl<K, V, W> Ledger<K, V, W> {
    /// Speaks for a place, if there is one and nobody waits for it.
    pub(crate) fn reserve(&mut self) -> bool {
        let may = self.room.is_empty() && self.has_room();
        self.reserved += usize::from(may);
        may
    }

    /// Joins those who wait for a place; in front, if he has had one before.
    pub(crate) fn queue_up(&mut self, is_first: bool) -> i64 {
        self.room.draw(is_first)
    }

    /// Tells whether a caller who waits has his place now.
    pub(crate) fn wait(&mut self, ticket: i64, waker: W) -> Grant<W> {
        self.room.wait(ticket, waker)
    }

    /// A caller waits no longer, and has no use for his place if he has got it. Returns whom to wake.
    pub(crate) fn leave_queue(&mut self, ticket: i64) -> (Option<W>, Vec<W>) {
        match self.room.leave(ticket) {
            Some(waker) => (waker, Vec::new()),
            None => (None, self.give_back()),
        }
    }

    /// Gives a place back that was spoken for. Returns whom to wake.
    pub(crate) fn give_back(&mut self) -> Vec<W> {
        self.reserved = self.reserved.saturating_sub(1);
        self.grant()
    }

    fn has_room(&self) -> bool {
        self.pinned + self.reserved < self.capacity
    }

    /// Grants places to those who wait, in order; returns whom to wake.
    fn grant(&mut self) -> Vec<W> {
        let mut wake = Vec::new();
        while self.has_room() {
            let Some(waker) = self.room.grant() else { break };
            self.reserved += 1;
            wake.extend(waker);
        }
        wake
    }

    /// Returns what has to be cleaned so that all places which are spoken for can be taken, except what was `tried`.
    ///
    /// Those that have to leave are the ones that were not in use for the longest. Takes time in proportion to the places
    /// that are spoken for and what was tried, however many entries there are.
    pub(crate) fn victim(&mut self, tried: impl Fn(&K) -> bool) -> Victim {
        let mut needed = (self.entries.len() + self.reserved).saturating_sub(self.capacity);
        let mut place = self.unpinned.back();
        while needed > 0 {
            let Some(candidate) = place else { return Victim::NoneLeft };
            let entry = &self.entries[candidate as usize];
            if entry.state == State::Clean {
                needed -= 1;
            } else if !self.is_hopeless(candidate, &tried) {
                return Victim::At(candidate);
            }
            place = self.unpinned.before(&mut ByPlace(&mut self.entries), candidate);
        }
        Victim::None
    }

    /// Puts a value into the place that is spoken for, as clean if it was loaded, and pins it once.
    ///
    /// Only then does leave what has to. `change` is when it was changed, if it was not loaded.
    pub(crate) fn place(
        &mut self,
        hash: u64,
        key: K,
        value: V,
        changed: Option<Instant>,
        tried: impl Fn(&K) -> bool,
    ) -> (Placed<K, V>, Vec<W>)
    where
        K: Eq,
    {
        if let Some(place) = self.find(hash, |k| *k == key) {
            self.pin(place);
            return (Placed::Present(place, value), self.give_back());
        }
        let mut left = None;
        if self.entries.len() >= self.capacity {
            let mut place = self.unpinned.back();
            while let Some(candidate) = place.filter(|place| self.is_hopeless(*place, &tried)) {
                place = self.unpinned.before(&mut ByPlace(&mut self.entries), candidate);
            }
            match place {
                None if self.unpinned.back().is_none() => return (Placed::Full(value), Vec::new()),
                Some(place) if self.entries[place as usize].state == State::Clean => left = Some(self.take_out(place)),
                _ => return (Placed::Dirty(value), Vec::new()),
            }
        }
        let state = changed.map(|now| self.next_change(now));
        let version = state.map_or(0, |change| change.number);
        let entry = Entry {
            hash,
            key,
            value,
            version,
            pins: 1,
            state: state.map_or(State::Clean, State::Dirty),
            round: 0,
            link: Link::default(),
        };
        let place = self.entries.insert(entry) as u32;
        let entries = &self.entries;
        self.index.insert_unique(hash, place, |place| entries.get(*place as usize).map_or(0, |entry| entry.hash));
        if let Some(change) = state {
            self.dirty.insert(change.number, place);
        }
        self.pinned += 1;
        self.reserved -= 1;
        (Placed::At(place, left), Vec::new())
    }

    /// Tells whether an entry is dirty and was tried to no avail.
    fn is_hopeless(&self, place: u32, tried: impl Fn(&K) -> bool) -> bool {
        let entry = &self.entries[place as usize];
        entry.state != State::Clean && tried(&entry.key)
    }

    /// Takes out an entry that nobody has pinned.
    pub(crate) fn take_out(&mut self, place: u32) -> (K, V) {
        self.unpinned.remove(&mut ByPlace(&mut self.entries), place);
        let entry = self.entries.remove(place as usize);
        if let Ok(found) = self.index.find_entry(entry.hash, |candidate| *candidate == place) {
            found.remove();
        }
        if let Some(since) = entry.state.since() {
            self.dirty.remove(&since.number);
        }
        (entry.key, entry.value)
    }
}
