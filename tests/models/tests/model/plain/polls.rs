//! What is known of callers while they are polled, and after a poll.

use super::{Id, Key, Ms, Plain, Seat, epochs::Next};

impl Plain {
    /// A caller is about to be polled.
    pub(crate) fn poll_begins(&mut self, caller: usize) {
        for seat in self.seats_of(caller) {
            let waiting = self.waiting.get_mut(&seat).expect("it is one of these");
            waiting.polled.clear();
            (waiting.has_perhaps_moved, waiting.is_overlooked) = (false, false);
        }
    }

    /// A caller polls this load.
    pub(crate) fn polls(&mut self, seat: Seat, load: Id, now: Ms) {
        // (A caller that has been served polls another's refresh.)
        let Some(waiting) = self.waiting.get(&seat) else { return };
        if self.flights[waiting.flight].end.is_some() {
            return;
        }
        let has_perhaps_moved = self.is_doubtful(seat, Some(load), now);
        if !self.loads[&load].contains(&waiting.flight) {
            self.move_on(seat, now);
        }
        let waiting = self.waiting.get_mut(&seat).expect("it was found");
        let is_its = self.loads[&load].contains(&waiting.flight);
        assert!(is_its, "{seat:?} polls load {load} at {now}, and does not wait for it");
        waiting.polled.push(load);
        (waiting.has_perhaps_moved, waiting.is_overlooked) = (has_perhaps_moved, false);
    }

    /// A ready answer beats every deadline: a caller that acts on a deadline has polled all loads. (D18)
    pub(super) fn assert_has_looked(&self, seat: Seat) {
        let waiting = &self.waiting[&seat];
        let mut running = self.flights[waiting.flight].running.iter().map(|running| running.load);
        // (A load of two epochs is polled only if it was woken.)
        let unseen = running.find(|load| self.loads[load].len() == 1 && !waiting.polled.contains(load));
        assert_eq!(unseen, None, "{seat:?} acts without a look at this load");
    }

    /// Whether this caller, which polls this load or none, is about to move on to the newer epoch or has done so. If
    /// the load belongs to both epochs or to another key, this is unknown before the poll ends.
    pub(crate) fn is_doubtful(&self, seat: Seat, load: Option<Id>, now: Ms) -> bool {
        let Some(waiting) = self.waiting.get(&seat) else { return false };
        if self.is_told(seat) {
            return false;
        }
        let Next::MovesTo(newer) = self.next(seat, now) else { return false };
        let flights = load.and_then(|load| self.loads.get(&load));
        flights.is_none_or(|flights| flights.contains(&waiting.flight) == flights.contains(&newer))
    }

    /// A caller was polled and goes on waiting: everything due is done by now.
    ///
    /// But in the first poll, and in one for many keys, a write from inside a callback may come after the look at a
    /// key.
    pub(crate) fn poll_ends(&mut self, caller: usize, may_miss_writes: bool, now: Ms) {
        for seat in self.seats_of(caller) {
            if self.is_told(seat) {
                assert!(may_miss_writes, "{seat:?} was not told at {now}");
            } else if !(may_miss_writes && self.waiting[&seat].is_overlooked) {
                self.move_on(seat, now);
                assert_eq!(self.next(seat, now), Next::Waits, "{seat:?} has not done so at {now}");
            }
        }
    }

    fn seats_of(&self, caller: usize) -> Vec<Seat> {
        self.waiting.range((caller, Key::MIN)..=(caller, Key::MAX)).map(|(seat, _)| *seat).collect()
    }

    /// Whether this wait has reached its end.
    pub(super) fn is_told(&self, seat: Seat) -> bool {
        let waiting = &self.waiting[&seat];
        self.flights[waiting.flight].end.is_some() || waiting.failure.is_some()
    }
}
