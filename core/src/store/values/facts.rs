//! What is known of values that a hit seldom needs, beside their rows: so rows are small, and what is the same for all
//! values takes no memory.

use super::{Keeping, Life};
use crate::{
    Instant,
    store::column::{Column, fact},
};

/// Facts of values, by place, in numbers of which zero is the usual one.
pub(in crate::store) struct Facts {
    /// How long before the end of time each value expires.
    deadlines: Column,
    /// How long before the end of time each value was published.
    published: Column,
    /// How much more than 1 each value weighs.
    weights: Column,
    /// Empty unless lives are needed.
    lives: [Column; 3],
    needs_lives: bool,
    /// Nothing is known but when each value was published.
    is_blank: bool,
}

/// An instant as its distance from the end of time, and back: mostly, nothing ends.
#[inline(always)]
const fn before_end(instant: Instant) -> u64 {
    !instant.as_nanos()
}

impl Facts {
    pub(super) const fn new(keeping: Keeping) -> Self {
        let needs_lives = keeping.lives || keeping.idle.is_some();
        Self {
            deadlines: Column::new(),
            published: Column::new(),
            weights: Column::new(),
            lives: [const { Column::new() }; 3],
            needs_lives,
            is_blank: !needs_lives,
        }
    }

    /// Reserves memory for all facts of so many values, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, values: usize) -> bool {
        self.deadlines.preallocate(values)
            && self.published.preallocate(values)
            && self.weights.preallocate(values)
            && (!self.needs_lives || self.lives.iter_mut().all(|column| column.preallocate(values)))
    }

    /// When the value at `place` expires, as far as is known: with an idle time, each use moves this.
    #[inline(always)]
    pub(super) fn deadline(&self, place: u32) -> Instant {
        Instant::from_nanos(!self.deadlines.get(place))
    }

    pub(super) fn published(&self, place: u32) -> Instant {
        Instant::from_nanos(!self.published.get(place))
    }

    /// Returns all weights, for [`weight`].
    #[inline(always)]
    pub(super) fn weights(&self) -> &[u64] {
        self.weights.as_slice()
    }

    /// Is nothing to be noted of a value but when it was published, neither now nor of those before it?
    #[inline(always)]
    pub(super) const fn stay_blank(&self, weight: u64, end: Instant) -> bool {
        self.is_blank && weight == 1 && before_end(end) == 0
    }

    /// Reserves memory for what is to be known of a value at one of so many places; returns whether there is enough.
    #[cfg_attr(feature = "std", inline(always))]
    pub(super) fn have_memory(&mut self, weight: u64, lives: (Life, Instant), places: usize, limit: u64) -> bool {
        self.published.has_room(places, limit)
            && self.weights.has_memory(weight - 1, places, limit)
            && self.have_memory_to_live(lives, places, limit)
    }

    /// Reserves memory to note a life and its end at one of so many places; returns whether there is enough.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    pub(super) fn have_memory_to_live(&mut self, (life, end): (Life, Instant), places: usize, limit: u64) -> bool {
        let mut lives = self.lives.iter_mut().zip(facts_of(life));
        self.deadlines.has_memory(before_end(end), places, limit)
            && (!self.needs_lives || lives.all(|(column, fact)| column.has_memory(fact, places, limit)))
    }

    /// Notes when the value that comes to `place` was published.
    #[inline(always)]
    pub(super) fn publish(&mut self, place: u32, published: Instant) {
        self.published.set(place, before_end(published));
    }

    /// Notes what the value that comes to `place` weighs.
    pub(super) fn weigh(&mut self, place: u32, weight: u64) {
        self.is_blank = false;
        self.weights.set(place, weight - 1);
    }

    /// Notes another life of the value at `place`.
    pub(super) fn relive(&mut self, place: u32, life: Life, deadline: Instant) {
        self.end_at(place, deadline);
        if self.needs_lives {
            self.lives.iter_mut().zip(facts_of(life)).for_each(|(column, fact)| column.set(place, fact));
        }
    }

    /// Notes another end of the value at `place`.
    pub(super) fn end_at(&mut self, place: u32, deadline: Instant) {
        self.is_blank = false;
        self.deadlines.set(place, before_end(deadline));
    }

    /// Returns the life of the value at `place`, if lives are kept.
    pub(super) fn life(&self, place: u32) -> Option<Life> {
        let [since, end, begun] = self.lives.each_ref().map(|column| Instant::from_nanos(!column.get(place)));
        self.needs_lives.then_some(Life { since, end, begun })
    }

    /// The value at `from` moves down, to a gap.
    pub(super) fn shift(&mut self, from: u32, to: u32) {
        self.deadlines.shift(from, to);
        self.published.shift(from, to);
        self.weights.shift(from, to);
        self.lives.iter_mut().for_each(|column| column.shift(from, to));
    }

    /// Forgets the value at `gap`, to which the last one comes.
    #[inline(always)]
    pub(super) fn close_gap(&mut self, gap: u32, last: u32) {
        self.published.close_gap(gap, last);
        if !self.is_blank {
            self.deadlines.close_gap(gap, last);
            self.weights.close_gap(gap, last);
            self.lives.iter_mut().for_each(|column| column.close_gap(gap, last));
        }
    }

    /// Forgets all, and keeps the memory.
    pub(in crate::store) fn clear(&mut self) {
        self.deadlines.clear();
        self.published.clear();
        self.weights.clear();
        self.lives.iter_mut().for_each(Column::clear);
        self.is_blank = !self.needs_lives;
    }

    /// Takes out all facts.
    pub(super) fn take(&mut self) -> Self {
        Self {
            deadlines: self.deadlines.take(),
            published: self.published.take(),
            weights: self.weights.take(),
            lives: self.lives.each_mut().map(Column::take),
            needs_lives: self.needs_lives,
            is_blank: core::mem::replace(&mut self.is_blank, !self.needs_lives),
        }
    }

    /// Returns how much memory is taken for lives.
    #[cfg(test)]
    pub(super) fn memory_of_lives(&self) -> usize {
        self.lives.iter().map(Column::capacity).max().unwrap_or(0)
    }

    /// Returns whether a value is fresh at `now`, where nothing is fresh once `trusted` is reached.
    #[inline(always)]
    pub(in crate::store) fn is_fresh(&self, place: u32, now: Instant, trusted: Instant) -> bool {
        !self.deadline(place).min(trusted).reached(now)
    }
}

fn facts_of(Life { since, end, begun }: Life) -> [u64; 3] {
    [since, end, begun].map(before_end)
}

/// Returns the weight of the value at `place`.
#[inline(always)]
pub(super) fn weight(weights: &[u64], place: u32) -> u64 {
    fact(weights, place) + 1
}
