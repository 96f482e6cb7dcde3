//! A flight in its short form, as long as its only load is in its first poll and no other caller has asked for its key.
//!
//! Most flights begin and end like this. One that another caller finds is unfolded first: it gets a place as any other.

use super::{
    Carries, Flights, Lead, Seat, Waiting,
    lead::{Leading, Stored},
};
use crate::{
    Instant, Notify,
    flight::{Attempt, PolledBy, Start, Terms},
};

impl<N: Notify> Waiting<N> {
    /// Takes the seat of a caller that leads a flight, and has polled its load; where it is has yet to be
    /// [told](Flights::unfold_led).
    pub(crate) fn sit(&mut self, lead: Lead) {
        self.seat = Seat { place: u32::MAX, id: lead.id, began: 1, ..Seat::default() };
        (self.after, self.found_expired) = (1, lead.found_expired);
    }
}

impl<K, V, E, C: Carries> Flights<K, V, E, C> {
    /// Whether a flight may begin in its short form: there is only one at a time.
    #[inline(always)]
    pub(crate) const fn may_lead(&self) -> bool {
        self.leading.is_none()
    }

    /// A new flight in its short form, if there [may](Self::may_lead) be one; found by its key.
    #[inline(always)]
    pub(crate) fn lead(&mut self, hash: u64, key: K, found_expired: bool, begun: Instant, by: PolledBy) -> Lead {
        let id = self.next_id();
        self.counts.begun += 1;
        self.leading = Stored::new(Leading { id, hash, key, begun, by, found_expired });
        Lead { id, found_expired }
    }

    /// The key of a flight that still has its short form.
    #[inline(always)]
    pub(crate) fn led(&self, lead: Lead) -> Option<&K> {
        self.leading.as_ref().map(Stored::get).filter(|leading| leading.id == lead.id).map(|leading| &leading.key)
    }

    /// Ends the flight that still has its short form, with its only caller; returns the key.
    #[inline(always)]
    pub(crate) fn end_led(&mut self) -> Option<K> {
        self.leading.take().map(|leading| leading.into_inner().key)
    }

    /// Gives the flight of a caller that leads its full form, and tells the caller's seat where it is.
    pub(crate) fn unfold_led(&mut self, lead: Lead, seat: &mut Seat<C::Notify>) {
        let place = if self.led(lead).is_some() { self.unfold() } else { self.moved_to(lead.id) };
        seat.place = place.unwrap_or(seat.place);
    }

    /// The flight of this key, which is unfolded if it has its short form.
    #[inline(always)]
    pub(super) fn find_led(&mut self, hash: u64, mut eq: impl FnMut(&K) -> bool) -> Option<u32> {
        let leading = self.leading.as_ref()?.get();
        if leading.hash == hash && eq(&leading.key) { self.unfold_for_others() } else { None }
    }

    /// Is there such a flight with this hash?
    #[inline(always)]
    pub(super) fn leads(&self, hash: u64) -> bool {
        self.leading.as_ref().is_some_and(|leading| leading.get().hash == hash)
    }

    /// Gives the flight in its short form, if there is one, its full form, of which its caller does not know.
    #[inline]
    pub(crate) fn unfold_for_others(&mut self) -> Option<u32> {
        let id = self.leading.as_ref()?.get().id;
        let place = self.unfold()?;
        self.note_move(id, place);
        Some(place)
    }

    #[cold]
    #[inline(never)]
    fn unfold(&mut self) -> Option<u32> {
        let Leading { id, hash, key, begun, by, found_expired } = self.leading.take()?.into_inner();
        let place = self.occupy(id, hash, Some(key));
        self.seats += 1;
        let slot = self.at(place);
        slot.is_blank = !found_expired;
        slot.flight.open(true);
        slot.flight.begin_first(Attempt::new(1, begun, Terms::default(), Start::Made, by));
        self.attach(hash, place);
        Some(place)
    }
}
