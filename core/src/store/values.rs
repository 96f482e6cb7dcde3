//! The values of one shard.

pub(crate) use entry::{Entry, Former, New};
use life::Lives;
pub(crate) use life::{Keeping, Life};

use super::{
    leavers::{Cleared, Leavers, StoreCounts},
    policy::{Nodes, Policy},
    room::Allowance,
    table::Table,
    walks::Walks,
};
use crate::{Instant, RemovalCause};

mod entry;
mod life;
mod lives;
mod put;
mod spared;
mod walking;

/// The values of one shard, within the room that it has.
pub(crate) struct Values<K, V, P: Policy> {
    table: Table<Entry<K, V, P::Node>>,
    policy: P,
    pub(crate) allowance: Allowance,
    /// The capacity that the policy reckons with, and how much more the shard may have.
    reckoned: u64,
    tolerated: u64,
    /// A shard that has less than this is not simply full.
    least: u64,
    weight: u64,
    generation: u32,
    keeping: Keeping,
    lives: Lives,
    walks: Walks,
    /// A value that is out of the policy's order while others make room for it.
    loose: Option<u32>,
    pub(crate) counts: StoreCounts,
}

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    pub(crate) fn new(allowance: Allowance, keeping: Keeping) -> Self {
        Self {
            table: Table::new(),
            policy: P::new(allowance.part),
            reckoned: allowance.part,
            tolerated: allowance.part / 32,
            least: allowance.part,
            allowance,
            weight: 0,
            generation: 0,
            keeping,
            lives: Lives::new(keeping),
            walks: Walks::default(),
            loose: None,
            counts: StoreCounts::default(),
        }
    }

    pub(crate) const fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn entries(&self) -> &[Entry<K, V, P::Node>] {
        self.table.rows()
    }

    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<u32> {
        self.table.find(hash, eq)
    }

    /// The same for a hit, which is to be quick: where this finds none, [`find`](Self::find) may all the same.
    #[inline(always)]
    pub(crate) fn find_at_once(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<u32> {
        self.table.find_at_once(hash, eq)
    }

    /// Goes on with what is done in steps, so that [`find_at_once`](Self::find_at_once) finds more.
    pub(crate) fn tidy(&mut self) {
        self.table.tidy();
    }

    #[inline(always)]
    pub(crate) fn entry(&self, place: u32) -> &Entry<K, V, P::Node> {
        &self.table.rows()[place as usize]
    }

    /// Notes that the value at `place` was asked for, and found fresh.
    #[inline(always)]
    pub(crate) fn hit(&mut self, place: u32, now: Instant) {
        self.touch(place);
        if self.keeping.idle.is_some() {
            self.prolong(place, now);
        }
    }

    /// Has the value at `place` stay for longer than others when room is needed.
    #[inline(always)]
    pub(crate) fn touch(&mut self, place: u32) {
        self.policy.hit(&mut ByPlace(self.table.rows_mut()), place);
    }

    /// Finds room for a newcomer of this weight, of which others are not asked, beside all that is `used`: it is there
    /// already, is free, or is what a few values have that may leave for it.
    #[inline(always)]
    pub(crate) fn finds_room(&mut self, used: u64, weight: u64) -> bool {
        let spare = self.allowance.own.wrapping_sub(used);
        if weight <= spare {
            return true;
        }
        // Mostly a full shard has a value leave for a value.
        let lack = weight - spare;
        let is_its_own = lack <= FEW && lack <= used && self.allowance.own >= self.least;
        (is_its_own && self.allowance.is_all_taken()) || self.makes_room(used, weight)
    }

    #[inline(never)]
    fn makes_room(&mut self, used: u64, weight: u64) -> bool {
        let lack = self.allowance.lack(used, weight);
        self.reckon(lack > 0);
        if lack == 0 {
            return true;
        }
        let is_its_own = lack <= used && self.allowance.is_enough(used.saturating_add(weight));
        // (What is too heavy is refused, and needs none.)
        (is_its_own && (lack <= FEW || self.are_few(lack))) || weight > self.allowance.whole
    }

    /// Have about few values this weight?
    #[cold]
    fn are_few(&self, weight: u64) -> bool {
        let each = self.weight / (self.len() as u64).max(1);
        weight / each.max(1) <= FEW
    }

    /// Gives the value at `place` another life, which is a use of it as a new value would be.
    pub(crate) fn renew(&mut self, place: u32, life: Life) {
        let deadline = self.deadline(life);
        self.table.rows_mut()[place as usize].deadline = deadline;
        self.begin(place, life, deadline);
        self.touch(place);
    }

    /// Ends the freshness of the value at `place`.
    pub(crate) fn expire(&mut self, place: u32, now: Instant) {
        let deadline = now.min(self.entry(place).deadline);
        self.table.rows_mut()[place as usize].deadline = deadline;
        self.begin(place, Life { since: now, end: deadline, begun: now }, deadline);
    }

    /// Takes out the value at `place`.
    pub(crate) fn discard(&mut self, place: u32, now: Instant, leavers: &mut Leavers<K, V>) {
        self.remove(place, RemovalCause::Removed, now, leavers);
    }

    fn remove(&mut self, place: u32, cause: RemovalCause, now: Instant, leavers: &mut Leavers<K, V>) {
        self.policy.remove(&mut ByPlace(self.table.rows_mut()), place);
        let cause = self.unlink(place, cause, now);
        leavers.push_entry(self.close_gap(place), cause);
    }

    /// Takes out everything, which is yet to be [counted](Self::count_cleared).
    pub(crate) fn take_all(&mut self, now: Instant) -> Cleared<K, V, P::Node> {
        self.policy.clear();
        self.reckon_with(self.allowance.part);
        self.walks.pass_over_all();
        self.weight = 0;
        Cleared::new(self.table.take(), self.lives.take(), now)
    }

    /// Counts what was taken out at once: that takes time, and is done outside the lock before.
    pub(crate) const fn count_cleared(&mut self, (removed, expired): (u64, u64)) {
        self.counts.removed += removed;
        self.counts.expired += expired;
    }

    /// Changes the capacity of the cache, and the part of it that each shard may count on.
    pub(crate) fn resize(&mut self, whole: u64, part: u64) {
        (self.allowance.whole, self.allowance.part) = (whole, part);
        self.reckon_with(self.allowance.own.max(part).min(whole));
    }

    /// Has the policy reckon with what the shard may hold: no more than that, and not much less. A shard that is not full
    /// may come to hold its part.
    fn reckon(&mut self, is_full: bool) {
        let Allowance { own, part, .. } = self.allowance;
        let may = if is_full { own } else { own.max(part) };
        // (Less wraps around.)
        if may.wrapping_sub(self.reckoned) > self.tolerated {
            self.reckon_with(may - may / 64);
        }
    }

    fn reckon_with(&mut self, capacity: u64) {
        (self.reckoned, self.tolerated) = (capacity, capacity / 32);
        self.least = capacity.max(self.allowance.enough());
        self.policy.set_capacity(capacity);
    }

    /// Takes room that others have given.
    pub(crate) fn receive(&mut self, weight: u64) {
        self.allowance.receive(weight);
        self.reckon(true);
    }

    /// Evicts until the weight fits beside `reserved`.
    pub(crate) fn make_room(&mut self, reserved: u64, now: Instant, leavers: &mut Leavers<K, V>) {
        while self.allowance.own.checked_sub(self.weight).is_none_or(|room| reserved > room) {
            if !self.evict(now, leavers) {
                return;
            }
        }
    }

    /// Evicts one value; false if there is none.
    pub(crate) fn evict(&mut self, now: Instant, leavers: &mut Leavers<K, V>) -> bool {
        let Some(victim) = self.policy.evict(&mut ByPlace(self.table.rows_mut())) else { return false };
        let cause = self.unlink(victim, RemovalCause::Evicted, now);
        leavers.push_entry(self.close_gap(victim), cause);
        true
    }

    /// Returns when the next value has to go, having expired and been held for as long as it may be of use.
    ///
    /// Or an earlier time, if that one was asked for since the last [`settle`](Self::settle).
    #[inline(always)]
    pub(crate) fn first_due(&self) -> Option<Instant> {
        self.table.first_due().map(|(due, _)| due)
    }

    /// Takes out up to `most` values that are due; returns how many.
    ///
    /// Fewer than there are, if it comes across too many that were asked for since they were last looked at.
    pub(crate) fn reclaim(&mut self, now: Instant, most: usize, leavers: &mut Leavers<K, V>) -> usize {
        let mut count = 0;
        for _ in 0..most.saturating_mul(LOOKS) {
            match self.table.first_due() {
                Some((due, place)) if count < most && due.reached(now) => {
                    if !self.settle_first() {
                        self.discard(place, now, leavers);
                        count += 1;
                    }
                }
                _ => break,
            }
        }
        count
    }

    /// Takes an entry that has left the policy's order out of the sums, and leaves a gap; returns why it goes.
    #[inline(always)]
    fn unlink(&mut self, place: u32, cause: RemovalCause, now: Instant) -> RemovalCause {
        let entry = &self.table.rows()[place as usize];
        self.weight -= entry.weight;
        let cause = self.counts.left(cause, entry.is_fresh(now));
        self.table.unlink(place);
        cause
    }

    fn close_gap(&mut self, mut gap: u32) -> Entry<K, V, P::Node> {
        while let Some(from) = self.walks.bridge(gap) {
            if from != gap {
                self.table.shift(from, gap);
                self.lives.swap(from, gap);
                self.relocated(from, gap);
            }
            gap = from;
        }
        let (entry, moved) = self.table.close_gap(gap);
        self.lives.close_gap(gap);
        if let Some(from) = moved {
            self.relocated(from, gap);
        }
        entry
    }

    fn relocated(&mut self, from: u32, to: u32) {
        if self.loose == Some(from) {
            self.loose = Some(to);
        } else {
            self.policy.relocate(&mut ByPlace(self.table.rows_mut()), from, to);
        }
    }
}

/// The entries as a policy sees them.
struct ByPlace<'a, K, V, N>(&'a mut [Entry<K, V, N>]);

impl<K, V, N> Nodes<N> for ByPlace<'_, K, V, N> {
    #[inline(always)]
    fn node(&mut self, place: u32) -> &mut N {
        &mut self.0[place as usize].node
    }

    fn hash(&self, place: u32) -> u64 {
        self.0[place as usize].hash
    }

    fn weight(&self, place: u32) -> u64 {
        self.0[place as usize].weight
    }
}

/// So many values may leave in one step under the lock.
pub(crate) const FEW: u64 = 64;

/// How many values are looked at for each one that may be taken out: the others were asked for, and wait for longer.
///
/// So the cost is bounded, and what is due is taken out in time unless more than 255 times as much was asked for.
const LOOKS: usize = 8;

#[cfg(test)]
mod tests;
