//! The entries of a write-back cache.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::mem;

use hashbrown::HashTable;
use slab::Slab;

use super::{Change, Entry, Grant, State, Ticket, entry::ByPlace, loads::Loads, room::Room};
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
    /// How many rounds have been begun, each of one entry until a flush of it ends.
    rounds: u64,
    capacity: usize,
    pinned: usize,
    /// How many places are spoken for.
    reserved: usize,
    /// How many of these have something clean to leave for them, or did not need that.
    clear: usize,
    room: Room<W>,
    loads: Loads,
}

/// Where a value comes from that is to take its reserved place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// It was loaded, and this was the last change when that was begun.
    Loaded(u64),
    /// It was changed at this time.
    Changed(Instant),
}

/// What becomes of a value that is to take its reserved place. It is left where it was, but for the first case.
pub(crate) enum Placed<K, V> {
    /// It stands there, pinned once; what had to leave comes out.
    At(u32, Option<(K, V)>),
    /// Its key has been there already, and is pinned once more.
    Present(u32),
    /// Something has to be cleaned first.
    Dirty,
    /// Everything is pinned.
    Full,
    /// Its key was written since it was begun to be loaded.
    Void,
}

/// What becomes of a wish for a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// There is one, and it is spoken for.
    Place,
    /// There is none; this is a place in the queue.
    Ticket(Ticket),
    /// There is none, and the caller does not wait.
    Nothing,
}

