//! Places: reserving one, what leaves for it, and what is put there.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    Change, Entry, Grant, Ledger, Origin, Placed, Spoken, State, Ticket, Victim,
    entry::ByPlace,
    leaving::{Leaving, Stands},
};
use crate::{Instant, store::policy::list::Link};

impl<K, V, W> Ledger<K, V, W> {
    /// Draws a ticket for the queue: a caller keeps its turn, even if it leaves for a while. `is_new` is one that has not had
    /// a place before; the others come first.
    pub(crate) const fn draw(&mut self, is_new: bool) -> Ticket {
        self.room.draw(is_new)
    }

    /// Reserves a place, if there is one and no caller waits for it, or joins the queue with this ticket, if there is one.
    ///
    /// That is one step: otherwise a place that came free in between would be lost.
    pub(crate) fn reserve(&mut self, hash: u64, ticket: Option<Ticket>) -> Spoken {
        if self.room.is_empty() && self.has_room() {
            self.speak();
            self.fit();
            return Spoken::Place;
        }
        let Some(ticket) = ticket else { return Spoken::Nothing };
        self.queue_up(hash, ticket);
        Spoken::Queued
    }

    /// Queues for a place for a key of this hash.
    pub(crate) fn queue_up(&mut self, hash: u64, ticket: Ticket) {
        // What has come since the caller looked, it has to see now.
        let entries = &self.entries;
        let is_such = |place: &u32| entries.get(*place as usize).is_some_and(|entry| entry.hash == hash);
        let is_called = self.index.find(hash, is_such).is_some();
        self.room.join(ticket, hash, is_called);
    }

    /// Returns whether a waiting caller has its place now.
    pub(crate) fn wait(&mut self, ticket: Ticket, waker: W) -> Grant<W> {
        self.room.wait(ticket, waker)
    }

    /// Makes all callers in the queue look again, and later all that join it; returns the wakers to wake.
    pub(crate) fn close(&mut self) -> Vec<W> {
        self.room.close()
    }

    /// A caller stops waiting, and does not need its place if it has got one. Returns the wakers to wake.
    pub(crate) fn leave_queue(&mut self, ticket: Ticket) -> (Option<W>, Vec<W>) {
        match self.room.leave(ticket) {
            Some(waker) => (waker, Vec::new()),
            None => (None, self.give_back(false)),
        }
    }

    /// Gives a reserved place back; `is_clear` is whether the way to it was clear. Returns the wakers to wake.
    pub(crate) fn give_back(&mut self, is_clear: bool) -> Vec<W> {
        self.take_place(is_clear);
        self.grant()
    }

    /// Reserves a place.
    fn speak(&mut self) {
        if self.reserved == self.clear {
            let aside = self.health.rest();
            self.bring_back(aside);
        }
        self.reserved += 1;
    }

    fn take_place(&mut self, is_clear: bool) {
        self.reserved = self.reserved.saturating_sub(1);
        self.clear = self.clear.saturating_sub(usize::from(is_clear));
    }

    fn has_room(&self) -> bool {
        self.pinned + self.reserved < self.capacity
    }

    /// Grants places to the callers in the queue, in order; returns the wakers to wake.
    pub(super) fn grant(&mut self) -> Vec<W> {
        let mut wake = Vec::new();
        while self.has_room() {
            let Some(waker) = self.room.grant() else { break };
            self.speak();
            wake.extend(waker);
        }
        self.fit();
        wake
    }

