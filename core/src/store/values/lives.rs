//! The lives of values: when they expire, and how a use changes that.

use super::{Life, Policy, Values};
use crate::{Instant, TimeLeft};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Returns the life of the value at `place`, if lives are kept.
    pub(crate) fn life(&self, place: u32) -> Option<Life> {
        self.facts.life(place).filter(|_| (place as usize) < self.len())
    }

    /// Returns how much longer the value at `place` is fresh.
    ///
    /// Never longer than its whole life, even if the clock has jumped back.
    pub(crate) fn time_left(&self, place: u32, now: Instant) -> TimeLeft {
        // A use begins a new idle time. Of a value that stayed, the time of its first publication is known.
        let since = match self.life(place).filter(|_| self.keeping.idle.is_none()) {
            Some(life) => life.since,
            None => self.published(place),
        };
        match TimeLeft::until(self.ends(place), now.max(since)) {
            TimeLeft::For(left) => TimeLeft::For(self.keeping.idle.map_or(left, |idle| left.min(idle))),
            TimeLeft::Forever => TimeLeft::Forever,
        }
    }

    /// Returns when a value of this life expires, unless it is asked for.
    pub(crate) fn deadline(&self, life: Life) -> Instant {
        self.keeping.idle.map_or(life.end, |idle| life.end.min(life.since.saturating_add(idle)))
    }

    /// When all values count as expired.
    pub(crate) const fn trusted(&self) -> Instant {
        self.trusted
    }

    /// From then on all values count as expired.
    pub(crate) fn trust_until(&mut self, until: Instant) {
        self.copied.outdate_all();
        self.trusted = until;
    }

    /// Tells whether a hit takes more than a look.
    pub(crate) const fn looks_at_each_hit(&self) -> bool {
        self.keeping.looks_at_each_hit()
    }

    /// Tells whether it takes a look at a value to know that it is fresh.
    pub(crate) const fn needs_each_end(&self) -> bool {
        self.keeping.needs_each_end() || self.table.lacks_deadlines()
    }

    /// Corrects the order of deadlines for values that were asked for, so that [`first_due`](Self::first_due) is exact.
    ///
    /// Up to `most` of them; true if there may be more.
    pub(crate) fn settle(&mut self, most: u64) -> bool {
        (0..most).all(|_| self.settle_first())
    }

    /// Begins the idle time of the value at `place` again, from `now` on.
    ///
    /// Its place in the order of deadlines stays, because a move would cost every hit too much. That place is too
    /// early, and so looked at in time.
    // Apart, so that a hit without idle time is as small as possible.
    #[cold]
    #[inline(never)]
    pub(super) fn prolong(&mut self, place: u32, now: Instant) {
        let Some(Life { end, begun, .. }) = self.life(place) else { return };
        let deadline = self.deadline(Life { since: now, end, begun });
        // Only forward, even if the clock jumps back: the order of deadlines relies on it.
        self.facts.end_at(place, deadline.max(self.ends(place)));
    }

    /// Moves the value that is first in the order of deadlines to its right place; true if it was not there.
    pub(super) fn settle_first(&mut self) -> bool {
        let Some((due, place)) = self.table.first_due() else { return false };
        let later = self.keeping.due(self.ends(place));
        let moves = later > due;
        if moves {
            self.table.set_deadline(place, later);
        }
        moves
    }
}

#[cfg(test)]
mod tests;
