//! Values go to another shard.

use alloc::vec::Vec;

use super::{ByPlace, Life, Policy, Values};
use crate::{Instant, RemovalCause, store::Leavers};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Takes out the values whose hashes go, with their room, in the same order of eviction.
    ///
    /// Those for which there is no memory leave.
    pub(crate) fn split_off(&mut self, goes: impl Fn(u64) -> bool, now: Instant, leavers: &mut Leavers<K, V>) -> Self {
        let mut other = Self::new(self.allowance.split_off(), self.keeping);
        (other.generation, other.trusted) = (self.generation, self.trusted);
        (other.copied, other.walks) = (self.copied.split_off(), self.walks.split_off());
        let order = self.take_order();
        self.reckon_with(self.allowance.own.max(self.allowance.part));
        self.take_up(&order);
        let mut place = 0;
        while let Some(row) = self.table.rows().get(place as usize) {
            if goes(row.hash) {
                self.hand_over(place, &mut other, now, leavers);
            } else {
                place += 1;
            }
        }
        other.reckon_with(other.allowance.own.max(other.allowance.part));
        other.take_up(&order);
        other
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

    /// Moves a value to the other shard. What closes its gap comes from a later place.
    fn hand_over(&mut self, place: u32, other: &mut Self, now: Instant, leavers: &mut Leavers<K, V>) {
        let (weight, end, published) = (self.weight_at(place), self.ends(place), self.published(place));
        let life = self.life(place).unwrap_or(Life { since: published, end, begun: published });
        if !other.has_memory(None, weight, (life, end), true) {
            return self.remove(place, RemovalCause::Evicted, now, leavers);
        }
        other.walks.take_over(&self.walks, place);
        self.policy.remove(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place);
        self.table.unlink(place);
        self.weight -= weight;
        self.allowance.own -= weight;
        let row = self.close_gap(place);
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
