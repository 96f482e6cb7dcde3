//! Values go to another shard.

use alloc::vec::Vec;

use super::{ByPlace, Life, Policy, Values};
use crate::{Instant, RemovalCause, contain::both, store::Leavers};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Takes out the values whose hashes go, with their room, in the same order of eviction; from now on each of both has
    /// such a `part` of the capacity.
    ///
    /// Those for which there is no memory leave. If a policy panics, all leave, as nobody knows which ones it has lost.
    pub(crate) fn split_off(
        &mut self,
        goes: impl Fn(u64) -> bool,
        part: u64,
        now: Instant,
        leavers: &mut Leavers<K, V>,
    ) -> Self {
        let mut other = Self::new(self.allowance.split_off(), self.keeping);
        (other.generation, other.trusted) = (self.generation, self.trusted);
        (other.copied, other.walks) = (self.copied.split_off(), self.walks.split_off());
        let mut split = (&mut *self, other, leavers, false);
        both(
            &mut split,
            |(lower, upper, leavers, is_over)| {
                let order = lower.take_order();
                let mut place = 0;
                while let Some(row) = lower.table.rows().get(place as usize) {
                    if goes(row.hash) {
                        lower.hand_over(place, upper, now, leavers);
                    } else {
                        place += 1;
                    }
                }
                for half in [&mut **lower, upper] {
                    half.resize(half.allowance.whole, part);
                    half.take_up(&order);
                }
                *is_over = true;
            },
            |(lower, upper, leavers, is_over)| {
                if !*is_over {
                    // (The upper half goes with its counters.)
                    upper.counts = core::mem::take(&mut lower.counts);
                    upper.give_up(now, leavers);
                    lower.counts = upper.counts;
                    lower.give_up(now, leavers);
                }
            },
        );
        split.1
    }

    /// Takes all values out of the policy's order; returns it, as hashes and generations.
    fn take_order(&mut self) -> Vec<(u64, u32)> {
        let mut order = Vec::with_capacity(self.len());
        while let Some(place) = self.policy.evict(&mut ByPlace(self.table.rows_mut(), self.facts.weights())) {
            let row = self.entry(place);
            order.push((row.hash, row.generation));
        }
        self.policy.clear();
        order
    }

    /// Gives those values that are here to the policy, in this order.
    fn take_up(&mut self, order: &[(u64, u32)]) {
        for (hash, generation) in order {
            if let Some(place) = self.find_generation(*hash, *generation) {
                self.loose = Some(place);
                self.end_sparing();
            }
        }
    }

    /// All values leave, and another policy begins without them.
    fn give_up(&mut self, now: Instant, leavers: &mut Leavers<K, V>) {
        while let Some(last) = (self.len() as u32).checked_sub(1) {
            let cause = self.unlink(last, RemovalCause::Evicted, now);
            leavers.push_entry(self.pull_out(last, |_, _, _| {}), cause);
        }
        self.loose = None;
        self.policy = P::new(self.reckoned);
    }

    /// Moves a value to the other shard while no policy knows of any. What closes its gap comes from a later place.
    fn hand_over(&mut self, place: u32, other: &mut Self, now: Instant, leavers: &mut Leavers<K, V>) {
        let (weight, end, published) = (self.weight_at(place), self.ends(place), self.published(place));
        let life = self.life(place).unwrap_or(Life { since: published, end, begun: published });
        if !other.has_memory(None, weight, (life, end), true) {
            let cause = self.unlink(place, RemovalCause::Evicted, now);
            return leavers.push_entry(self.pull_out(place, |_, _, _| {}), cause);
        }
        other.walks.take_over(&self.walks, place);
        self.table.unlink(place);
        self.weight -= weight;
        self.allowance.own -= weight;
        let row = self.pull_out(place, |_, _, _| {});
        let place = other.table.push(row);
        other.facts.publish(place, published);
        if !other.facts.stay_blank(weight, end) {
            other.facts.weigh(place, weight);
            other.facts.relive(place, life, end);
            other.table.set_deadline(place, self.keeping.due(end));
        }
        other.weight += weight;
        other.allowance.own += weight;
    }
}
