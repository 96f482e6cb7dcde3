//! The room of a cache: one account for all shards of the free part of the capacity, and what one shard has of it.

use crate::sync::Arc;
#[cfg(target_has_atomic = "64")]
use crate::sync::atomic::{AtomicU64, Ordering};

/// The room that no shard has.
///
/// Room is taken before it is used, and given back when it is not used any more. So this, what the shards have, and
/// what is on its way between them add up to the capacity at every instant.
pub(crate) struct Room(Free);

#[cfg(target_has_atomic = "64")]
type Free = AtomicU64;
/// Innermost: no other lock is taken under it.
#[cfg(not(target_has_atomic = "64"))]
type Free = crate::parts::OwnLock<u64>;

impl Room {
    pub(crate) const fn new(free: u64) -> Self {
        Self(Free::new(free))
    }

    #[cfg(target_has_atomic = "64")]
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    #[cfg(not(target_has_atomic = "64"))]
    fn is_empty(&self) -> bool {
        crate::Lock::with(&self.0, |free| *free == 0)
    }

    /// Takes up to this much of what is free; returns how much.
    #[cfg(target_has_atomic = "64")]
    pub(crate) fn take(&self, most: u64) -> u64 {
        // In a full cache nothing is free, and nothing is written.
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |free| match free.min(most) {
            0 => None,
            taken => Some(free - taken),
        });
        taken.map_or(0, |free| free.min(most))
    }

    #[cfg(not(target_has_atomic = "64"))]
    pub(crate) fn take(&self, most: u64) -> u64 {
        crate::Lock::with(&self.0, |free| {
            let taken = most.min(*free);
            *free -= taken;
            taken
        })
    }

    /// Gives room back.
    #[cfg(target_has_atomic = "64")]
    pub(crate) fn give(&self, weight: u64) {
        self.0.fetch_add(weight, Ordering::AcqRel);
    }

    #[cfg(not(target_has_atomic = "64"))]
    pub(crate) fn give(&self, weight: u64) {
        crate::Lock::with(&self.0, |free| *free += weight);
    }
}

/// The room that one shard has, and the room that it may count on.
pub(crate) struct Allowance {
    room: Arc<Room>,
    /// The capacity of the cache: nothing heavier is stored.
    pub(crate) whole: u64,
    /// What each shard would have if all had the same.
    pub(crate) part: u64,
    /// The room that this shard alone has.
    pub(crate) own: u64,
}

/// Should a shard never come to be that was to split off, its room is of use to others.
#[cfg(feature = "std")]
impl Drop for Allowance {
    fn drop(&mut self) {
        self.room.give(self.own);
    }
}

impl Allowance {
    /// The allowance of one of so many shards, which takes what it needs; a single shard has all from the beginning.
    pub(crate) fn of(room: &Arc<Room>, whole: u64, shards: usize) -> Self {
        let own = if shards == 1 { room.take(whole) } else { 0 };
        Self { room: Arc::clone(room), whole, part: whole / shards as u64, own }
    }

    /// The allowance of a shard that splits off, which has nothing yet.
    #[cfg(feature = "std")]
    pub(super) fn split_off(&self) -> Self {
        Self { room: Arc::clone(&self.room), own: 0, ..*self }
    }

    /// Is there no other shard?
    #[inline(always)]
    pub(crate) const fn is_alone(&self) -> bool {
        self.part == self.whole
    }

    /// Takes what is free, and returns how much is still missing for a newcomer of this weight beside what is `used`.
    #[inline(always)]
    pub(crate) fn lack(&mut self, used: u64, weight: u64) -> u64 {
        let lack = weight.saturating_sub(self.spare(used));
        if lack == 0 {
            return 0;
        }
        // Alone, it need leave nothing to other shards.
        let taken = self.room.take(if self.is_alone() { u64::MAX } else { lack });
        self.own += taken;
        lack.saturating_sub(taken)
    }

    /// Must a shard that holds this much make room from its own, if nothing is free?
    pub(super) const fn is_enough(&self, weight: u64) -> bool {
        weight >= self.enough()
    }

    /// The weight from which that is so.
    pub(super) const fn enough(&self) -> u64 {
        if self.is_alone() { 0 } else { self.part - self.part / TOLERANCE + 1 }
    }

    /// Is no room free?
    #[inline(always)]
    pub(super) fn is_all_taken(&self) -> bool {
        self.room.is_empty()
    }

    /// Takes room that other shards have given.
    pub(crate) const fn receive(&mut self, weight: u64) {
        self.own += weight;
    }

    /// How much of its room is not `used`.
    pub(crate) const fn spare(&self, used: u64) -> u64 {
        self.own.saturating_sub(used)
    }

    /// Hands out up to `most` of the room that is not `used`.
    pub(crate) fn hand_out(&mut self, used: u64, most: u64) -> u64 {
        let given = self.spare(used).min(most);
        self.own -= given;
        given
    }

    /// Gives back the room that is not `used`, if there are shards that may need it.
    #[inline(always)]
    pub(crate) fn settle(&mut self, used: u64) {
        let spare = self.spare(used);
        if spare > 0 && !self.is_alone() {
            self.room.give(spare);
            self.own -= spare;
        }
    }
}

/// How far the search for room has come: shard after shard, and each round asks for more.
#[derive(Default)]
pub(crate) struct Asking {
    round: u64,
    /// How many shards were asked in this round.
    asked: usize,
}

impl Asking {
    /// Returns the next shard, counted from the newcomer's own, and how much it keeps.
    pub(crate) const fn next(&self, whole: u64, shards: usize) -> (usize, u64) {
        (self.asked, keeps(whole / shards as u64, self.round))
    }

    /// This shard has no more to give in this round.
    pub(crate) const fn go_on(&mut self, shards: usize) {
        self.asked += 1;
        if self.asked == shards {
            *self = Self { round: self.round + 1, asked: 0 };
        }
    }

    /// Tells whether the round is not beyond `last`.
    pub(crate) const fn goes_on(&self, last: u64) -> bool {
        self.round <= last
    }
}

/// Returns how much a shard keeps when others need room: first its part, then less and less, and in the end nothing.
const fn keeps(part: u64, round: u64) -> u64 {
    if round < ROUNDS { part - part / ROUNDS * round } else { 0 }
}

/// A shard makes do if it has less than the others by no more than one part in so many.
const TOLERANCE: u64 = 8;

/// From this round on, no shard keeps anything.
pub(crate) const ROUNDS: u64 = 8;

#[cfg(test)]
mod tests;
