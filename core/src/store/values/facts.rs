//! What is known of values that a hit seldom needs, beside their rows: so rows are small, and what is the same for all
//! values takes no memory.

use super::{Keeping, Life};
use crate::{
    Instant,
    store::column::{Column, Usual},
};

/// Facts of values, by place.
pub(in crate::store) struct Facts {
    /// When each value expires, as far as is known: with an idle time, each use moves this.
    pub(super) deadlines: Column<Instant>,
    pub(super) published: Column<Instant>,
    pub(super) weights: Column<u64>,
    /// Empty unless lives are needed.
    pub(super) lives: Column<Life>,
    needs_lives: bool,
    /// Nothing is known but when each value was published.
    is_plain: bool,
}

impl Usual for Life {
    /// It stands for none: no value is stored at the end of time.
    const USUAL: Self = Self { since: Instant::NEVER, end: Instant::NEVER, begun: Instant::NEVER };
}

impl Facts {
    pub(super) const fn new(keeping: Keeping) -> Self {
        Self {
            deadlines: Column::new(),
            published: Column::new(),
            weights: Column::new(),
            lives: Column::new(),
            needs_lives: keeping.lives || keeping.idle.is_some(),
            is_plain: !(keeping.lives || keeping.idle.is_some()),
        }
    }

    /// Reserves memory for all facts of so many values, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, values: usize) -> bool {
        self.deadlines.preallocate(values)
            && self.published.preallocate(values)
            && self.weights.preallocate(values)
            && (!self.needs_lives || self.lives.preallocate(values))
    }

    /// Is nothing to be noted of a value but when it was published, neither now nor of those before it?
    #[inline(always)]
    pub(super) const fn stay_plain(&self, weight: u64, end: Instant) -> bool {
        self.is_plain && weight == u64::USUAL && end.as_nanos() == Instant::USUAL.as_nanos()
    }

    /// Reserves memory for what is to be known of a value at one of so many places; returns whether there is enough.
    #[inline(always)]
    pub(super) fn have_memory(&mut self, weight: u64, deadline: Instant, places: usize, limit: u64) -> bool {
        self.published.has_room(places, limit)
            && self.deadlines.has_memory(deadline, places, limit)
            && self.weights.has_memory(weight, places, limit)
            && (!self.needs_lives || self.lives.has_room(places, limit))
    }

    /// Notes what is known of a value that comes to `place`, but for its life.
    pub(super) fn weigh(&mut self, place: u32, weight: u64) {
        self.is_plain = false;
        self.weights.set(place, weight);
    }

    /// Notes another life of the value at `place`.
    pub(super) fn relive(&mut self, place: u32, life: Life, deadline: Instant) {
        self.is_plain = false;
        self.deadlines.set(place, deadline);
        if self.needs_lives {
            self.lives.set(place, life);
        }
    }

    /// The value at `from` moves down, to a gap.
    pub(super) fn shift(&mut self, from: u32, to: u32) {
        self.deadlines.shift(from, to);
        self.published.shift(from, to);
        self.weights.shift(from, to);
        self.lives.shift(from, to);
    }

    /// Forgets the value at `gap`, to which the last one comes.
    #[inline(always)]
    pub(super) fn close_gap(&mut self, gap: u32, last: u32) {
        self.published.close_gap(gap, last);
        if !self.is_plain {
            self.deadlines.close_gap(gap, last);
            self.weights.close_gap(gap, last);
            self.lives.close_gap(gap, last);
        }
    }

    /// Forgets all, and keeps the memory.
    pub(in crate::store) fn clear(&mut self) {
        self.deadlines.clear();
        self.published.clear();
        self.weights.clear();
        self.lives.clear();
        self.is_plain = !self.needs_lives;
    }

    /// Takes out all facts.
    pub(super) fn take(&mut self) -> Self {
        Self {
            deadlines: self.deadlines.take(),
            published: self.published.take(),
            weights: self.weights.take(),
            lives: self.lives.take(),
            needs_lives: self.needs_lives,
            is_plain: core::mem::replace(&mut self.is_plain, !self.needs_lives),
        }
    }

    /// Returns whether a value is fresh at `now`, where nothing is fresh once `trusted` is reached.
    #[inline(always)]
    pub(in crate::store) fn is_fresh(&self, place: u32, now: Instant, trusted: Instant) -> bool {
        !self.deadlines.get(place).min(trusted).reached(now)
    }
}
