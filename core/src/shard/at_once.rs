//! The short ways: of a load that answers in its first poll, an insertion and a removal, if no other call has to do with the key.
//!
//! Each step decides as the long way does, and leaves it to that where there is more to decide.

use core::{hash::Hash, task::Waker};

use super::{AsKey, At, Carries, Effects, Lead, LoadsAnew, RECLAIM, Seat, Shard};
use crate::{
    Instant,
    flight::PolledBy,
    store::{Leavers, New, policy::Policy},
};

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// May a caller that has not found a fresh value at `place` lead at once? Not if there is more to decide.
    #[inline(always)]
    pub(crate) fn may_lead_at_once(&self, hash: u64, place: Option<u32>, now: Instant) -> bool {
        self.flights.may_lead()
            && self.home.elsewhere(hash).is_none()
            && self.is_quiet(hash)
            && place.is_none_or(|place| self.links.ahead.is_none() && !self.is_fresh_at(place, now))
    }

    /// That caller leads the first load of its key, and makes and polls it at once.
    #[inline(always)]
    pub(crate) fn lead_at_once(
        &mut self,
        hash: u64,
        key: &dyn AsKey<K>,
        place: Option<u32>,
        now: Instant,
        waker: &Waker,
    ) -> Lead {
        self.flights.lead(hash, key.to_key(), place.is_some(), now, PolledBy::here(waker))
    }

    /// Such a flight becomes one like any other, as its load does not answer at once.
    #[cold]
    pub(crate) fn unfold(
        &mut self,
        lead: Lead,
        seat: &mut Seat<C::Notify>,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) {
        self.flights.unfold_led(lead, seat);
        self.reclaim(now, RECLAIM, effects);
    }

    /// Is there no flight of this key, and no kept failure at all?
    #[inline(always)]
    fn is_quiet(&self, hash: u64) -> bool {
        self.failures.len() == 0 && !self.flights.may_have(hash)
    }

    /// The load of such a flight has answered in its first poll, and no other caller has asked for its key: a clone of its
    /// value is stored, and the flight has ended.
    ///
    /// False if there is more to decide: then nothing has happened, and it is a flight like any other.
    #[inline(always)]
    pub(crate) fn finish_at_once(
        &mut self,
        (lead, hash, begun): (Lead, u64, Instant),
        value: &V,
        (end, weight): (Instant, u64),
        at: At<'_>,
        leavers: &mut Leavers<K, V>,
    ) -> bool {
        let Some((place, end, value)) = self.plan_at_once(lead, hash, value, (end, weight), at, leavers) else {
            return false;
        };
        let now = at.now;
        let Some(key) = self.flights.end_led() else { return false };
        self.flights.counts.succeeded += 1;
        self.counts.count_time(begun, now);
        *if lead.found_expired { &mut self.counts.expired } else { &mut self.counts.misses } += 1;
        let new = || New { hash, key, value, weight, now, end, begun, former: None };
        self.put_at_once(place, (now, end), new, leavers);
        true
    }

    /// Where the value comes, when it ends, and a clone of it to be stored, for which there is room. Nothing has changed if
    /// the user's code panics in here, but that values may have left for it.
    #[inline(always)]
    fn plan_at_once(
        &mut self,
        lead: Lead,
        hash: u64,
        value: &V,
        (end, weight): (Instant, u64),
        at: At<'_>,
        leavers: &mut Leavers<K, V>,
    ) -> Option<(Option<u32>, Instant, V)> {
        let key = self.flights.led(lead).filter(|_| self.failures.len() == 0)?;
        let end = at.rules.jittered(end, key, at.now);
        let place = if lead.found_expired { self.place_of(hash, key) } else { None };
        if !self.has_room_at_once(place, weight, at.now, leavers) {
            return None;
        }
        // The last that may fail, so that no value has to be dropped here.
        let value = value.clone();
        Some((place, end, value))
    }

    // Apart, because most loads are of keys without a value.
    #[inline(never)]
    fn place_of(&self, hash: u64, key: &K) -> Option<u32> {
        self.values.find(hash, |k| k == key)
    }

    /// Is there room for a newcomer in place of the present value?
    #[inline(always)]
    fn has_room_at_once(&mut self, place: Option<u32>, weight: u64, now: Instant, leavers: &mut Leavers<K, V>) -> bool {
        let former = place.map_or(0, |place| self.values.weight_at(place));
        self.values.finds_room(self.values.weight() - former, weight)
            || self.makes_room_at_once(place, weight, now, leavers)
    }

    /// A few values leave for the newcomer.
    #[cold]
    #[inline(never)]
    fn makes_room_at_once(
        &mut self,
        place: Option<u32>,
        weight: u64,
        now: Instant,
        leavers: &mut Leavers<K, V>,
    ) -> bool {
        // (The other way is for a value that might move.)
        place.is_none() && self.values.evict_few(&mut None, (self.values.weight(), weight), now, leavers)
    }

    /// Stores a value where there is no kept failure, and reclaims a little.
    #[inline(always)]
    fn put_at_once(
        &mut self,
        place: Option<u32>,
        (now, end): (Instant, Instant),
        new: impl FnOnce() -> New<K, V>,
        leavers: &mut Leavers<K, V>,
    ) -> Option<u32> {
        // (Made in each branch: what is passed on in memory by the one would be in memory for both.)
        let generation = match place {
            None => self.values.put(None, new(), 0, leavers),
            Some(place) => self.put_over(place, new(), leavers),
        };
        if end != Instant::NEVER {
            self.note_due();
        }
        if generation.is_none() {
            self.give_back();
        }
        if self.is_due(now) {
            self.reclaim_at_once(now, leavers);
        }
        generation
    }

    #[inline(never)]
    fn put_over(&mut self, place: u32, new: New<K, V>, leavers: &mut Leavers<K, V>) -> Option<u32> {
        self.values.put(Some(place), new, 0, leavers)
    }

    #[cold]
    #[inline(never)]
    fn reclaim_at_once(&mut self, now: Instant, leavers: &mut Leavers<K, V>) {
        self.values.reclaim(now, RECLAIM, leavers);
        self.note_due();
        self.give_back();
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// Stores a value if there is not more to decide, and returns its generation; else `coming` is still there.
    #[inline(always)]
    pub(crate) fn insert_at_once(
        &mut self,
        hash: u64,
        coming: &mut Option<(K, V)>,
        (end, weight): (Instant, u64),
        at: At<'_>,
        leavers: &mut Leavers<K, V>,
    ) -> Option<u32> {
        let (Some((key, _)), true) = (&*coming, self.is_quiet(hash)) else { return None };
        let end = at.rules.jittered(end, key, at.now);
        let (place, now) = (self.values.find(hash, |k| k == key), at.now);
        if let Some(place) = place {
            // (Where no value ends, and no failure is kept, nothing can be due.)
            let generation = self.values.put_over_at_once(place, coming, (weight, now, end), leavers);
            if generation.is_some() {
                self.note_write();
                return generation;
            }
        }
        if !self.has_room_at_once(place, weight, now, leavers) {
            return None;
        }
        let (key, value) = coming.take()?;
        self.note_write();
        let new = || New { hash, key, value, weight, now, end, begun: now, former: None };
        self.put_at_once(place, (now, end), new, leavers)
    }

    /// Removes what is stored under a key if there is not more to decide, and reclaims a little; returns whether it was fresh.
    ///
    /// If it was, it left first.
    #[inline(always)]
    pub(crate) fn remove_at_once(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        leavers: &mut Leavers<K, V>,
    ) -> Option<bool> {
        if !self.is_quiet(hash) {
            return None;
        }
        let place = self.values.find(hash, eq);
        self.note_write();
        let mut was_fresh = false;
        if let Some(place) = place {
            was_fresh = self.is_fresh_at(place, now);
            self.values.discard(place, now, leavers);
            self.give_back();
        }
        if self.is_due(now) {
            self.reclaim_at_once(now, leavers);
        }
        Some(was_fresh)
    }
}
