//! A value comes: over another one, or as a new one, for which others may have to leave.

use super::{ByPlace, Former, Life, New, Policy, Values};
use crate::{Instant, RemovalCause, store::Leavers};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Stores a value, over the one that its key has at `place`, and makes room for it beside `reserved`.
    ///
    /// Room for it has been [found](Self::finds_room). Returns its generation, or `None` if it is too heavy or there is
    /// no memory for it; what was stored under its key is gone either way. No code of the user runs in here.
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        place: Option<u32>,
        mut new: New<K, V>,
        reserved: u64,
        leavers: &mut Leavers<K, V>,
    ) -> Option<u32> {
        new.weight = new.weight.max(1);
        if new.weight > self.allowance.own
            || (place.is_none() && !self.evicts(new.weight, reserved) && !self.has_memory(&new))
        {
            if let Some(place) = place {
                self.remove(place, RemovalCause::Replaced, new.now, leavers);
            }
            leavers.push(new.key, new.value, self.counts.left(RemovalCause::Refused, true));
            return None;
        }
        let generation = match new.former {
            Some(former) if former.generation != Former::NONE => former.generation,
            _ => {
                self.generation = self.generation.wrapping_add(1).max(1);
                self.generation
            }
        };
        self.counts.stored += 1;
        match place {
            Some(place) => self.replace(place, new, generation, reserved, leavers),
            None => self.add(new, generation, reserved, leavers),
        }
        Some(generation)
    }

    /// Does a newcomer take the place of another value?
    #[inline(always)]
    fn evicts(&self, weight: u64, reserved: u64) -> bool {
        self.table.is_full() || self.weight > (self.allowance.own - weight).saturating_sub(reserved)
    }

    /// Reserves memory for a newcomer that evicts no other value; returns whether there is enough.
    #[inline(never)]
    fn has_memory(&mut self, new: &New<K, V>) -> bool {
        let expires = new.end != Instant::NEVER || self.keeping.idle.is_some();
        self.table.has_memory(self.reckoned, expires) && self.lives.has_memory()
    }

    #[inline(never)]
    fn replace(&mut self, place: u32, new: New<K, V>, generation: u32, reserved: u64, leavers: &mut Leavers<K, V>) {
        let (life, deadline) = (new.life(), self.deadline(new.life()));
        let weight = new.weight;
        let old_weight = self.entry(place).weight;
        let others = self.weight - old_weight;
        let has_room = others.saturating_add(reserved) <= self.allowance.own - weight;
        if !has_room {
            // Others must make room for its growth, and it must not leave itself: it comes in as a new one, in its
            // place.
            self.policy.remove(&mut ByPlace(self.table.rows_mut()), place);
        }
        let now = new.now;
        let row = &mut self.table.rows_mut()[place as usize];
        let cause = self.counts.left(RemovalCause::Replaced, row.is_fresh(now, self.trusted));
        let hash = row.hash;
        // Changed in place, because moving a row costs more than all the rest.
        let (key, value) = row.renew(new, generation, deadline);
        leavers.push(key, value, cause);
        self.begin(place, life, deadline);
        if has_room {
            self.weight = others + weight;
            let entries = &mut ByPlace(self.table.rows_mut());
            self.policy.reweigh(entries, place, old_weight);
            self.policy.hit(entries, place);
        } else {
            self.weight = others;
            self.table.rows_mut()[place as usize].node = P::Node::default();
            let admission = self.policy.admit(&mut ByPlace(self.table.rows_mut()), hash, weight);
            self.loose = Some(place);
            self.make_room(reserved.saturating_add(weight), None, now, leavers);
            let place = self.loose.take().unwrap_or(place);
            self.weight += weight;
            self.policy.insert(&mut ByPlace(self.table.rows_mut()), place, admission);
        }
        self.allowance.settle(self.weight + reserved);
    }

    #[inline(always)]
    fn add(&mut self, new: New<K, V>, generation: u32, reserved: u64, leavers: &mut Leavers<K, V>) {
        let (weight, now) = (new.weight, new.now);
        let (life, deadline) = (new.life(), self.deadline(new.life()));
        let most = (self.allowance.own - weight).saturating_sub(reserved);
        let entries = &mut ByPlace(self.table.rows_mut());
        let admission = self.policy.admit(entries, new.hash, weight);
        let row = new.entry(generation, deadline);
        // The newcomer gets the last victim's place, which saves moving another entry there.
        let mut gap = None;
        let mut evicts = self.weight > most || self.table.is_full();
        while evicts {
            if let Some((gap, cause)) = gap.take() {
                leavers.push_entry(self.close_gap(gap), cause);
            }
            let Some(victim) = self.policy.evict(&mut ByPlace(self.table.rows_mut())) else { break };
            gap = Some((victim, self.unlink(victim, RemovalCause::Evicted, now)));
            evicts = self.weight > most;
        }
        let place = match gap {
            Some((gap, cause)) => {
                leavers.push_entry(self.table.put_in_gap(gap, row), cause);
                gap
            }
            None => self.table.push(row),
        };
        let has_spare = self.weight < most;
        self.weight += weight;
        if has_spare {
            self.allowance.settle(self.weight + reserved);
        }
        self.begin(place, life, deadline);
        self.policy.insert(&mut ByPlace(self.table.rows_mut()), place, admission);
    }

    /// Sets the life of the value at `place`.
    pub(super) fn begin(&mut self, place: u32, life: Life, deadline: Instant) {
        self.lives.set(place, life);
        self.table.set_deadline(place, self.keeping.due(deadline));
    }
}
