//! Places: who speaks for one, what leaves for it, and what is put there.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{Change, Entry, Grant, Ledger, Origin, Placed, Spoken, State, Ticket, Victim, entry::ByPlace};
use crate::store::policy::list::Link;

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
        let is_called = self.index.find(hash, is_such).is_some();
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
    pub(super) fn grant(&mut self) -> Vec<W> {
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
    /// Those that have to leave are the ones that were not in use for the longest, one for each place. Those who wait clean
    /// them side by side, and whichever is clean first serves the one who looks: a flush that stalls holds up one of them.
    /// Takes time in proportion to the places that are spoken for and what was tried, however many entries there are.
    pub(crate) fn victim(&mut self, is_clear: bool, tried: &BTreeSet<u64>) -> Victim {
        let mine = self.leavers(self.clear + usize::from(!is_clear));
        let (mut clean, mut flushing, mut last) = (0, None, None);
        for _ in 0..self.leavers(self.reserved) {
            let next = if clean < mine { self.next_to_leave(last, tried) } else { None };
            let Some((place, state)) = next else { break };
            match state.since() {
                None => clean += 1,
                Some(since) if state.is_flushing() => flushing = flushing.or(Some(Victim::At(place, since.number))),
                Some(since) => return Victim::At(place, since.number),
            }
            last = Some(place);
        }
        if clean < mine {
            return flushing.unwrap_or(Victim::NoneLeft);
        }
        self.clear += usize::from(!is_clear);
        Victim::None
    }

    /// Returns how many entries have to leave for so many places.
    fn leavers(&self, places: usize) -> usize {
        (self.entries.len() + places).saturating_sub(self.capacity)
    }

    /// Returns the unpinned entry that was not in use for the longest, or for the longest but those up to `last`; except
    /// what was tried to no avail.
    fn next_to_leave(&mut self, last: Option<u32>, tried: &BTreeSet<u64>) -> Option<(u32, State)> {
        let mut next = match last {
            Some(last) => self.unpinned.before(&mut ByPlace(&mut self.entries), last),
            None => self.unpinned.back(),
        };
        while let Some(place) = next {
            let state = self.entry(place).state;
            if state.since().is_none_or(|since| !tried.contains(&since.number)) {
                return Some((place, state));
            }
            next = self.unpinned.before(&mut ByPlace(&mut self.entries), place);
        }
        None
    }

    /// Returns the first clean one of the entries that have to leave for the places that are spoken for.
    fn clean_to_leave(&mut self, tried: &BTreeSet<u64>) -> Option<u32> {
        let mut last = None;
        for _ in 0..self.leavers(self.reserved) {
            let (place, state) = self.next_to_leave(last, tried)?;
            if state == State::Clean {
                return Some(place);
            }
            last = Some(place);
        }
        None
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
        if let Origin::Outdated = origin {
            return (Placed::Void, Vec::new());
        }
        let mut leaves = None;
        if self.entries.len() >= self.capacity {
            leaves = self.clean_to_leave(tried);
            match leaves {
                None if self.unpinned.back().is_none() => return (Placed::Full, Vec::new()),
                None => return (Placed::Dirty, Vec::new()),
                Some(_) => {}
            }
        }
        // From here on, no code of the user is called any more: the rest happens or it does not.
        let Some((key, value)) = new.take() else { return (Placed::Void, Vec::new()) };
        let left = leaves.map(|place| self.take_out(place));
        self.pinned += 1;
        self.take_place(is_clear);
        let change = match origin {
            Origin::Loaded | Origin::Outdated => None,
            Origin::Changed(now) => Some(self.next_change(now)),
        };
        (Placed::At(self.enter(hash, key, value, change), left), self.room.call(hash))
    }

    /// Enters an entry, pinned once.
    fn enter(&mut self, hash: u64, key: K, value: V, change: Option<Change>) -> u32 {
        let (round, version) = (self.next_round(), change.map_or(0, |change| change.number));
        let entry = Entry { hash, key, value, version, pins: 1, state: State::Clean, round, link: Link::default() };
        let place = self.entries.insert(entry) as u32;
        let entries = &self.entries;
        self.index.insert_unique(hash, place, |place| entries.get(*place as usize).map_or(0, |entry| entry.hash));
        if let Some(change) = change {
            self.turn(place, |state| state.changed(change));
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
        self.turn(place, |_| State::Clean);
        let entry = self.entries.remove(place as usize);
        if let Ok(found) = self.index.find_entry(entry.hash, |candidate| *candidate == place) {
            found.remove();
        }
        (entry.key, entry.value)
    }
}
