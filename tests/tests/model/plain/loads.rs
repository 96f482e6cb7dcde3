//! Loads begin, end and are dropped.

use larder::{OnTimeout, RemovalCause};

use super::{End, Ended, Id, Ms, Plain, Running, Seat, Waiting};

impl Plain {
    /// The loader was called while `seat` was polled.
    pub(crate) fn begun(&mut self, seat: Seat, load: Id, now: Ms) {
        let waiting = self.waiting.get_mut(&seat).unwrap_or_else(|| panic!("{seat:?} loads without a seat"));
        let flight = &mut self.flights[waiting.flight];
        if flight.end.is_some() {
            // A write from inside a callback has come between his claim and this, within one poll: it is for nothing.
            self.loads.insert(load, waiting.flight);
            return;
        }
        let owner = match flight.unbegun.is_empty() {
            false => flight.unbegun.remove(0),
            true => {
                let is_old = self.rules.lock_age.is_some_and(|age| flight.newest.saturating_add(age) <= now);
                // Nobody takes over from himself.
                let over_age = is_old && flight.newest_by != Some(seat);
                let impatient = waiting.call.timeout.is_some_and(|(patience, then)| {
                    then == OnTimeout::Load && !waiting.led && waiting.came.saturating_add(patience) <= now
                });
                assert!(over_age || impatient, "a second load of key {} at {now}", seat.1);
                assert!(flight.running.len() < self.rules.attempts, "too many loads of key {}", seat.1);
                let mine = flight.running.iter_mut().filter(|running| running.owner == Some(seat));
                mine.for_each(|running| running.owner = None);
                (flight.newest, flight.newest_by, waiting.led) = (now, Some(seat), true);
                Some(seat)
            }
        };
        flight.running.push(Running { load, owner });
        self.loads.insert(load, waiting.flight);
    }

    /// A load is about to answer.
    pub(crate) fn ended(&mut self, load: Id, ended: &Ended, now: Ms) {
        let number = self.loads.remove(&load).expect("it was begun");
        let flight = &mut self.flights[number];
        if flight.end.is_some() {
            return;
        }
        let key = flight.key;
        let at = flight.running.iter().position(|running| running.load == load).expect("it runs");
        let owner = flight.running.swap_remove(at).owner;
        let end = match *ended {
            Ended::Value(id, _) => End::Value(id),
            Ended::Failed => End::Failed(Some(load)),
            Ended::Panicked => End::Failed(None),
        };
        let is_last = flight.running.is_empty() && flight.unbegun.is_empty();
        if !matches!(end, End::Value(_)) && !is_last {
            let owner = owner.and_then(|owner| self.waiting.get_mut(&owner));
            owner.into_iter().for_each(|waiting| waiting.failure = Some(end));
            return;
        }
        flight.end = Some(end);
        if flight.attached {
            self.current.remove(&key);
            match *ended {
                Ended::Value(id, ttl) => {
                    self.failures.remove(&key);
                    if ttl.is_none_or(|ttl| ttl == 0) {
                        let held = self.held.remove(&key);
                        held.into_iter().for_each(|held| self.leaves(held, RemovalCause::Removed, now));
                    } else {
                        self.store(key, id, ttl, now);
                    }
                }
                _ if self.rules.error_ttl == 0 => {}
                Ended::Failed => drop(self.failures.insert(key, (Some(load), now + self.rules.error_ttl))),
                Ended::Panicked => drop(self.failures.insert(key, (None, now + self.rules.error_ttl))),
            }
        }
    }

    /// A load was dropped, while this caller was polled.
    pub(crate) fn dropped(&mut self, load: Id, polled: Option<usize>, now: Ms) {
        let Some(flight) = self.loads.remove(&load) else { return };
        if self.flights[flight].end.is_some() {
            return;
        }
        // Who loses patience, or hears that his own load has failed, leaves before he says so.
        let leaves = |seat: &Seat, waiting: &Waiting| {
            let patience = waiting.call.timeout.map(|(patience, _)| waiting.came.saturating_add(patience));
            let has_lost_it = patience.is_some_and(|end| end <= now);
            waiting.failure.is_some() || (has_lost_it && Some(seat.0) == polled)
        };
        let waits: Vec<_> = self.waiting.iter().filter(|(_, waiting)| waiting.flight == flight).collect();
        assert!(
            waits.iter().all(|(seat, waiting)| leaves(seat, waiting)),
            "load {load} of key {} was dropped at {now} by {polled:?} though somebody waits for it: {waits:?}",
            self.flights[flight].key
        );
        self.flights[flight].running.retain(|running| running.load != load);
    }

    /// The cache has forgotten all that it need not know any more.
    pub(crate) fn forget(&mut self, now: Ms) {
        let delay = self.rules.error_ttl;
        self.failures.retain(|_, (_, retry)| *retry + delay > now);
    }
}
