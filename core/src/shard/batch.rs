//! Keys whose load is one of many: which callers wait for them, and what becomes of them.

use core::{hash::Hash, task::Waker};

use super::{
    Answer, At, Carries, Delivered, Effects, News, Part, Seat, Shard, SharedLoad, Stored, Twin, Waiting, slot::Slot,
};
use crate::{Cause, Failure, Instant, flight::Registration, store::policy::Policy};

impl<K: Hash + Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Delivers the answer of a load of many keys for this one, if that is still of use. It may have been `stored`
    /// before, in a newer epoch of the key.
    pub(crate) fn deliver(
        &mut self,
        seat: &Seat<C::Notify>,
        (twin, stored): (Option<&Twin>, Option<Stored>),
        news: &mut Option<Result<News<V>, Failure<E>>>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Delivered {
        let place = self.flights.find_place(seat).filter(|place| self.flights.at(*place).flight.awaits(seat.began));
        let Some(place) = place else {
            let is_counted = twin.is_some_and(Twin::count);
            let counts = &mut self.flights.counts;
            let counter = if matches!(news, Some(Ok(_))) { &mut counts.succeeded } else { &mut counts.failed };
            *counter += u64::from(is_counted);
            effects.keep_news(news.take());
            return Delivered::Done(None);
        };
        let has_finished = match news {
            Some(Err(_)) => self.finish_with_failure(place, seat.began, news, at, effects),
            _ => {
                self.succeed(place, seat.began, news, at, None, effects);
                !effects.lacks_room()
            }
        };
        if !has_finished {
            return Delivered::NeedsRoom;
        }
        if let Some(stored) = stored {
            self.tell_stored(place, seat.began, stored);
        }
        let is_of_it = |answer: &&Answer<V>| answer.attempt == Some(seat.began);
        let answer = self.flights.at(place).verdict.as_ref().and_then(|verdict| verdict.as_ref().ok()).filter(is_of_it);
        let stored = answer
            .and_then(|answer| answer.generation.map(|generation| Stored { generation, deadline: answer.deadline }));
        self.end_if_empty(place, effects);
        Delivered::Done(stored)
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// A load that was to be delivered here is over without a result; false if keeping that needs room first.
    pub(crate) fn fail_at(
        &mut self,
        seat: &Seat<C::Notify>,
        cause: Cause<E>,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let Some(place) = self.flights.find_place(seat) else { return true };
        let is_over = self.finish_with_failure(place, seat.began, &mut Some(Err(Failure::new(cause))), at, effects);
        if is_over {
            self.end_if_empty(place, effects);
        }
        is_over
    }

    /// May the attempt of this seat still answer?
    pub(crate) fn awaits(&mut self, seat: &Seat<C::Notify>) -> bool {
        self.flights.find_place(seat).is_some_and(|place| self.flights.at(place).flight.awaits(seat.began))
    }

    /// A caller takes a seat in an existing flight.
    pub(super) fn take_seat(
        &mut self,
        place: u32,
        waiting: &mut Waiting<C::Notify>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let was_empty = self.flights.at(place).flight.seats() == 0;
        self.flights.join(place, &mut waiting.seat);
        if was_empty {
            // No caller here has heard of their wakes.
            self.flights.at(place).flight.all_due(0);
            // No caller waited for this key of a load of many; the load may be about to be dropped.
            let mut asked = 0;
            while let Some(part) = self.flights.at(place).parts.get(asked) {
                if part.batch.await_key() {
                    asked += 1;
                } else {
                    let number = part.number;
                    self.drop_part(place, number, effects);
                }
            }
        }
    }

    /// Lets the caller that waits for this key hear of the loads of many keys that it is a part of. A lone caller does
    /// not hear of its `own` load, because its call drives that as a whole.
    pub(super) fn listen_to_batches(&mut self, place: u32, own: u32, waker: &Waker, effects: &mut Effects<K, V, E, C>) {
        let slot = self.flights.at(place);
        // A waker of the flight's own hears of every wake, and later callers know of wakes by that waker alone.
        let own = if slot.flight.waits.is_shared() { 0 } else { own };
        if slot.parts.iter().all(|part| part.number == own) {
            return;
        }
        let shared = slot.flight.waits.waker();
        for part in slot.parts.iter_mut().filter(|part| part.number != own) {
            effects.keep_waker(part.batch.listen(&mut part.registration, shared.as_ref().unwrap_or(waker)));
        }
        effects.keep_waker(shared);
    }

    /// The last caller that waited for this key has left: the loads go on for others, or are dropped.
    pub(super) fn leave_to_batches(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) {
        let slot = self.flights.at(place);
        let dropped = slot.flight.keep_parts();
        while let Some((_, load)) = slot.loads.pop() {
            effects.rest().loads.push(load);
        }
        while let Some((_, own)) = slot.own.pop() {
            effects.keep_verdict(Some(own));
        }
        self.flights.counts.dropped += u64::from(dropped);
        for part in self.flights.at(place).parts.iter_mut() {
            effects.keep_waker(part.batch.withdraw(&mut part.registration));
            if part.batch.leave_key() {
                effects.rest().idle.push(part.batch.clone());
            }
        }
    }

    /// This key needs no load any more.
    pub(super) fn leave_batches(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) {
        let first = |slot: &Slot<K, V, E, C>| slot.parts.iter().next().map(|part| part.number);
        while let Some(number) = first(self.flights.at(place)) {
            self.remove_part(place, number, effects);
        }
    }

    /// This attempt is no longer a part of a load.
    pub(super) fn remove_part(&mut self, place: u32, number: u32, effects: &mut Effects<K, V, E, C>) {
        let slot = self.flights.at(place);
        let Some(mut part) = slot.parts.take(|part| part.number == number) else { return };
        let is_awaited = slot.flight.seats() > 0;
        effects.keep_waker(part.batch.withdraw(&mut part.registration));
        if is_awaited && part.batch.leave_key() {
            effects.rest().idle.push(part.batch);
        } else {
            effects.rest().batches.push(part.batch);
        }
    }

    /// Drops this attempt's part of its load of many keys.
    fn drop_part(&mut self, place: u32, number: u32, effects: &mut Effects<K, V, E, C>) {
        let is_counted = self.flights.counts(place, number);
        let slot = self.flights.at(place);
        let Some(mut part) = slot.parts.take(|part| part.number == number) else { return };
        slot.flight.forget(number);
        effects.keep_waker(part.batch.withdraw(&mut part.registration));
        effects.rest().batches.push(part.batch);
        self.flights.counts.dropped += u64::from(is_counted);
    }

    /// Drops the part of this seat; the next caller of its key leads.
    pub(crate) fn abandon(&mut self, seat: &Seat<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let Some(place) = self.flights.find_place(seat) else { return };
        if !self.flights.at(place).has_part(seat.began) {
            return;
        }
        self.drop_part(place, seat.began, effects);
        effects.wake(self.flights.at(place).flight.make_room());
        self.end_if_empty(place, effects);
    }

    /// Sets when the attempt of this seat began, which was claimed without a look at the clock.
    pub(crate) fn set_begun(&mut self, seat: &Seat<C::Notify>, begun: Instant) {
        self.flights.slot(seat).flight.set_begun(seat.began, begun);
    }

    /// Notes that a caller waits that is about to poll a load. After that, it asks the other loads of its flight.
    pub(crate) fn register(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        waker: &Waker,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let mut old = None;
        let flight = &mut self.flights.slot(&waiting.seat).flight;
        flight.set_begun(waiting.seat.began, waiting.started);
        let noted = flight.wait(&mut waiting.seat.registration, waker, false, &mut old);
        effects.keep_waker(old);
        if noted.is_new || flight.live() > 1 {
            waiting.after = 0;
        }
    }

    /// Makes this attempt a part of a load of many keys, which has not been polled yet. `waker` is that of the caller
    /// that waits for this key, if the call comes from that caller.
    pub(crate) fn become_part(
        &mut self,
        seat: &Seat<C::Notify>,
        (batch, twin): (C::Batch, Option<Twin>),
        waker: Option<&Waker>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let place = self.flights.find_place(seat);
        let is_out = |place: &u32| self.flights.at(*place).flight.become_part(seat.began, batch.polled_by());
        let Some(place) = place.filter(is_out) else {
            // The flight that it was in has counted it.
            if waker.is_some() {
                twin.iter().for_each(|twin| _ = twin.count());
            }
            return;
        };
        if twin.is_some() {
            self.flights.at(place).flight.count_elsewhere(seat.began);
        }
        self.add_part(place, seat.began, (batch, twin), waker, effects);
    }

    /// Adds a load of many keys, of which the caller that waits for this key is to hear.
    pub(super) fn add_part(
        &mut self,
        place: u32,
        number: u32,
        (batch, twin): (C::Batch, Option<Twin>),
        waker: Option<&Waker>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let slot = self.flights.at(place);
        if slot.flight.seats() > 0 {
            batch.await_key();
        }
        slot.parts.push(Part { number, batch, twin, registration: Registration::default() });
        let own = slot.flight.waits.lone_waker();
        if let Some(waker) = waker.or(own.as_ref()) {
            self.listen_to_batches(place, 0, waker, effects);
        }
        effects.keep_waker(own);
    }

    /// A load that was claimed and not made is made by the caller that drives it first, or that leads next.
    pub(crate) fn unmake(&mut self, seat: &Seat<C::Notify>, effects: &mut Effects<K, V, E, C>) {
        let Some(place) = self.flights.find_place(seat) else { return };
        let slot = self.flights.at(place);
        if slot.flight.unmake(seat.began) {
            self.flights.counts.unmade += 1;
            let woken = self.flights.at(place).flight.waits.all();
            effects.wake(woken);
        }
    }

    /// Counts that a load delivered to two flights is dropped.
    pub(crate) fn count_dropped(&mut self, twin: &Twin) {
        self.flights.counts.dropped += u64::from(twin.count());
    }

    /// Ends a flight that was kept only by a load for others.
    pub(super) fn end_if_empty(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) {
        let flight = &self.flights.at(place).flight;
        if flight.seats() == 0 && !flight.is_kept() {
            self.end(place, effects);
        }
    }
}

impl<K, V, E, C: Carries> Slot<K, V, E, C> {
    fn has_part(&self, number: u32) -> bool {
        self.parts.iter().any(|part| part.number == number)
    }

    /// Is this the last key that its load of many is awaited for?
    pub(super) fn is_last_of_a_batch(&self) -> bool {
        self.flight.seats() == 1 && self.flight.is_attached() && self.parts.iter().any(|part| part.batch.is_last())
    }
}
