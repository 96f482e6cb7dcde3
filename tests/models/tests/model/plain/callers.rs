//! Callers ask, wait and leave.

use larder::OnTimeout;

use super::{Call, End, Id, Key, Ms, Plain, Saw, Seat, Sees, Waiting, epochs::Next};

impl Plain {
    /// A caller asks; `inside` is the load that is being polled, if it asks from inside it.
    pub(crate) fn arrive(&mut self, seat: Seat, call: Call, inside: Option<Id>, now: Ms) -> Sees {
        let key = seat.1;
        let held = self.held.get(&key).copied();
        if !call.reload {
            if let Some(id) = self.fresh(key, now) {
                self.counts.hits += 1;
                return Sees::Hit(id);
            }
        }
        let failure = self.failures.get(&key).copied().filter(|(_, retry)| *retry > now && !call.reload);
        let failed = failure.map(|(why, _)| why);
        let current = self.current.get(&key).copied();
        let stale = |limit| held.and_then(|held| held.stale_within(now, limit).map(|age| (held.id, age)));
        if let Some((id, age)) = stale(self.rules.stale.filter(|_| call.takes_stale)) {
            let ticket = failed.is_none() && current.is_none_or(|flight| self.may_begin(flight, now));
            if ticket {
                let flight = self.claim(key, current, seat, now);
                let ticket = Waiting::new(flight, call, now, true);
                self.waiting.insert(seat, Waiting { is_ticket: true, ..ticket });
            }
            self.counts.stale += 1;
            return Sees::Stale { id, age, failed, ticket };
        }
        if let Some(failed) = failed {
            return match stale(self.rules.stale_if_error) {
                Some((id, age)) => {
                    self.counts.stale += 1;
                    Sees::Stale { id, age, failed: Some(failed), ticket: false }
                }
                None => {
                    self.counts.errors += 1;
                    Sees::Cached(failed)
                }
            };
        }
        let is_inside = |flight: usize| inside.is_some_and(|load| self.loads[&load].contains(&flight));
        if current.is_some_and(is_inside) {
            return match stale(self.rules.stale) {
                Some((id, age)) => {
                    self.counts.stale += 1;
                    Sees::Stale { id, age, failed: None, ticket: false }
                }
                None => {
                    self.counts.errors += 1;
                    Sees::Reentrant
                }
            };
        }
        let found_expired = held.is_some() && !call.reload;
        let led = current.is_none_or(|flight| self.may_begin(flight, now));
        let flight = match current {
            Some(flight) if !led => {
                self.flights[flight].members += 1;
                flight
            }
            _ => self.claim(key, current, seat, now),
        };
        let waiting = Waiting { led, has_begun: led, ..Waiting::new(flight, call, now, found_expired) };
        assert!(self.waiting.insert(seat, waiting).is_none());
        Sees::Waits
    }

    fn may_begin(&self, flight: usize, now: Ms) -> bool {
        self.flights[flight].live() == 0 || (self.is_over_age(flight, now) && !self.is_full(flight))
    }

    fn claim(&mut self, key: Key, current: Option<usize>, seat: Seat, now: Ms) -> usize {
        let flight = current.unwrap_or_else(|| self.open(key));
        let claimed = &mut self.flights[flight];
        claimed.members += 1;
        (claimed.newest, claimed.newest_by) = (now, Some(seat));
        claimed.unbegun.push(Some(seat));
        flight
    }

    /// A caller has ended.
    ///
    /// A caller of many keys may have got this one's result `earlier`.
    pub(crate) fn end(&mut self, seat: Seat, saw: &Saw, earlier: bool, now: Ms) {
        if !self.is_told(seat) && !self.waiting[&seat].has_left {
            assert_eq!(self.next(seat, now), Next::Leaves, "nothing has ended the wait of {seat:?} at {now}");
            self.assert_has_looked(seat);
        }
        let waiting = self.waiting.remove(&seat).expect("it has waited");
        let end = self.flights[waiting.flight].end.or(waiting.failure);
        let held = self.held.get(&seat.1).copied();
        let stale = |limit| held.and_then(|held| held.stale_within(now, limit).map(|age| (held.id, age)));
        let softens = self.rules.stale_if_error.filter(|_| !waiting.call.reload);
        let fresh = held.filter(|held| held.is_fresh(now)).map(|held| held.id);
        // A fresh value came meanwhile, after a write.
        let softened = || fresh.filter(|_| softens.is_some());
        let expected = match end {
            Some(End::Value(id)) => Saw::Value { id, led: waiting.led, expired: waiting.led && waiting.found_expired },
            Some(End::Failed(failed)) => match (softened(), stale(softens)) {
                (Some(id), _) => Saw::Value { id, led: false, expired: false },
                (None, Some((id, age))) => Saw::Stale { id, age, failed: Some(failed) },
                (None, None) => Saw::Failed(failed),
            },
            Some(End::Deserted) => panic!("{seat:?} was counted as gone"),
            None => {
                let (_, then) = waiting.call.timeout.expect("nothing has ended the wait");
                match (then, fresh, stale(self.rules.stale)) {
                    // A value that came meanwhile, after a write. (D23)
                    (OnTimeout::Stale, Some(id), _) => Saw::Value { id, led: false, expired: false },
                    (OnTimeout::Stale, None, Some((id, age))) => Saw::Stale { id, age, failed: None },
                    _ => Saw::LockTimeout,
                }
            }
        };
        let own = waiting.failure.and_then(|failure| if let End::Failed(why) = failure { Some(why) } else { None });
        let is_over = self.flights[waiting.flight].end.is_some();
        let is_right = match (saw, end) {
            // A result given under the lock may be outdated by what happens after it, within the same poll.
            (Saw::Failed(why), Some(_)) if own == Some(*why) => true,
            (Saw::Stale { failed, .. }, Some(_)) if own.is_some() && own == *failed && is_over => true,
            (Saw::Stale { failed, .. }, Some(End::Failed(why))) if earlier => *failed == Some(why),
            (Saw::Failed(failed), Some(End::Failed(why))) if earlier => *failed == why,
            (Saw::Value { id, led, .. }, Some(End::Value(right))) if earlier => (*id, *led) == (right, waiting.led),
            // (A fresh value that softened the failure may have left since.)
            (Saw::Value { led: false, .. }, Some(End::Failed(_))) if earlier => softens.is_some(),
            (Saw::Value { id, led: false, .. }, Some(End::Value(right))) if waiting.has_perhaps_moved => *id == right,
            _ => *saw == expected,
        };
        assert!(is_right, "{seat:?} at {now}: {saw:?} instead of {expected:?}");
        match saw {
            Saw::Value { led: false, .. } => self.counts.joined += 1,
            Saw::Value { expired: true, .. } => self.counts.expired += 1,
            Saw::Value { .. } => self.counts.misses += 1,
            Saw::Stale { .. } => self.counts.stale += 1,
            _ => self.counts.errors += 1,
        }
        self.stand_up(seat, waiting.flight);
    }

    /// A caller or the holder of a ticket has left, waiting or not.
    pub(crate) fn leave(&mut self, seat: Seat) {
        if let Some(waiting) = self.waiting.remove(&seat) {
            self.counts.abandoned += u64::from(!waiting.is_ticket);
            self.stand_up(seat, waiting.flight);
        }
    }

    pub(super) fn stand_up(&mut self, seat: Seat, number: usize) {
        let flight = &mut self.flights[number];
        flight.members -= 1;
        flight.disown(seat);
        if flight.members == 0 && flight.end.is_none() {
            self.desert(number);
        }
    }
}
