//! Flights in their short form: found, ended and unfolded.

use super::{
    Carries, Flights, Lead, Seat,
    slot::{Leading, Stored},
};
use crate::{Instant, flight::PolledBy};

impl<K, V, E, C: Carries> Flights<K, V, E, C> {
    /// A new flight in its short form; found by its key.
    #[inline(always)]
    pub(crate) fn lead(&mut self, hash: u64, key: K, found_expired: bool, begun: Instant, by: PolledBy) -> Lead {
        let place = self.occupy(hash, Some(key));
        self.slots[place as usize].leading = Some(Stored::from(Leading { begun, by, is_blank: !found_expired }));
        self.attach(hash, place);
        self.counts.begun += 1;
        Lead { place, id: self.last, found_expired }
    }

    /// May there be a flight of this key that can be joined?
    #[inline(always)]
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.slots.get(self.lone as usize).is_some_and(|slot| slot.hash == hash)
            || (!self.index.is_empty() && self.index.find(hash, |_| true).is_some())
    }

    /// The key of a flight that still has its short form.
    #[inline(always)]
    pub(crate) fn led(&self, lead: Lead) -> Option<&K> {
        let slot = self.slots.get(lead.place as usize).filter(|slot| slot.id == lead.id && slot.leading.is_some())?;
        slot.key.as_ref()
    }

    /// Ends a flight that still has its short form, with its only caller; returns the key.
    #[inline(always)]
    pub(crate) fn end_led(&mut self, Lead { place, id, .. }: Lead) -> Option<K> {
        let slot = self.slots.get_mut(place as usize).filter(|slot| slot.id == id)?;
        slot.leading.take()?;
        let key = slot.key.take();
        self.seats -= 1;
        self.unlist(place);
        self.free(place);
        key
    }

    /// Gives the flight of a caller that leads its full form.
    pub(crate) fn unfold_led(&mut self, lead: Lead) {
        let place = self.place(&Seat::<C::Notify>::from(lead));
        self.at(place).unfold();
    }
}
