//! A life: what is known of a value's times beside its deadline, if that is needed.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{Instant, store::memory::shrink};

/// How long values are of use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeping {
    /// How long values are held beyond their deadline, to be served stale; without a limit, not at all.
    pub(crate) hold: Option<Duration>,
    /// How long a value is fresh that is not asked for.
    pub(crate) idle: Option<Duration>,
    /// Whether [`Values::life`](super::Values::life) is used.
    pub(crate) lives: bool,
    /// Whether a hit may begin a refresh.
    pub(crate) inline: bool,
}

/// From when until when a value is fresh if it is asked for, and when its load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) since: Instant,
    pub(crate) end: Instant,
    pub(crate) begun: Instant,
}

/// The lives of values, by place: a table beside theirs, because most caches need none.
pub(super) struct Lives {
    needed: bool,
    /// It keeps its memory.
    is_fixed: bool,
    pub(super) by_place: Vec<Life>,
}

impl Keeping {
    /// Returns whether a hit needs more than a look: because it prolongs a life, or because it may begin a refresh.
    pub(crate) const fn looks_at_each_hit(&self) -> bool {
        self.idle.is_some() || self.inline
    }

    /// Returns when a value that expires at `deadline` is due.
    pub(super) fn due(&self, deadline: Instant) -> Instant {
        // The limit of staleness is inclusive: at that exact instant the value may still be served.
        let last = |hold| deadline.saturating_add(hold).saturating_add(Duration::from_nanos(1));
        self.hold.map_or(deadline, last)
    }
}

impl Lives {
    pub(super) const fn new(keeping: Keeping) -> Self {
        Self { needed: keeping.lives || keeping.idle.is_some(), is_fixed: false, by_place: Vec::new() }
    }

    /// Reserves memory for so many lives, if they are needed, and keeps it; returns whether there is enough.
    pub(super) fn preallocate(&mut self, len: usize) -> bool {
        self.is_fixed = true;
        !self.needed || self.by_place.try_reserve_exact(len.saturating_sub(self.by_place.len())).is_ok()
    }

    /// Reserves memory for one more life, if they are needed; returns whether there is enough.
    pub(super) fn has_memory(&mut self) -> bool {
        !self.needed || self.by_place.try_reserve(1).is_ok()
    }

    /// Sets the life of the value at `place`, which is at most the place after the last.
    #[inline(always)]
    pub(super) fn set(&mut self, place: u32, life: Life) {
        if self.needed {
            self.put(place, life);
        }
    }

    fn put(&mut self, place: u32, life: Life) {
        match self.by_place.get_mut(place as usize) {
            Some(present) => *present = life,
            None => self.by_place.push(life),
        }
    }

    /// Closes a gap with the last life.
    pub(super) fn close_gap(&mut self, gap: u32) {
        if (gap as usize) < self.by_place.len() {
            self.by_place.swap_remove(gap as usize);
            if self.by_place.len() * 4 < self.by_place.capacity() && !self.is_fixed {
                let len = self.by_place.len() * 2;
                shrink(&mut self.by_place, len);
            }
        }
    }

    pub(super) fn swap(&mut self, one: u32, other: u32) {
        if (one.max(other) as usize) < self.by_place.len() {
            self.by_place.swap(one as usize, other as usize);
        }
    }

    /// Takes emptied memory in place of its own, unless it has lives; returns the other one.
    pub(super) fn refill(&mut self, emptied: Vec<Life>) -> Vec<Life> {
        if self.by_place.is_empty() { core::mem::replace(&mut self.by_place, emptied) } else { emptied }
    }

    /// Takes out all lives, to be dropped.
    pub(super) fn take(&mut self) -> Vec<Life> {
        core::mem::take(&mut self.by_place)
    }
}
