//! The lives of values: when they expire, and what being asked for changes about that.

use super::{Entry, Life, Policy, Values};
use crate::{Instant, TimeLeft};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Returns the life of the value at `place`, if lives are kept.
    pub(crate) fn life(&self, place: u32) -> Option<Life> {
        self.lives.by_place.get(place as usize).copied()
    }

    /// Returns how much longer the value at `place` is fresh: never longer than the life that it was given, though the clock
    /// has jumped back since.
    pub(crate) fn time_left(&self, place: u32, now: Instant) -> TimeLeft {
        let entry = self.entry(place);
        // (What is asked for begins anew. Of a value that stayed, what is known is when the first such was published.)
        let since = match self.life(place).filter(|_| self.keeping.idle.is_none()) {
            Some(life) => life.since,
            None => entry.published,
        };
        match TimeLeft::until(entry.deadline, now.max(since)) {
            TimeLeft::For(left) => TimeLeft::For(self.keeping.idle.map_or(left, |idle| left.min(idle))),
            TimeLeft::Forever => TimeLeft::Forever,
        }
    }

    /// Returns when a value of this life expires, unless somebody asks for it.
    pub(crate) fn deadline(&self, life: Life) -> Instant {
        self.keeping.idle.map_or(life.end, |idle| life.end.min(life.since.saturating_add(idle)))
    }

    /// Tells whether a hit takes more than a look.
    pub(crate) const fn looks_at_each_hit(&self) -> bool {
        self.keeping.looks_at_each_hit()
    }

    /// Sets things right for values that were asked for, so that [`first_due`](Self::first_due) is exact.
    ///
    /// Up to `most` of them; true if there may be more.
    pub(crate) fn settle(&mut self, most: u64) -> bool {
        (0..most).all(|_| self.settle_first())
    }

    /// Has the value at `place` be idle from `now` on.
    ///
    /// Its place in the order of deadlines stays as it is, for a move would cost every hit too much. It is too early
    /// there, and looked at in time.
    // Apart, so that a hit where idle time does not count is as small as it can be.
    #[cold]
    #[inline(never)]
    pub(super) fn prolong(&mut self, place: u32, now: Instant) {
        let Some(Life { end, begun, .. }) = self.life(place) else { return };
        let deadline = self.deadline(Life { since: now, end, begun });
        if let Some(Entry { deadline: present, .. }) = self.table.rows_mut().get_mut(place as usize) {
            // Only forward, also for a clock that jumps back: the order of deadlines relies on it.
            *present = deadline.max(*present);
        }
    }

    /// Puts the value that is first in the order of deadlines where it belongs; tells whether it was not there.
    pub(super) fn settle_first(&mut self) -> bool {
        let Some((due, place)) = self.table.first_due() else { return false };
        let later = self.keeping.due(self.entry(place).deadline);
        let moves = later > due;
        if moves {
            self.table.set_deadline(place, later);
        }
        moves
    }
}

#[cfg(test)]
mod tests;
