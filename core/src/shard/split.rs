//! A shard splits in two: the keys whose hashes have one more bit set go to the upper half, with all that is known of them.

use core::mem;

use super::{Carries, Effects, Flights, LookupCounts, Shard, slot::Slot};
use crate::{Instant, store::policy::Policy};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Hands the upper half out; from now on each of both halves has such a part of the capacity.
    ///
    /// Loads in flight go on, and so do walks. The counters stay here. O(n) for n keys.
    pub(crate) fn split_off(
        &mut self,
        part: u64,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
        hand_out: impl FnOnce(Self),
    ) {
        let (lower, upper) = self.home.halves();
        let goes = move |hash| upper.elsewhere(hash).is_none();
        let mut values = self.values.split_off(goes, part, now, &mut effects.leavers);
        let failures = self.failures.split_off(goes, |gone| effects.keep_failure(Some(gone)));
        let (used, goes_along) = (self.weight(), failures.len() as u64);
        // (The policy hears of it when there is no room: a policy that panics must not end the split here.)
        values.allowance.receive(self.values.allowance.hand_out(used, goes_along));
        let (alone, stay) = mem::take(&mut self.polled_alone).into_iter().partition(|load| goes(load.hash));
        self.polled_alone = stay;
        let mut other = Self {
            values,
            failures,
            flights: self.flights.split_off(goes),
            counts: LookupCounts::default(),
            polled_alone: alone,
            home: upper,
            ..*self
        };
        for half in [&mut *self, &mut other] {
            half.note_due();
            half.give_back();
        }
        hand_out(other);
        // Not before: what is not there yet is not looked for.
        self.home = lower;
    }
}

impl<K, V, E, C: Carries> Flights<K, V, E, C> {
    /// Takes out the flights whose hashes go. Their callers find them by what is noted of moves.
    fn split_off(&mut self, goes: impl Fn(u64) -> bool) -> Self {
        self.unfold_for_others();
        let mut other = Self::new();
        other.last = self.last;
        for place in 0..self.slots.len() as u32 {
            let slot = &self.slots[place as usize];
            if slot.id == 0 || !goes(slot.hash) {
                continue;
            }
            let (id, hash, is_attached) = (slot.id, slot.hash, slot.flight.is_attached());
            if is_attached {
                self.unlist(place);
            }
            let slot = mem::replace(&mut self.slots[place as usize], Slot::vacant(hash));
            let seats = u64::from(slot.flight.seats());
            (self.seats, other.seats) = (self.seats - seats, other.seats + seats);
            self.vacate(id, place);
            let place = other.slots.len() as u32;
            other.slots.push(slot);
            other.note_move(id, place);
            if is_attached {
                other.attach(hash, place);
            }
        }
        self.shrink();
        other
    }
}