    /// Returns what has to be cleaned for a reserved place, except the entries whose flush the caller is `inside` of,
    /// by the changes since which they are dirty. If it is nothing, the way to the place is clear from now on;
    /// `is_clear` says that it was.
    ///
    /// The least recently used entries have to leave, one for each place. The waiting callers clean them side by side,
    /// and whichever is clean first serves the caller that looks: a flush that stalls holds up one of them. If the back
    /// end has failed, what is clean goes first. Takes the same time however many entries or places there are.
    pub(crate) fn victim(&mut self, is_clear: bool, inside: &BTreeSet<u64>, now: Option<Instant>) -> Victim {
        let clean = self.leaving.clean.len() + if self.health.is_bad() { self.leaving.idles } else { 0 };
        if clean >= self.leavers(self.clear + usize::from(!is_clear)) {
            self.clear += usize::from(!is_clear);
            return Victim::None;
        }
        let most = match self.health.most(now) {
            Ok(most) => most,
            Err(instead) => return instead,
        };
        if self.leaving.dirty.is_empty() && self.leaving.flushing.is_empty() {
            if self.health.is_bad() && self.health.outage.is_none() {
                // All that can be tried has failed.
                let Some(now) = now else { return Victim::Ask };
                self.health.leave_alone(now);
                return Victim::Failed;
            }
            let aside = core::mem::take(&mut self.health.aside);
            self.bring_back(aside);
        }
        let Leaving { dirty, flushing, .. } = &self.leaving;
        let waits = flushing.len() >= most && inside.is_empty();
        let next = dirty.values().next().filter(|_| !waits);
        let others =
            || flushing.values().find(|place| !self.since(**place).is_some_and(|since| inside.contains(&since)));
        let Some(place) = next.or_else(others).copied() else { return Victim::NoneLeft };
        self.since(place).map_or(Victim::NoneLeft, |since| Victim::At(place, since))
    }

    /// Returns the number of the change since which an entry is dirty.
    fn since(&self, place: u32) -> Option<u64> {
        self.entry(place).state.since().map(|since| since.number)
    }

    /// Puts a value into its reserved place, as clean if it was loaded, and pins it once.
    ///
    /// Only then what has to leave does. Returns the wakers to wake.
    pub(crate) fn place(
        &mut self,
        hash: u64,
        new: &mut Option<(K, V)>,
        origin: Origin,
        is_clear: bool,
    ) -> (Placed<K, V>, Vec<W>)
    where
        K: Eq,
    {
        if let Some(place) = new.as_ref().and_then(|(key, _)| self.find(hash, |k| k == key)) {
            self.pin(place);
            return (Placed::Present(place), self.give_back(is_clear));
        }
        if let Origin::Outdated = origin {
            return (Placed::Void, Vec::new());
        }
        let mut leaves = None;
        if self.entries.len() >= self.capacity {
            let others = if self.health.is_bad() { self.leaving.idle.back() } else { None };
            leaves = self.leaving.clean.values().next().copied().or(others);
            match leaves {
                None if self.unpinned.back().is_none() => return (Placed::Full, Vec::new()),
                None => return (Placed::Dirty, Vec::new()),
                Some(_) => {}
            }
        }
        // From here on, no user code is called any more: the rest happens or it does not.
        let Some((key, value)) = new.take() else { return (Placed::Void, Vec::new()) };
        let left = leaves.map(|place| self.take_out(place));
        self.pinned += 1;
        self.take_place(is_clear);
        let change = match origin {
            Origin::Loaded | Origin::Outdated => None,
            Origin::Changed(now) => Some(self.next_change(now)),
        };
        let place = self.enter(hash, key, value, change);
        self.fit();
        (Placed::At(place, left), self.room.call(hash))
    }

    /// Enters an entry, pinned once.
    fn enter(&mut self, hash: u64, key: K, value: V, change: Option<Change>) -> u32 {
        let (round, version) = (self.next_round(), change.map_or(0, |change| change.number));
        let (state, links) = (State::Clean, [Link::default(); 2]);
        let entry = Entry { hash, key, value, version, pins: 1, state, round, stands: Stands::Pinned, used: 0, links };
        let place = self.entries.insert(entry) as u32;
        let entries = &self.entries;
        self.index.insert_unique(hash, place, |place| entries.get(*place as usize).map_or(0, |entry| entry.hash));
        if let Some(change) = change {
            self.stand(place, |_, state| *state = state.changed(change));
        }
        place
    }

    /// Numbers the rounds of all entries, so that those of an entry that has left are not taken for those of another.
    pub(super) const fn next_round(&mut self) -> u64 {
        self.rounds += 1;
        self.rounds
    }

    /// Takes out an entry that is not pinned.
    pub(crate) fn take_out(&mut self, place: u32) -> (K, V) {
        self.unpinned.remove(&mut ByPlace::all(&mut self.entries), place);
        self.stand(place, |stands, state| (*stands, *state) = (Stands::Pinned, State::Clean));
        let entry = self.entries.remove(place as usize);
        if let Ok(found) = self.index.find_entry(entry.hash, |candidate| *candidate == place) {
            found.remove();
        }
        self.fit();
        (entry.key, entry.value)
    }
}
