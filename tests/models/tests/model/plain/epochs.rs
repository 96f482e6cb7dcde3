//! What follows from a slow load: other callers begin one more, in the current epoch.
//!
//! A caller from before a write waits for what was in flight then. A load that such a caller begins after the write
//! belongs to the newer epoch as well: all callers find it, and it is stored. If a load that is young enough is in
//! flight there, or no more may begin, the caller waits for that one instead. (D11)

use larder::OnTimeout;

use super::{End, Flight, Id, Key, Ms, Plain, Running, Seat};

/// What a waiting caller does when it is polled, if no answer comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Waits,
    /// Begins a load beside those in flight.
    Begins,
    /// Moves on to the newer epoch, that of this flight.
    MovesTo(usize),
    /// Its lock timeout has passed, and it leaves.
    Leaves,
}

impl Plain {
    pub(super) fn next(&self, seat: Seat, now: Ms) -> Next {
        let waiting = &self.waiting[&seat];
        let flight = &self.flights[waiting.flight];
        // A load that begins now is in this flight, and in a new one if there is none.
        let newer = if flight.attached { None } else { self.in_flight(seat.1) };
        let found = if flight.attached { Some(waiting.flight) } else { newer };
        let is_full = found.is_some_and(|found| self.is_full(found));
        match waiting.impatience(now) {
            Some(OnTimeout::Load) if !is_full => return Next::Begins,
            Some(_) => return Next::Leaves,
            None => {}
        }
        // A caller does not take over from its own load.
        if !self.is_over_age(waiting.flight, now) || flight.newest_by == Some(seat) {
            return Next::Waits;
        }
        match newer {
            Some(newer) if is_full || !self.is_over_age(newer, now) => Next::MovesTo(newer),
            None if is_full => Next::Waits,
            _ => Next::Begins,
        }
    }

    /// The flight that callers of this key find, if a load is in flight there.
    fn in_flight(&self, key: Key) -> Option<usize> {
        self.current.get(&key).copied().filter(|flight| self.flights[*flight].live() > 0)
    }

    pub(super) fn is_over_age(&self, flight: usize, now: Ms) -> bool {
        self.rules.lock_age.is_some_and(|age| self.flights[flight].newest.saturating_add(age) <= now)
    }

    pub(super) fn is_full(&self, flight: usize) -> bool {
        self.flights[flight].live() >= self.rules.attempts
    }

    /// A new epoch of a key.
    pub(super) fn open(&mut self, key: Key) -> usize {
        self.flights.push(Flight { key, attached: true, ..Flight::default() });
        self.current.insert(key, self.flights.len() - 1);
        self.flights.len() - 1
    }

    /// A caller begins a load beside those in flight.
    pub(super) fn begin_further(&mut self, seat: Seat, load: Id, now: Ms) {
        assert_eq!(self.next(seat, now), Next::Begins, "{seat:?} begins one more load at {now}");
        self.assert_has_looked(seat);
        let own = self.waiting[&seat].flight;
        let newer = (!self.flights[own].attached).then(|| self.in_flight(seat.1).unwrap_or_else(|| self.open(seat.1)));
        let flights: Vec<_> = newer.into_iter().chain([own]).collect();
        for number in flights.iter().copied() {
            // In the newer epoch no caller waits for it as its own, so any may take over from it.
            let owner = Some(seat).filter(|_| number == own);
            let flight = &mut self.flights[number];
            flight.disown(seat);
            flight.running.push(Running { load, owner });
            (flight.newest, flight.newest_by) = (now, owner);
        }
        self.loads.insert(load, flights);
        let waiting = self.waiting.get_mut(&seat).expect("it waits for its load");
        (waiting.led, waiting.has_begun) = (true, true);
    }

    /// By now a caller that moves on in this poll has done so.
    pub(super) fn move_on(&mut self, seat: Seat, now: Ms) {
        let Next::MovesTo(newer) = self.next(seat, now) else { return };
        self.assert_has_looked(seat);
        let waiting = self.waiting.get_mut(&seat).expect("it waits");
        let older = core::mem::replace(&mut waiting.flight, newer);
        // Whatever it has begun, it has joined this one.
        waiting.led = false;
        self.flights[newer].members += 1;
        self.stand_up(seat, older);
    }

    /// The last waiter has left this flight. The flight has ended, unless one of its loads goes on for an older epoch.
    pub(super) fn desert(&mut self, number: usize) {
        let goes_on = |running: &Running| self.is_wanted(running.load);
        let is_kept = self.flights[number].attached && self.flights[number].running.iter().any(goes_on);
        let flight = &mut self.flights[number];
        flight.unbegun.clear();
        if !is_kept {
            flight.end = Some(End::Deserted);
            if flight.attached {
                self.current.remove(&flight.key);
            }
        }
    }

    /// Whether a caller waits for this load.
    pub(super) fn is_wanted(&self, load: Id) -> bool {
        let is_awaited = |flight: &Flight| flight.end.is_none() && flight.members > 0;
        self.loads[&load].iter().any(|flight| is_awaited(&self.flights[*flight]))
    }
}

impl Flight {
    /// How many loads may still return.
    pub(super) fn live(&self) -> usize {
        self.running.len() + self.unbegun.len()
    }

    /// This caller waits for no load of its own here.
    pub(super) fn disown(&mut self, seat: Seat) {
        let owners = self.running.iter_mut().map(|running| &mut running.owner).chain(&mut self.unbegun);
        owners.filter(|owner| **owner == Some(seat)).for_each(|owner| *owner = None);
    }
}
