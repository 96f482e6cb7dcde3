//! The values of one shard.

use copied::Copied;
#[cfg(feature = "std")]
pub(crate) use copied::Versions;
pub(crate) use entry::{Entry, Former, New};
pub(super) use facts::Facts;
pub(crate) use life::{Keeping, Life};

use super::{
    leavers::{Cleared, Leavers, StoreCounts},
    policy::{Nodes, Policy},
    room::Allowance,
    table::Table,
    walks::Walks,
};
use crate::{Instant, RemovalCause};

mod copied;
mod entry;
mod facts;
mod life;
mod lives;
mod put;
mod spared;
#[cfg(feature = "std")]
mod split;
mod walking;

/// The values of one shard, within its room.
pub(crate) struct Values<K, V, P: Policy> {
    table: Table<Entry<K, V, P::Node>>,
    facts: Facts,
    policy: P,
    pub(crate) allowance: Allowance,
    /// The capacity that the policy knows, and how much more the shard may have.
    reckoned: u64,
    tolerated: u64,
    /// A shard with less than this is not simply full.
    least: u64,
    weight: u64,
    generation: u32,
    keeping: Keeping,
    /// From then on all values count as expired.
    trusted: Instant,
    walks: Walks,
    /// A value that is out of the policy's order while others make room for it.
    loose: Option<u32>,
    pub(crate) copied: Copied,
    pub(crate) counts: StoreCounts,
}

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    pub(crate) fn new(allowance: Allowance, keeping: Keeping) -> Self {
        Self {
            table: Table::new(),
            facts: Facts::new(keeping),
            policy: P::new(allowance.part),
            reckoned: allowance.part,
            tolerated: allowance.part / 32,
            least: allowance.part,
            allowance,
            weight: 0,
            generation: 0,
            keeping,
            trusted: Instant::NEVER,
            walks: Walks::default(),
            loose: None,
            copied: Copied::default(),
            counts: StoreCounts::default(),
        }
    }

    /// Reserves memory for so many values, and holds no more of them; returns whether there is enough.
    pub(crate) fn preallocate(&mut self, values: usize) -> bool {
        self.table.preallocate(values) && self.facts.preallocate(values) && self.policy.preallocate(values as u64)
    }

    /// Takes back the memory of what was [taken out](Self::take_all), or reserves it again; returns what is left over.
    pub(crate) fn refill(&mut self, cleared: Cleared<K, V, P::Node>, values: usize) -> impl Sized + use<K, V, P> {
        let (table, facts) = cleared.into_memory();
        // A shard that has values has taken memory of its own meanwhile.
        let facts = if self.len() == 0 { core::mem::replace(&mut self.facts, facts) } else { facts };
        let gone = (self.table.refill(table), facts);
        self.preallocate(values);
        gone
    }

    pub(crate) const fn weight(&self) -> u64 {
        self.weight
    }

    /// Returns the generation of the value that came last.
    pub(crate) const fn generation(&self) -> u32 {
        self.generation
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

    /// Finds a value for a hit, fast: even if this finds none, [`find`](Self::find) may find one.
    #[inline(always)]
    pub(crate) fn find_at_once(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<u32> {
        self.table.find_at_once(hash, eq)
    }

    /// Does the quick way find all that is there?
    #[inline(always)]
    pub(crate) fn finds_all_at_once(&self) -> bool {
        self.table.finds_all_at_once()
    }

    /// Goes on with what is done in steps, so that [`find_at_once`](Self::find_at_once) finds more.
    pub(crate) fn tidy(&mut self) {
        self.table.tidy();
    }

    #[inline(always)]
    pub(crate) fn entry(&self, place: u32) -> &Entry<K, V, P::Node> {
        &self.table.rows()[place as usize]
    }

    /// When the value at `place` expires, as far as is known: with an idle time, each use moves this.
    #[inline(always)]
    pub(crate) fn ends(&self, place: u32) -> Instant {
        self.facts.deadline(place)
    }

    pub(crate) fn published(&self, place: u32) -> Instant {
        self.facts.published(place)
    }

    #[inline(always)]
    pub(crate) fn weight_at(&self, place: u32) -> u64 {
        facts::weight(self.facts.weights(), place)
    }

    /// Notes that the value at `place` was asked for, and found fresh.
    #[inline(always)]
    pub(crate) fn hit(&mut self, place: u32, now: Instant) {
        self.touch(place);
        if self.keeping.idle.is_some() {
            self.prolong(place, now);
        }
    }

    /// Notes a use, so that the value at `place` stays longer when room is needed.
    #[inline(always)]
    pub(crate) fn touch(&mut self, place: u32) {
        self.policy.hit(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place);
    }

    /// Finds room for a newcomer of this weight beside all that is `used`, without asking other shards: spare room,
    /// free room, or the room of a few values that may leave, whatever they weigh.
    #[inline(always)]
    pub(crate) fn finds_room(&mut self, used: u64, weight: u64) -> bool {
        let spare = self.allowance.own.wrapping_sub(used);
        if weight <= spare {
            return true;
        }
        // Mostly, a full shard makes one value leave for another.
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
        // A value that is too heavy is refused, and needs no room.
        (is_its_own && lack <= FEW) || weight > self.allowance.whole
    }

    /// Gives the value at `place` another life, which counts as a use; false if there is no memory for that.
    pub(crate) fn renew(&mut self, place: u32, life: Life) -> bool {
        let renewed = self.relive(place, life, self.deadline(life));
        if renewed {
            self.touch(place);
        }
        renewed
    }

    /// Ends the freshness of the value at `place`. If there is no memory to note that, the value leaves.
    pub(crate) fn expire(&mut self, place: u32, now: Instant, leavers: &mut Leavers<K, V>) {
        let end = now.min(self.ends(place));
        if !self.relive(place, Life { since: now, end, begun: now }, end) {
            self.discard(place, now, leavers);
        }
    }

    fn relive(&mut self, place: u32, life: Life, deadline: Instant) -> bool {
        let due = self.keeping.due(deadline);
        let has_memory = self.facts.have_memory_to_live((life, deadline), place as usize + 1, self.reckoned)
            && self.table.has_memory_at(Some(place), due);
        if has_memory {
            self.copied.outdate(self.table.rows()[place as usize].hash);
            self.facts.relive(place, life, deadline);
            self.table.set_deadline(place, due);
        }
        has_memory
    }

    /// Takes out the value at `place`.
    pub(crate) fn discard(&mut self, place: u32, now: Instant, leavers: &mut Leavers<K, V>) {
        self.remove(place, RemovalCause::Removed, now, leavers);
    }

    fn remove(&mut self, place: u32, cause: RemovalCause, now: Instant, leavers: &mut Leavers<K, V>) {
        self.policy.remove(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place);
        let cause = self.unlink(place, cause, now);
        leavers.push_entry(self.close_gap(place), cause);
    }

    /// Takes out everything; it has to be [counted](Self::count_cleared) later.
    pub(crate) fn take_all(&mut self, now: Instant) -> Cleared<K, V, P::Node> {
        self.copied.outdate_all();
        self.policy.clear();
        self.reckon_with(self.allowance.part);
        self.walks.pass_over_all();
        self.weight = 0;
        Cleared { entries: self.table.take(), facts: self.facts.take(), at: now, trusted: self.trusted }
    }

    /// Adds the counts of what was taken out at once, which were made outside the lock.
    pub(crate) const fn count_cleared(&mut self, (removed, expired): (u64, u64)) {
        self.counts.removed += removed;
        self.counts.expired += expired;
    }

    /// Changes the capacity of the cache, and each shard's part of it.
    pub(crate) fn resize(&mut self, whole: u64, part: u64) {
        (self.allowance.whole, self.allowance.part) = (whole, part);
        self.reckon_with(self.allowance.own.max(part).min(whole));
    }

    /// Tells the policy what the shard may hold: no more than that, and not much less. A shard that is not full may
    /// come to hold its part.
    fn reckon(&mut self, is_full: bool) {
        let Allowance { own, part, .. } = self.allowance;
        let may = if is_full { own } else { own.max(part) };
        // If it is less, this wraps around.
        if may.wrapping_sub(self.reckoned) > self.tolerated {
            self.reckon_with(may - may / 64);
        }
    }

    fn reckon_with(&mut self, capacity: u64) {
        (self.reckoned, self.tolerated) = (capacity, capacity / 32);
        self.least = capacity.max(self.allowance.enough());
        self.policy.set_capacity(capacity);
    }

    /// Takes room that other shards have given.
    pub(crate) fn receive(&mut self, weight: u64) {
        self.allowance.receive(weight);
        self.reckon(true);
    }

    /// Evicts until the weight fits beside `reserved`; the value of the generation `stays` only leaves the policy's order,
    /// until its [sparing ends](Self::end_sparing).
    pub(crate) fn make_room(&mut self, reserved: u64, stays: Option<u32>, now: Instant, leavers: &mut Leavers<K, V>) {
        while self.allowance.own.checked_sub(self.weight).is_none_or(|room| reserved > room) {
            if !self.evict(stays, now, leavers) {
                return;
            }
        }
    }

    /// Evicts one value, or finds that the next one [stays](Self::make_room); false if there is none.
    pub(crate) fn evict(&mut self, stays: Option<u32>, now: Instant, leavers: &mut Leavers<K, V>) -> bool {
        let Some(victim) = self.policy.evict(&mut ByPlace(self.table.rows_mut(), self.facts.weights())) else {
            return false;
        };
        if stays == Some(self.entry(victim).generation) {
            self.loose = Some(victim);
            return true;
        }
        let cause = self.unlink(victim, RemovalCause::Evicted, now);
        leavers.push_entry(self.close_gap(victim), cause);
        true
    }

    /// Returns when the next value is due: expired, and held for as long as it may be of use.
    ///
    /// Or an earlier time, if that value was asked for since the last [`settle`](Self::settle).
    #[inline(always)]
    pub(crate) fn first_due(&self) -> Option<Instant> {
        self.table.first_due().map(|(due, _)| due)
    }

    /// Takes out up to `most` values that are due; returns how many.
    ///
    /// Fewer, if it meets too many that were asked for since they were last looked at.
    pub(crate) fn reclaim(&mut self, now: Instant, most: usize, leavers: &mut Leavers<K, V>) -> usize {
        let mut count = 0;
        for _ in 0..most.saturating_mul(LOOKS) {
            match self.table.first_due() {
                Some((due, place)) if count < most && due.reached(now) && leavers.has_memory() => {
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

    /// Takes an entry out of the sums that has left the policy's order, and leaves a gap; returns the cause.
    #[inline(always)]
    fn unlink(&mut self, place: u32, cause: RemovalCause, now: Instant) -> RemovalCause {
        self.weight -= self.weight_at(place);
        let cause = self.counts.left(cause, self.facts.is_fresh(place, now, self.trusted));
        self.copied.outdate(self.table.rows()[place as usize].hash);
        self.table.unlink(place);
        cause
    }

    fn close_gap(&mut self, gap: u32) -> Entry<K, V, P::Node> {
        self.pull_out(gap, Self::relocated)
    }

    /// Takes an entry out that is unlinked, and calls `moved` for each that closes a gap from another place.
    #[inline]
    fn pull_out(&mut self, mut gap: u32, moved: impl Fn(&mut Self, u32, u32)) -> Entry<K, V, P::Node> {
        while let Some(from) = self.walks.bridge(gap) {
            if from != gap {
                self.table.shift(from, gap);
                self.facts.shift(from, gap);
                moved(self, from, gap);
            }
            gap = from;
        }
        let (entry, last) = self.table.close_gap(gap);
        self.facts.close_gap(gap, self.table.len() as u32);
        if let Some(from) = last {
            moved(self, from, gap);
        }
        entry
    }

    fn relocated(&mut self, from: u32, to: u32) {
        if self.loose == Some(from) {
            self.loose = Some(to);
        } else {
            self.policy.relocate(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), from, to);
        }
    }
}

/// The entries as a policy sees them, with their weights.
struct ByPlace<'a, K, V, N>(&'a mut [Entry<K, V, N>], &'a [u64]);

impl<K, V, N> Nodes<N> for ByPlace<'_, K, V, N> {
    #[inline(always)]
    fn node(&mut self, place: u32) -> &mut N {
        &mut self.0[place as usize].node
    }

    fn hash(&self, place: u32) -> u64 {
        self.0[place as usize].hash
    }

    #[inline(always)]
    fn weight(&self, place: u32) -> u64 {
        facts::weight(self.1, place)
    }
}

/// How many values may leave in one step under the lock.
pub(crate) const FEW: u64 = 64;

/// How many values are looked at for each one that may be taken out; the others were asked for, and stay longer.
///
/// So the cost is bounded, and due values are taken out in time unless more than 255 times as many were asked for.
const LOOKS: usize = 8;

#[cfg(test)]
mod tests;
