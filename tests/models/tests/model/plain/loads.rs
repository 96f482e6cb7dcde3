//! Loads begin, end and are dropped.

use larder::RemovalCause;

use super::{End, Ended, Id, Ms, Plain, Running, Seat, epochs::Next};

impl Plain {
    /// The loader was called while `seat` was polled.
    pub(crate) fn begun(&mut self, seat: Seat, load: Id, now: Ms) {
        let Some(waiting) = self.waiting.get(&seat) else {
            // A stale call polls the refresh that another caller has claimed. (D57)
            let refresh = self.current.get(&seat.1).copied();
            let claimed = refresh.and_then(|refresh| Some((refresh, self.claimed(refresh, seat)?)));
            let (refresh, claimed) = claimed.unwrap_or_else(|| panic!("{seat:?} loads without a seat"));
            self.begin_claimed(refresh, claimed, load);
            return;
        };
        let number = waiting.flight;
        if self.flights[number].end.is_some() {
            // A write from inside a callback came between its claim and this, within one poll: the load serves no
            // caller.
            self.loads.insert(load, vec![number]);
            return;
        }
        if self.claimed(number, seat).is_none() {
            // (It may have been claimed in the newer epoch.)
            self.move_on(seat, now);
        }
        let number = self.waiting[&seat].flight;
        match self.claimed(number, seat) {
            Some(claimed) => self.begin_claimed(number, claimed, load),
            None => self.begin_further(seat, load, now),
        }
    }

    /// The claimed load that this caller begins when polled: its own, or else one that is left to the first caller that
    /// comes.
    fn claimed(&self, number: usize, seat: Seat) -> Option<usize> {
        let is_a_ticket = |seat: &Seat| self.waiting.get(seat).is_some_and(|waiting| waiting.is_ticket);
        let unbegun = &self.flights[number].unbegun;
        let own = unbegun.iter().position(|owner| *owner == Some(seat) && !is_a_ticket(&seat));
        own.or_else(|| unbegun.iter().position(|owner| owner.as_ref().is_none_or(is_a_ticket)))
    }

    fn begin_claimed(&mut self, number: usize, claimed: usize, load: Id) {
        let owner = self.flights[number].unbegun.remove(claimed);
        self.flights[number].running.push(Running { load, owner });
        self.loads.insert(load, vec![number]);
    }

    /// A load is about to end.
    pub(crate) fn ended(&mut self, load: Id, ended: &Ended, now: Ms) {
        let flights = self.loads.remove(&load).expect("it was begun");
        flights.into_iter().for_each(|number| self.answered(number, load, ended, now));
    }

    /// This flight gets the result of a load.
    fn answered(&mut self, number: usize, load: Id, ended: &Ended, now: Ms) {
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
        let is_last = flight.live() == 0;
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

    /// A load was dropped while this caller was polled.
    pub(crate) fn dropped(&mut self, load: Id, polled: Option<usize>, now: Ms) {
        let Some(flights) = self.loads.get(&load).cloned() else { return };
        for number in flights.iter().copied() {
            if self.flights[number].end.is_none() {
                self.goes(number, load, polled, now);
            }
        }
        self.loads.remove(&load);
        for number in flights {
            let flight = &mut self.flights[number];
            flight.running.retain(|running| running.load != load);
            if flight.members == 0 && flight.running.is_empty() && flight.end.is_none() {
                self.desert(number);
            }
        }
    }

    /// A load of this flight was dropped: no caller waits for it.
    fn goes(&mut self, number: usize, load: Id, polled: Option<usize>, now: Ms) {
        let seats = self.waiting.iter().filter(|(_, waiting)| waiting.flight == number).map(|(seat, _)| *seat);
        for seat in seats.collect::<Vec<_>>() {
            let is_polled = Some(seat.0) == polled;
            match self.next(seat, now) {
                // A caller whose own load has failed, or whose lock timeout has passed, leaves before it reports this.
                _ if self.waiting[&seat].failure.is_some() || self.waiting[&seat].has_left => {}
                Next::Leaves if is_polled => {
                    self.assert_has_looked(seat);
                    self.waiting.entry(seat).and_modify(|waiting| waiting.has_left = true);
                }
                Next::MovesTo(_) if is_polled => self.move_on(seat, now),
                next => panic!(
                    "load {load} of key {} was dropped at {now} by {polled:?} though {seat:?} waits for it: {next:?}",
                    seat.1
                ),
            }
        }
    }

    /// The cache has forgotten everything that it need not know any more.
    pub(crate) fn forget(&mut self, now: Ms) {
        let delay = self.rules.error_ttl;
        self.failures.retain(|_, (_, retry)| *retry + delay > now);
    }
}
