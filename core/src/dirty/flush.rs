//! Flushing, as the ledger sees it: what has to be written, in which order, and what has been.

use core::{ops::Bound, time::Duration};

use super::{Change, Ledger, leaving::Stands};
use crate::Instant;

/// How many changes are looked at in one step.
const AT_ONCE: usize = 256;

impl<K, V, W> Ledger<K, V, W> {
    /// Returns the number of the last change.
    pub(crate) const fn last_change(&self) -> u64 {
        self.changes
    }

    /// Returns the number of the first change that is not on disk.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.dirty.keys().next().copied()
    }

    /// Returns the earliest time of a change that is not on disk.
    pub(crate) fn oldest_at(&self) -> Option<Instant> {
        self.by_time.first().map(|change| change.at)
    }

    /// Looks at the next few changes, by their times, that have been dirty for at least this long; returns the last of
    /// their numbers, and after which change there may be more.
    pub(crate) fn older_than(&self, age: Duration, now: Instant, after: Option<Change>) -> (u64, Option<Change>) {
        let rest = self.by_time.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let old = rest.take(AT_ONCE).take_while(|change| change.at.saturating_add(age).reached(now));
        let (count, number, last) =
            old.fold((0, 0, None), |(count, number, _), change| (count + 1, number.max(change.number), Some(*change)));
        (number, last.filter(|_| count == AT_ONCE))
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

    /// Begins a flush of an entry, if this is its turn and there is something to write: its content is fixed here.
    pub(crate) fn begin_flush(&mut self, place: u32, round: u64) -> Option<V>
    where
        V: Clone,
    {
        let entry = &self.entries[place as usize];
        let state = entry.state.begun().filter(|_| entry.round == round)?;
        // A clone that panics leaves everything as it was.
        let value = entry.value.clone();
        self.stand(place, |_, own| *own = state);
        Some(value)
    }

    /// A flush to make room has failed, in that round, of an entry that is dirty since that change. Others are tried
    /// first.
    pub(crate) fn fail(&mut self, since: u64, round: u64, now: Instant) {
        let Some(place) = self.dirty.get(&since).copied() else { return };
        let Some(aside) = self.health.fail(place, round, now) else { return };
        self.bring_back(aside);
        if matches!(self.entry(place).stands, Stands::Idle | Stands::Leaves) {
            self.stand(place, |stands, _| *stands = Stands::Aside);
        }
        self.fit();
    }

    /// Ends the flush of an entry; its content is on disk, or the entry is as dirty as before, in its old place.
    pub(crate) fn end_flush(&mut self, place: u32, is_written: bool) {
        let round = self.next_round();
        self.entries[place as usize].round = round;
        self.stand(place, |_, state| *state = state.ended(is_written));
        if is_written {
            self.health.succeed();
            self.bring_back([place]);
        }
    }
}

#[cfg(test)]
mod tests;
