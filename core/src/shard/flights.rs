//! The flights of a shard: a place for each, found by key, with what it carries beside its decisions.

use alloc::vec::Vec;
use core::{mem, ops::Range};

use hashbrown::HashTable;

use super::{Carries, LoadCounts, Seat, lead::Stored, slot::Slot};
use crate::flight::{Flight, Registration};

/// Flights by place; a place is found by key as long as its flight may be joined.
pub(crate) struct Flights<K, V, E, C: Carries> {
    pub(super) slots: Vec<Slot<K, V, E, C>>,
    free: Vec<u32>,
    /// A flight in its short form, without a place.
    pub(super) leading: Option<Stored<K>>,
    /// An attached flight that the index does not know: mostly there is only one, which then needs no index.
    pub(super) lone: u32,
    pub(super) index: HashTable<u32>,
    /// Where flights have moved whose callers still have the old place.
    moved: HashTable<(u32, u32)>,
    pub(super) last: u32,
    pub(crate) counts: LoadCounts,
    /// How many seats there are, in all flights that have a place.
    pub(super) seats: u64,
}

impl<K, V, E, C: Carries> Flights<K, V, E, C> {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::with_capacity(KEPT),
            free: Vec::with_capacity(KEPT),
            leading: None,
            lone: NOWHERE,
            index: HashTable::new(),
            moved: HashTable::new(),
            last: 0,
            counts: LoadCounts::default(),
            seats: 0,
        }
    }

    /// How many flights there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len() + usize::from(self.leading.is_some())
    }

    /// How many callers take part in flights.
    pub(crate) fn callers(&self) -> u64 {
        self.seats + u64::from(self.leading.is_some())
    }

    /// How many places there are, with a flight or without.
    pub(crate) fn places(&self) -> usize {
        self.slots.len()
    }

    /// The keys of those flights at these places that may be joined.
    pub(crate) fn keys_at(&self, places: Range<usize>) -> impl Iterator<Item = &K> {
        self.slots[places].iter().filter(|slot| slot.flight.is_attached()).filter_map(|slot| slot.key.as_ref())
    }

    /// The flight of a key that may be joined.
    #[inline]
    pub(crate) fn find(&mut self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        self.find_led(hash, &mut eq).or_else(|| self.find_placed(hash, eq))
    }

    /// The same, if it has a place.
    #[inline]
    pub(super) fn find_placed(&self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        let slots = &self.slots;
        let mut is_it = |place: &u32| {
            let slot = slots.get(*place as usize).filter(|slot| slot.hash == hash);
            slot.and_then(|slot| slot.key.as_ref()).is_some_and(&mut eq)
        };
        if is_it(&self.lone) {
            return Some(self.lone);
        }
        if self.index.is_empty() {
            return None;
        }
        self.index.find(hash, is_it).copied()
    }

    /// A new flight and its first seat; found by its key if it is attached.
    #[inline(always)]
    pub(crate) fn claim(&mut self, hash: u64, key: Option<K>, is_attached: bool, seat: &mut Seat<C::Notify>) -> u32 {
        let id = self.next_id();
        let place = self.occupy(id, hash, key);
        self.seats += 1;
        let slot = &mut self.slots[place as usize];
        slot.is_blank = false;
        slot.flight.open(is_attached);
        if is_attached {
            self.attach(hash, place);
        }
        (seat.place, seat.id, seat.began) = (place, id, 0);
        place
    }

    /// Numbers a new flight.
    #[inline(always)]
    pub(super) fn next_id(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1).max(1);
        self.last
    }

    /// Takes a place for a new flight.
    #[inline(always)]
    pub(super) fn occupy(&mut self, id: u32, hash: u64, key: Option<K>) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::vacant(hash));
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[place as usize];
        (slot.id, slot.hash, slot.key) = (id, hash, key);
        place
    }

    #[inline]
    pub(super) fn attach(&mut self, hash: u64, place: u32) {
        if self.lone == NOWHERE {
            self.lone = place;
            return;
        }
        let slots = &self.slots;
        self.index.insert_unique(hash, place, |place| slots[*place as usize].hash);
    }

    /// A new flight without a seat.
    pub(crate) fn claim_vacant(&mut self, hash: u64, key: K) -> u32 {
        let mut seat = Seat::default();
        let place = self.claim(hash, Some(key), true, &mut seat);
        self.slots[place as usize].flight.vacate();
        self.seats -= 1;
        place
    }

    /// The place of a load, for its answer.
    pub(crate) fn seat_of(&self, place: u32, number: u32) -> Seat<C::Notify> {
        Seat { place, id: self.slots[place as usize].id, began: number, registration: Registration::default() }
    }

    /// Adds a seat to a flight.
    pub(crate) fn join(&mut self, place: u32, seat: &mut Seat<C::Notify>) {
        let slot = &mut self.slots[place as usize];
        slot.flight.join();
        self.seats += 1;
        (seat.place, seat.id, seat.began) = (place, slot.id, 0);
    }

    /// The place of a seat's flight.
    #[inline]
    pub(crate) fn place(&self, seat: &Seat<C::Notify>) -> u32 {
        match self.slots.get(seat.place as usize) {
            Some(slot) if slot.id == seat.id => seat.place,
            _ => self.moved_to(seat.id).unwrap_or(seat.place),
        }
    }

    /// The place of a seat's flight, which may be over.
    pub(crate) fn find_place(&self, seat: &Seat<C::Notify>) -> Option<u32> {
        let place = self.place(seat);
        self.slots.get(place as usize).filter(|slot| slot.id == seat.id).map(|_| place)
    }

    #[cold]
    pub(super) fn moved_to(&self, id: u32) -> Option<u32> {
        self.moved.find(spread(id), |moved| moved.0 == id).map(|moved| moved.1)
    }

    /// Notes where a flight is of whose place its callers do not know.
    pub(super) fn note_move(&mut self, id: u32, place: u32) {
        self.moved.insert_unique(spread(id), (id, place), |moved| spread(moved.0));
    }

    #[inline]
    pub(crate) fn at(&mut self, place: u32) -> &mut Slot<K, V, E, C> {
        &mut self.slots[place as usize]
    }

    pub(crate) fn slot(&mut self, seat: &Seat<C::Notify>) -> &mut Slot<K, V, E, C> {
        let place = self.place(seat);
        &mut self.slots[place as usize]
    }

    /// May there be a flight of this key that can be joined?
    #[inline(always)]
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.leads(hash)
            || self.slots.get(self.lone as usize).is_some_and(|slot| slot.hash == hash)
            || (!self.index.is_empty() && self.index.find(hash, |_| true).is_some())
    }

    /// Detaches a flight: no caller joins it any more, and its answer is not stored.
    #[inline(always)]
    pub(crate) fn detach(&mut self, place: u32) -> bool {
        let slot = &mut self.slots[place as usize];
        if !slot.flight.detach() {
            return false;
        }
        self.unlist(place);
        true
    }

    /// From now on, the flight is not found by its key.
    #[inline(always)]
    pub(super) fn unlist(&mut self, place: u32) {
        if self.lone == place {
            self.lone = NOWHERE;
        } else if let Ok(entry) =
            self.index.find_entry(self.slots[place as usize].hash, |candidate| *candidate == place)
        {
            entry.remove();
        }
    }

    /// A flight that begins its load again may be joined again; false if its key has another flight.
    pub(crate) fn reattach(&mut self, seat: &Seat<C::Notify>) -> bool
    where
        K: Eq,
    {
        // (So it is found here, if its key is the same.)
        self.unfold_for_others();
        let place = self.place(seat);
        let slot = &self.slots[place as usize];
        if slot.flight.is_attached() {
            return true;
        }
        let hash = slot.hash;
        if slot.key.as_ref().is_none_or(|key| self.find_placed(hash, |k| k == key).is_some()) {
            return false;
        }
        self.slots[place as usize].flight.reattach();
        self.attach(hash, place);
        true
    }

    /// Detaches all flights.
    pub(crate) fn detach_all(&mut self) {
        self.unfold_for_others();
        let lone = core::mem::replace(&mut self.lone, NOWHERE);
        for place in self.index.drain().chain(Some(lone).filter(|lone| *lone != NOWHERE)) {
            let slot = &mut self.slots[place as usize];
            slot.flight.detach();
        }
        self.shrink();
    }

    /// All flights, attached or not, and the places without one.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Flight<C::Notify>> {
        self.slots.iter_mut().map(|slot| &mut slot.flight)
    }

    /// Frees the place of a flight that is over and without seats.
    #[inline(always)]
    pub(crate) fn free(&mut self, place: u32) {
        let id = mem::take(&mut self.slots[place as usize].id);
        self.vacate(id, place);
        self.shrink();
    }

    /// The place of this flight has no flight any more.
    #[inline(always)]
    pub(super) fn vacate(&mut self, id: u32, place: u32) {
        if !self.moved.is_empty() {
            if let Ok(entry) = self.moved.find_entry(spread(id), |moved| moved.0 == id) {
                entry.remove();
            }
            if self.moved.is_empty() {
                self.moved = HashTable::new();
            }
        }
        self.free.push(place);
    }

    /// Gives back the memory of a burst, even if one of its flights hangs.
    #[inline(always)]
    pub(super) fn shrink(&mut self) {
        if self.slots.len() > KEPT && self.free.len() * SPARSE > self.slots.len() * (SPARSE - 1) {
            self.move_together();
        }
    }

    /// Moves the few flights that are left to the front.
    #[cold]
    fn move_together(&mut self) {
        (self.lone, self.index) = (NOWHERE, HashTable::new());
        self.moved.clear();
        self.free = Vec::with_capacity(KEPT);
        self.slots.retain(|slot| slot.id != 0);
        self.slots.shrink_to(KEPT);
        self.moved.shrink_to(0, |_| 0);
        for place in 0..self.slots.len() as u32 {
            let slot = &self.slots[place as usize];
            let (id, hash, is_attached) = (slot.id, slot.hash, slot.flight.is_attached());
            self.note_move(id, place);
            if is_attached {
                self.attach(hash, place);
            }
        }
    }

    /// Does the load of this attempt count, now that it has ended?
    pub(crate) fn counts(&mut self, place: u32, number: u32) -> bool {
        let slot = &mut self.slots[place as usize];
        match slot.parts.iter().find(|part| part.number == number).and_then(|part| part.twin.as_ref()) {
            Some(twin) => twin.count(),
            None => !slot.flight.attempt(number).is_some_and(|attempt| attempt.is_twin),
        }
    }

    /// Does this flight wait for loads of many keys?
    pub(crate) fn has_parts(&self, place: u32) -> bool {
        !self.slots[place as usize].parts.is_empty()
    }

    /// Takes a load at rest out of a flight.
    pub(crate) fn take_load(&mut self, place: u32, number: u32) -> Option<C::Load> {
        self.slots[place as usize].loads.take(|load| load.0 == number).map(|load| load.1)
    }
}

/// Spreads consecutive numbers over a table.
const fn spread(id: u32) -> u64 {
    (id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// No place.
const NOWHERE: u32 = u32::MAX;

/// How many places are always kept.
const KEPT: usize = 2;

/// Places are given back when fewer than one in so many is in use.
const SPARSE: usize = 8;

#[cfg(test)]
mod tests;