/// What has to be flushed to make room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Nothing: there is a place, or what stands there is clean.
    None,
    /// The entry at this place, which is dirty since this change.
    At(u32, u64),
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
            rounds: 0,
            capacity,
            pinned: 0,
            reserved: 0,
            clear: 0,
            room: Room::new(),
            loads: Loads::new(),
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

    /// Returns the keys that are pinned; takes no time where none is.
    pub(crate) fn pinned_keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        if self.pinned == 0 {
            return Vec::new();
        }
        self.entries.iter().filter(|(_, entry)| entry.pins > 0).map(|(_, entry)| entry.key.clone()).collect()
    }

    /// Returns the keys whose content is not on disk, in the order of their changes.
    pub(crate) fn dirty_keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.dirty.values().map(|place| self.entry(*place).key.clone()).collect()
    }

    /// Returns an entry that is being flushed.
    pub(crate) fn flushing(&self) -> Option<&Entry<K, V>> {
        self.dirty.values().map(|place| self.entry(*place)).find(|entry| entry.state.is_flushing())
    }

    /// Takes out everything; nothing must be pinned. Loads that are under way are void.
    pub(crate) fn take_all(&mut self) -> Vec<Entry<K, V>> {
        self.changes += 1;
        self.loads.write_all(self.changes);
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
    /// Speaks for a place, if there is one and nobody waits for it, or joins those who wait.
    ///
    /// That is one step: a place that came free between would be nobody's.
    pub(crate) fn reserve(&mut self, hash: u64, may_wait: bool) -> Spoken {
        if self.room.is_empty() && self.has_room() {
            self.reserved += 1;
            return Spoken::Place;
        }
        if may_wait { Spoken::Ticket(self.queue_up(hash, true)) } else { Spoken::Nothing }
    }

    /// Joins those who wait for a place for a key of this hash; in front, unless he `is_new` and has not had one before.
    pub(crate) fn queue_up(&mut self, hash: u64, is_new: bool) -> Ticket {
        // What has come since he looked, he has to see now.
        let entries = &self.entries;
        let is_such = |place: &u32| entries.get(*place as usize).is_some_and(|entry| entry.hash == hash);
        let is_called = self.loads.is_running(hash) || self.index.find(hash, is_such).is_some();
        self.room.draw(hash, is_new, is_new && is_called)
    }

    /// Tells whether a caller who waits has his place now.
    pub(crate) fn wait(&mut self, ticket: Ticket, waker: W) -> Grant<W> {
        self.room.wait(ticket, waker)
    }

    /// Has all who wait for a place look again; returns whom to wake.
    pub(crate) fn call_all(&mut self) -> Vec<W> {
        self.room.call_all()
    }

    /// A caller waits no longer, and has no use for his place if he has got it. Returns whom to wake.
    pub(crate) fn leave_queue(&mut self, ticket: Ticket) -> (Option<W>, Vec<W>) {
        match self.room.leave(ticket) {
            Some(waker) => (waker, Vec::new()),
            None => (None, self.give_back(false)),
        }
    }

    /// Gives a place back that was spoken for; `is_clear` is whether the way to it was. Returns whom to wake.
    pub(crate) fn give_back(&mut self, is_clear: bool) -> Vec<W> {
        self.take_place(is_clear);
        self.grant()
    }

    fn take_place(&mut self, is_clear: bool) {
        self.reserved = self.reserved.saturating_sub(1);
        self.clear = self.clear.saturating_sub(usize::from(is_clear));
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

    /// Returns what has to be cleaned for a place that is spoken for, except what was `tried`: that is given by the change
    /// since which it is dirty. If it is nothing, the way to the place is clear from now on; `is_clear` says that it was.
    ///
    /// Those that have to leave are the ones that were not in use for the longest. One for each place is looked at, so that
    /// those who wait clean one each, side by side; but nobody waits for more than he needs beside those whose way is clear.
    /// Takes time in proportion to the places that are spoken for and what was tried, however many entries there are.
    pub(crate) fn victim(&mut self, is_clear: bool, tried: &BTreeSet<u64>) -> Victim {
        let leavers = |places: usize| (self.entries.len() + places).saturating_sub(self.capacity);
        let (mine, all) = (leavers(self.clear + usize::from(!is_clear)), leavers(self.reserved));
        let (mut seen, mut flushing) = (0, None);
        let mut place = self.unpinned.back();
        while seen < mine || flushing.is_some() && seen < all {
            let Some(candidate) = place else { break };
            let state = self.entry(candidate).state;
            match state.since().map(|since| since.number) {
                Some(number) if tried.contains(&number) => {}
                Some(number) if !state.is_flushing() => return Victim::At(candidate, number),
                since => {
                    flushing = flushing.or(since.map(|number| Victim::At(candidate, number)));
                    seen += 1;
                }
            }
            place = self.unpinned.before(&mut ByPlace(&mut self.entries), candidate);
        }
        if seen < mine && flushing.is_none() {
            return Victim::NoneLeft;
        }
        self.clear += usize::from(!is_clear && flushing.is_none());
        flushing.unwrap_or(Victim::None)
    }

    /// Puts a value into the place that is spoken for, as clean if it was loaded, and pins it once.
    ///
    /// Only then does leave what has to. Returns whom to wake.
    pub(crate) fn place(
        &mut self,
        hash: u64,
        new: &mut Option<(K, V)>,
        origin: Origin,
        is_clear: bool,
        tried: &BTreeSet<u64>,
    ) -> (Placed<K, V>, Vec<W>)
    where
        K: Eq,
    {
        if let Some(place) = new.as_ref().and_then(|(key, _)| self.find(hash, |k| k == key)) {
            self.pin(place);
            return (Placed::Present(place), self.give_back(is_clear));
        }
        if let Origin::Loaded(since) = origin {
            if self.loads.is_void(hash, since) {
                return (Placed::Void, Vec::new());
            }
        }
        let mut leaves = None;
        if self.entries.len() >= self.capacity {
            match self.first_to_leave(tried) {
                None if self.unpinned.back().is_none() => return (Placed::Full, Vec::new()),
                Some(place) if self.entry(place).state == State::Clean => leaves = Some(place),
                _ => return (Placed::Dirty, Vec::new()),
            }
        }
        // From here on, no code of the user is called any more: the rest happens or it does not.
        let Some((key, value)) = new.take() else { return (Placed::Void, Vec::new()) };
        let left = leaves.map(|place| self.take_out(place));
        self.pinned += 1;
        self.take_place(is_clear);
        let change = match origin {
            Origin::Loaded(_) => None,
            Origin::Changed(now) => Some(self.next_change(now)),
        };
        if let Some(change) = change {
            self.loads.write(hash, change.number);
        }
        (Placed::At(self.enter(hash, key, value, change), left), self.room.call(hash))
    }

    /// Returns the unpinned entry that was not in use for the longest, except what was tried to no avail.
    fn first_to_leave(&mut self, tried: &BTreeSet<u64>) -> Option<u32> {
        let mut place = self.unpinned.back();
        while let Some(candidate) = place {
            if self.entry(candidate).state.since().is_none_or(|since| !tried.contains(&since.number)) {
                break;
            }
            place = self.unpinned.before(&mut ByPlace(&mut self.entries), candidate);
        }
        place
    }

    /// Enters an entry, pinned once.
    fn enter(&mut self, hash: u64, key: K, value: V, change: Option<Change>) -> u32 {
        let (round, version) = (self.next_round(), change.map_or(0, |change| change.number));
        let state = change.map_or(State::Clean, State::Dirty);
        let entry = Entry { hash, key, value, version, pins: 1, state, round, link: Link::default() };
        let place = self.entries.insert(entry) as u32;
        let entries = &self.entries;
        self.index.insert_unique(hash, place, |place| entries.get(*place as usize).map_or(0, |entry| entry.hash));
        if let Some(change) = change {
            self.dirty.insert(change.number, place);
        }
        place
    }

    /// Numbers the rounds of all entries, so that those of one which has left are not taken for those of another.
    pub(super) const fn next_round(&mut self) -> u64 {
        self.rounds += 1;
        self.rounds
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

/// Loads.
impl<K, V, W> Ledger<K, V, W> {
    /// Notes that a key of this hash is being loaded; returns the number of the last change, and whom to wake: who waits
    /// for room for that key can wait for the load instead.
    pub(crate) fn begin_load(&mut self, hash: u64) -> (u64, Vec<W>) {
        self.loads.begin(hash);
        (self.changes, self.room.call(hash))
    }

    /// Notes that such a load is over.
    pub(crate) fn end_load(&mut self, hash: u64) {
        self.loads.end(hash);
    }
}

#[cfg(test)]
mod tests;
