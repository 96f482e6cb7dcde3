//! The values of one shard.

pub(crate) use entry::{Entry, Former, New};
use life::Lives;
pub(crate) use life::{Keeping, Life};

use super::{
    leavers::{Cleared, Leavers, StoreCounts},
    policy::{Nodes, Policy},
    room::Allowance,
    table::Table,
};
use crate::{Instant, RemovalCause};

mod entry;
mod life;
mod lives;

/// The values of one shard, within the room that it has.
pub(crate) struct Values<K, V, P: Policy> {
    table: Table<Entry<K, V, P::Node>>,
    policy: P,
    pub(crate) allowance: Allowance,
    /// The capacity that the policy reckons with.
    reckoned: u64,
    weight: u64,
    generation: u32,
    keeping: Keeping,
    lives: Lives,
    pub(crate) counts: StoreCounts,
}

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    pub(crate) fn new(allowance: Allowance, keeping: Keeping) -> Self {
        Self {
            table: Table::new(),
            policy: P::new(allowance.part),
            reckoned: allowance.part,
            allowance,
            weight: 0,
            generation: 0,
            keeping,
            lives: Lives::new(keeping),
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
        // (What is too heavy is refused, and needs none.)
        if weight > self.allowance.whole {
            return true;
        }
        let lack = self.allowance.lack(used, weight);
        lack == 0
            || lack <= used
                && self.allowance.is_enough(used.saturating_add(weight))
                && (lack <= FEW || self.are_few(lack))
    }

    /// Have about few values this weight?
    fn are_few(&self, weight: u64) -> bool {
        let each = self.weight / (self.len() as u64).max(1);
        weight / each.max(1) <= FEW
    }

    /// Stores a value, over the one that its key has at `place`, and makes room for it beside `reserved`.
    ///
    /// Room for it has been [found](Self::finds_room). Returns its generation, or `None` if it is too heavy; what was stored under its key is gone either way. No code
    /// of the user runs in here.
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        place: Option<u32>,
        mut new: New<K, V>,
        reserved: u64,
        leavers: &mut Leavers<K, V>,
    ) -> Option<u32> {
        new.weight = new.weight.max(1);
        if new.weight > self.allowance.own.min(self.allowance.whole) {
            if let Some(place) = place {
                self.remove(place, RemovalCause::Replaced, new.now, leavers);
            }
            leavers.push(new.key, new.value, self.counts.left(RemovalCause::Refused, true));
            return None;
        }
        if new.former.is_none() {
            self.generation = self.generation.wrapping_add(1);
        }
        let generation = new.former.map_or(self.generation, |former| former.generation);
        self.counts.stored += 1;
        match place {
            Some(place) => self.replace(place, new, reserved, leavers),
            None => self.add(new, reserved, leavers),
        }
        Some(generation)
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

    /// Takes out everything.
    pub(crate) fn take_all(&mut self, now: Instant) -> Cleared<K, V, P::Node> {
        self.policy.clear();
        self.lives.clear();
        self.weight = 0;
        Cleared::new(self.table.take(), now, &mut self.counts)
    }

    /// Changes the capacity of the cache, and the part of it that each shard may count on.
    pub(crate) fn resize(&mut self, whole: u64, part: u64) {
        (self.allowance.whole, self.allowance.part) = (whole, part);
        self.reckon_with(self.allowance.own.max(part).min(whole));
    }

    /// Has the policy reckon with what the shard may hold: no more than that, and not much less. A shard that is not full
    /// may come to hold its part.
    #[inline(always)]
    fn reckon(&mut self, is_full: bool) {
        let Allowance { own, part, .. } = self.allowance;
        let may = if is_full { own } else { own.max(part) };
        if may < self.reckoned || may - self.reckoned > self.reckoned / 32 {
            self.reckon_with(may - may / 64);
        }
    }

    #[cold]
    fn reckon_with(&mut self, capacity: u64) {
        self.reckoned = capacity;
        self.policy.set_capacity(capacity);
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

    fn replace(&mut self, place: u32, new: New<K, V>, reserved: u64, leavers: &mut Leavers<K, V>) {
        let (life, deadline) = (new.life(), self.deadline(new.life()));
        let row = &mut self.table.rows_mut()[place as usize];
        let (old_weight, weight) = (row.weight, new.weight);
        let others = self.weight - old_weight;
        if others.saturating_add(reserved) > self.allowance.own - weight {
            // Others must make room for its growth, and it must not be the one to leave: it comes in anew.
            self.remove(place, RemovalCause::Replaced, new.now, leavers);
            return self.add(new, reserved, leavers);
        }
        let cause = self.counts.left(RemovalCause::Replaced, row.is_fresh(new.now));
        let node = core::mem::take(&mut row.node);
        leavers.push_entry(core::mem::replace(row, Entry { node, ..new.entry(self.generation, deadline) }), cause);
        self.weight = others + weight;
        self.begin(place, life, deadline);
        let entries = &mut ByPlace(self.table.rows_mut());
        self.policy.reweigh(entries, place, old_weight);
        self.policy.hit(entries, place);
    }

    fn add(&mut self, new: New<K, V>, reserved: u64, leavers: &mut Leavers<K, V>) {
        let (weight, now) = (new.weight, new.now);
        let (life, deadline) = (new.life(), self.deadline(new.life()));
        let room = self.allowance.own - weight;
        self.reckon(self.weight.saturating_add(reserved) > room);
        let entries = &mut ByPlace(self.table.rows_mut());
        let admission = self.policy.admit(entries, new.hash, weight);
        let row = new.entry(self.generation, deadline);
        // The last victim's place is the newcomer's, which saves moving another entry there.
        let mut gap = None;
        while self.weight.saturating_add(reserved) > room {
            if let Some((gap, cause)) = gap.take() {
                leavers.push_entry(self.close_gap(gap), cause);
            }
            let Some(victim) = self.policy.evict(&mut ByPlace(self.table.rows_mut())) else { break };
            gap = Some((victim, self.unlink(victim, RemovalCause::Evicted, now)));
        }
        let place = match gap {
            Some((gap, cause)) => {
                leavers.push_entry(self.table.put_in_gap(gap, row), cause);
                gap
            }
            None => self.table.push(row, self.reckoned),
        };
        self.weight += weight;
        self.begin(place, life, deadline);
        self.policy.insert(&mut ByPlace(self.table.rows_mut()), place, admission);
    }

    /// Notes the life of the value at `place`.
    fn begin(&mut self, place: u32, life: Life, deadline: Instant) {
        self.lives.set(place, life);
        self.table.set_deadline(place, self.keeping.due(deadline));
    }

    /// Takes an entry that has left the policy's order out of the sums, and leaves a gap; returns why it goes.
    fn unlink(&mut self, place: u32, cause: RemovalCause, now: Instant) -> RemovalCause {
        let entry = &self.table.rows()[place as usize];
        self.weight -= entry.weight;
        let cause = self.counts.left(cause, entry.is_fresh(now));
        self.table.unlink(place);
        cause
    }

    fn close_gap(&mut self, gap: u32) -> Entry<K, V, P::Node> {
        let (entry, moved) = self.table.close_gap(gap);
        self.lives.close_gap(gap);
        if let Some(from) = moved {
            self.policy.relocate(&mut ByPlace(self.table.rows_mut()), from, gap);
        }
        entry
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
