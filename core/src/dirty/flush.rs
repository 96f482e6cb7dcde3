//! Flushing, as the ledger sees it: what is to be written, in which order, and what has been.

use core::{ops::Bound, time::Duration};

use super::{Change, Ledger, State};
use crate::Instant;

impl<K, V, W> Ledger<K, V, W> {
    /// Returns the number of the last change.
    pub(crate) const fn last_change(&self) -> u64 {
        self.changes
    }

    /// Returns the number of the first change that is not on disk.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.dirty.keys().next().copied()
    }

    /// Returns when the first change was made that is not on disk.
    pub(crate) fn oldest_at(&self) -> Option<Instant> {
        let (_, place) = self.dirty.first_key_value()?;
        self.entry(*place).state.since().map(|since| since.at)
    }

    /// Returns the number of the last of the changes that have been dirty for so long.
    pub(crate) fn last_older_than(&self, age: Duration, now: Instant) -> u64 {
        let is_old = |change: &Change| change.at.saturating_add(age).reached(now);
        // What is changed while it is written has a younger change, too, which may be old enough.
        let last_old = |place: &u32| self.entry(*place).state.changes().take_while(is_old).last();
        self.dirty.values().map_while(last_old).map(|change| change.number).max().unwrap_or(0)
    }

    /// Returns the next entry in the order of changes, behind number `after`, whose content since then is not on disk.
    pub(crate) fn next_dirty(&self, after: u64, last: u64) -> Option<(u64, u32)> {
        let (number, place) = self.dirty.range((Bound::Excluded(after), Bound::Unbounded)).next()?;
        (*number <= last).then_some((*number, *place))
    }

    /// Returns the first change of an entry that is not on disk, if its number is up to `last`.
    pub(crate) fn due(&self, place: u32, last: u64) -> Option<u64> {
        self.entry(place).state.since().map(|since| since.number).filter(|number| *number <= last)
    }

    /// Begins a flush of an entry, if this is its turn and there is something to be written: what, is fixed here.
    pub(crate) fn begin_flush(&mut self, place: u32, round: u64) -> Option<V>
    where
        V: Clone,
    {
        let entry = &mut self.entries[place as usize];
        let state = entry.state.begun().filter(|_| entry.round == round)?;
        // A clone that panics leaves everything as it was.
        let value = entry.value.clone();
        entry.state = state;
        Some(value)
    }

    /// Ends the flush of an entry; its content is on disk, or it is as dirty as before, in its old place.
    pub(crate) fn end_flush(&mut self, place: u32, is_written: bool) {
        let round = self.next_round();
        let entry = &mut self.entries[place as usize];
        let before = entry.state;
        entry.state = before.ended(is_written);
        entry.round = round;
        if let (Some(since), true) = (before.since(), is_written) {
            self.dirty.remove(&since.number);
            if let State::Dirty(change) = entry.state {
                self.dirty.insert(change.number, place);
            }
        }
    }
}

#[cfg(test)]
mod tests;
