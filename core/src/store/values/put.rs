//! A value comes: over another one, or as a new one, for which others may have to leave.

use core::mem;

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
        let is_blank = self.facts.stay_blank(new.weight, new.end);
        // (Not where values have an idle time.)
        let deadline = if is_blank { Instant::NEVER } else { self.deadline(new.life()) };
        let is_refused = new.weight > self.allowance.own || {
            let is_added = place.is_none() && !self.evicts(new.weight, reserved);
            (is_added || !is_blank) && !self.has_memory(place, new.weight, (new.life(), deadline), is_added)
        };
        if is_refused {
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
            Some(place) => self.replace(place, new, (deadline, is_blank), generation, reserved, leavers),
            None => self.add(new, (deadline, is_blank), generation, reserved, leavers),
        }
        Some(generation)
    }

    /// Puts a value in the place of the one that its key has, if nothing is to be noted of either but when it was published;
    /// else, or if there is no room or no memory for that, `coming` is still there.
    ///
    /// Returns the generation.
    #[inline(always)]
    pub(crate) fn put_over_at_once(
        &mut self,
        place: u32,
        coming: &mut Option<(K, V)>,
        (weight, now, end): (u64, Instant, Instant),
        leavers: &mut Leavers<K, V>,
    ) -> Option<u32> {
        let is_simple = self.facts.stay_blank(weight, end) && self.weight <= self.allowance.own;
        let (key, value) = if is_simple { coming.take()? } else { return None };
        self.generation = self.generation.wrapping_add(1).max(1);
        self.counts.stored += 1;
        self.facts.publish(place, now);
        // (It is fresh as long as anything is, as it does not end.)
        let cause = self.counts.left(RemovalCause::Replaced, !self.trusted.reached(now));
        // (Where values have copies elsewhere, none is replaced here.)
        let row = &mut self.table.rows_mut()[place as usize];
        row.generation = self.generation;
        leavers.push(mem::replace(&mut row.key, key), mem::replace(&mut row.value, value), cause);
        self.touch(place);
        Some(self.generation)
    }

    /// Does a newcomer take the place of another value?
    #[inline(always)]
    fn evicts(&self, weight: u64, reserved: u64) -> bool {
        self.table.is_full() || self.weight > (self.allowance.own - weight).saturating_sub(reserved)
    }

    /// Reserves memory for a newcomer that comes after the last value, or in the place of another; returns whether there
    /// is enough.
    #[inline(never)]
    pub(super) fn has_memory(
        &mut self,
        place: Option<u32>,
        weight: u64,
        lives: (Life, Instant),
        is_added: bool,
    ) -> bool {
        let places = self.table.len() + usize::from(is_added);
        let deadline = lives.1;
        self.facts.have_memory(weight, lives, places, self.reckoned)
            && if is_added {
                self.table.has_memory(self.reckoned, deadline != Instant::NEVER)
            } else {
                self.table.has_memory_at(place, self.keeping.due(deadline))
            }
    }

    #[inline(never)]
    fn replace(
        &mut self,
        place: u32,
        new: New<K, V>,
        end: (Instant, bool),
        generation: u32,
        reserved: u64,
        leavers: &mut Leavers<K, V>,
    ) {
        let (weight, old_weight) = (new.weight, self.weight_at(place));
        let others = self.weight - old_weight;
        let has_room = others.saturating_add(reserved) <= self.allowance.own - weight;
        if !has_room {
            // Others must make room for its growth, and it must not leave itself: it comes in as a new one, in its
            // place.
            self.policy.remove(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place);
        }
        let now = new.now;
        let cause = self.counts.left(RemovalCause::Replaced, self.facts.is_fresh(place, now, self.trusted));
        self.note(place, &new, end);
        let row = &mut self.table.rows_mut()[place as usize];
        let hash = row.hash;
        self.copied.outdate(hash);
        // Changed in place, because moving a row costs more than all the rest.
        let (key, value) = row.renew(new, generation);
        leavers.push(key, value, cause);
        if has_room {
            self.weight = others + weight;
            let entries = &mut ByPlace(self.table.rows_mut(), self.facts.weights());
            self.policy.reweigh(entries, place, old_weight);
            self.policy.hit(entries, place);
        } else {
            self.weight = others;
            self.table.rows_mut()[place as usize].node = P::Node::default();
            let admission = self.policy.admit(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), hash, weight);
            self.loose = Some(place);
            self.make_room(reserved.saturating_add(weight), None, now, leavers);
            let place = self.loose.take().unwrap_or(place);
            self.weight += weight;
            self.policy.insert(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place, admission);
        }
        self.allowance.settle(self.weight + reserved);
    }

    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn add(
        &mut self,
        new: New<K, V>,
        end: (Instant, bool),
        generation: u32,
        reserved: u64,
        leavers: &mut Leavers<K, V>,
    ) {
        let (weight, now) = (new.weight, new.now);
        let most = (self.allowance.own - weight).saturating_sub(reserved);
        let evicts = self.weight > most || self.table.is_full();
        let entries = &mut ByPlace(self.table.rows_mut(), self.facts.weights());
        let admission = self.policy.admit(entries, new.hash, weight);
        let mut victim = if evicts { self.policy.evict(entries) } else { None };
        // The newcomer gets the last victim's place, which saves moving another entry there.
        let mut gap = None;
        while let Some(place) = victim {
            let cause = self.unlink(place, RemovalCause::Evicted, now);
            if self.weight <= most {
                gap = Some((place, cause));
                break;
            }
            leavers.push_entry(self.close_gap(place), cause);
            victim = self.policy.evict(&mut ByPlace(self.table.rows_mut(), self.facts.weights()));
        }
        let place = gap.as_ref().map_or(self.table.len() as u32, |(gap, _)| *gap);
        self.note(place, &new, end);
        match gap {
            Some((gap, cause)) => {
                let (key, value) = self.table.refill_gap(gap, new.hash).take_over(new, generation);
                leavers.push(key, value, cause);
            }
            None => _ = self.table.push(new.entry(generation)),
        }
        let has_spare = self.weight < most;
        self.weight += weight;
        if has_spare {
            self.allowance.settle(self.weight + reserved);
        }
        self.policy.insert(&mut ByPlace(self.table.rows_mut(), self.facts.weights()), place, admission);
    }

    /// Notes all that is known of the value that comes to `place`, beside its row.
    #[cfg_attr(feature = "std", inline(always))]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn note(&mut self, place: u32, new: &New<K, V>, (deadline, is_blank): (Instant, bool)) {
        self.facts.publish(place, new.published());
        if !is_blank {
            self.facts.weigh(place, new.weight);
            self.facts.relive(place, new.life(), deadline);
            self.table.set_deadline(place, self.keeping.due(deadline));
        }
    }
}
