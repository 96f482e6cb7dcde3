//! What a cache should be, in the plainest words: maps, deadlines and epochs.
//!
//! The model is told of each write, load and call before the cache is, and says what has to be seen then.

use std::collections::BTreeMap;

use larder::{OnTimeout, RemovalCause};

/// In milliseconds; `u64::MAX` is never.
pub(crate) type Ms = u64;
pub(crate) type Key = u32;
/// Each value and each load has a number of its own.
pub(crate) type Id = u32;
/// Why there is no value: the error of this load, or a panic.
pub(crate) type Why = Option<Id>;
/// A caller and the key that he waits for.
pub(crate) type Seat = (usize, Key);

/// What the cache was told to do.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    pub(crate) ttl: Option<Ms>,
    pub(crate) idle: Option<Ms>,
    pub(crate) stale: Option<Ms>,
    pub(crate) stale_if_error: Option<Ms>,
    pub(crate) error_ttl: Ms,
    pub(crate) lock_age: Option<Ms>,
    pub(crate) attempts: usize,
    /// Whether values leave to make room, which only the listener can tell.
    pub(crate) is_small: bool,
}

/// What one call asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) reload: bool,
    pub(crate) takes_stale: bool,
    pub(crate) timeout: Option<(Ms, OnTimeout)>,
}

/// What a caller sees who comes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sees {
    Hit(Id),
    Stale {
        id: Id,
        age: Ms,
        failed: Option<Why>,
        ticket: bool,
    },
    Cached(Why),
    Reentrant,
    /// He waits, and what he sees in the end is known then.
    Waits,
}

/// What a caller has seen in the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Saw {
    Value { id: Id, led: bool, expired: bool },
    Stale { id: Id, age: Ms, failed: Option<Why> },
    Failed(Why),
    LockTimeout,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) id: Id,
    pub(crate) deadline: Ms,
    /// Without regard to idle time.
    end: Ms,
    pub(crate) published: Ms,
}

#[derive(Default)]
struct Flight {
    key: Key,
    attached: bool,
    members: usize,
    /// Whose attempts have been claimed and not begun.
    unbegun: Vec<Option<Seat>>,
    running: Vec<Running>,
    newest: Ms,
    end: Option<End>,
}

struct Running {
    load: Id,
    owner: Option<Seat>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Value(Id),
    Failed(Why),
    Deserted,
}

#[derive(Debug)]
struct Waiting {
    flight: usize,
    call: Call,
    came: Ms,
    led: bool,
    found_expired: bool,
    failure: Option<End>,
    is_ticket: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) joined: u64,
    pub(crate) stale: u64,
    pub(crate) errors: u64,
    pub(crate) abandoned: u64,
    pub(crate) stored: u64,
}

#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) rules: Rules,
    pub(crate) held: BTreeMap<Key, Held>,
    failures: BTreeMap<Key, (Why, Ms)>,
    flights: Vec<Flight>,
    current: BTreeMap<Key, usize>,
    waiting: BTreeMap<Seat, Waiting>,
    loads: BTreeMap<Id, usize>,
    /// Values that have left, and have yet to be told of.
    left: BTreeMap<Id, RemovalCause>,
    pub(crate) counts: Counts,
}

impl Held {
    pub(crate) const fn is_fresh(&self, now: Ms) -> bool {
        self.deadline > now || self.deadline == Ms::MAX
    }

    fn stale_within(&self, now: Ms, limit: Option<Ms>) -> Option<Ms> {
        limit.filter(|limit| !self.is_fresh(now) && now - self.deadline <= *limit).map(|_| now - self.deadline)
    }
}

/// What became of a load.
pub(crate) enum Ended {
    Value(Id, Option<Ms>),
    Failed,
    Panicked,
}

impl Plain {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    // Writes.

    /// `ttl` is `None` for what is not to be stored, and for ever if it is the end of time.
    pub(crate) fn insert(&mut self, key: Key, id: Id, ttl: Option<Ms>, now: Ms) {
        if ttl.is_none_or(|ttl| ttl == 0) {
            self.remove(key, now);
            return;
        }
        self.failures.remove(&key);
        if let Some(flight) = self.current.remove(&key) {
            self.flights[flight].end = Some(End::Value(id));
        }
        self.store(key, id, ttl, now);
    }

    pub(crate) fn remove(&mut self, key: Key, now: Ms) -> Option<Id> {
        self.failures.remove(&key);
        self.void(key);
        let held = self.held.remove(&key)?;
        self.leaves(held, RemovalCause::Removed, now);
        held.is_fresh(now).then_some(held.id)
    }

    pub(crate) fn clear(&mut self, now: Ms) {
        let keys: Vec<_> = self.held.keys().copied().collect();
        keys.into_iter().for_each(|key| _ = self.remove(key, now));
        self.failures.clear();
        self.void_all();
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(Key) -> bool, now: Ms) {
        self.void_all();
        let refused: Vec<_> = self.held.iter().filter(|(key, held)| held.is_fresh(now) && !keep(**key)).collect();
        let refused: Vec<_> = refused.into_iter().map(|(key, held)| (*key, *held)).collect();
        for (key, held) in refused {
            self.held.remove(&key);
            self.leaves(held, RemovalCause::Removed, now);
        }
    }

    pub(crate) fn expire(&mut self, key: Key, now: Ms) -> bool {
        self.void(key);
        let Some(held) = self.held.get_mut(&key) else { return false };
        let was_fresh = held.is_fresh(now);
        held.deadline = held.deadline.min(now);
        held.end = held.end.min(held.deadline);
        was_fresh
    }

    /// What a direct read finds; it counts as a lookup.
    pub(crate) fn get(&mut self, key: Key, now: Ms) -> Option<Id> {
        let fresh = self.fresh(key, now);
        match fresh {
            Some(_) => self.counts.hits += 1,
            None if self.held.contains_key(&key) => self.counts.expired += 1,
            None => self.counts.misses += 1,
        }
        fresh
    }

    /// What an access finds that is no lookup.
    pub(crate) fn fresh(&mut self, key: Key, now: Ms) -> Option<Id> {
        let held = self.held.get_mut(&key).filter(|held| held.is_fresh(now))?;
        if let Some(idle) = self.rules.idle {
            // Only forward, also if the clock has jumped back.
            held.deadline = held.deadline.max(held.end.min(now.saturating_add(idle)));
        }
        Some(held.id)
    }

    fn store(&mut self, key: Key, id: Id, ttl: Option<Ms>, now: Ms) {
        if let Some(held) = self.held.remove(&key) {
            self.leaves(held, RemovalCause::Replaced, now);
        }
        if let Some(ttl) = ttl.filter(|ttl| *ttl > 0) {
            let end = now.saturating_add(ttl);
            let deadline = self.rules.idle.map_or(end, |idle| end.min(now.saturating_add(idle)));
            self.held.insert(key, Held { id, deadline, end, published: now });
            self.counts.stored += 1;
        }
    }

    fn leaves(&mut self, held: Held, cause: RemovalCause, now: Ms) {
        self.left.insert(held.id, if held.is_fresh(now) { cause } else { RemovalCause::Expired });
    }

    fn void(&mut self, key: Key) {
        if let Some(flight) = self.current.remove(&key) {
            self.flights[flight].attached = false;
        }
    }

    fn void_all(&mut self) {
        while let Some((key, _)) = self.current.first_key_value() {
            self.void(*key);
        }
    }

    // Events.

    /// A value has left, says the listener.
    pub(crate) fn event(&mut self, key: Key, id: Id, cause: RemovalCause, now: Ms) {
        if let Some(expected) = self.left.remove(&id) {
            // One call may make many leave; who hears of the first may replace another that has left as well.
            let left_before = self.rules.is_small && cause.is_automatic();
            assert!(cause == expected || left_before, "value {id} of key {key}: {cause} instead of {expected}");
            return;
        }
        let held = self.held.get(&key).filter(|held| held.id == id);
        let held = held.unwrap_or_else(|| panic!("value {id} of key {key} has left twice: {cause}"));
        match cause {
            RemovalCause::Expired => {
                let hold = self.rules.stale.max(self.rules.stale_if_error).unwrap_or(0);
                assert!(!held.is_fresh(now), "value {id} of key {key} has left too early");
                assert!(self.rules.is_small || now - held.deadline >= hold, "value {id} of key {key} was still of use");
            }
            RemovalCause::Evicted => assert!(self.rules.is_small, "there was room for value {id} of key {key}"),
            RemovalCause::Refused => {
                assert!(self.rules.is_small, "there was room for value {id} of key {key}");
                self.counts.stored -= 1;
            }
            _ => panic!("nobody has replaced or removed value {id} of key {key}"),
        }
        self.held.remove(&key);
    }

    // Callers.

    /// A caller comes; `inside` is the load that is being polled, if he comes from inside it.
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
        let is_inside = inside.and_then(|load| self.loads.get(&load)).copied();
        if current.is_some() && current == is_inside {
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
        let waiting = Waiting { led, ..Waiting::new(flight, call, now, found_expired) };
        assert!(self.waiting.insert(seat, waiting).is_none());
        Sees::Waits
    }

    fn may_begin(&self, flight: usize, now: Ms) -> bool {
        let flight = &self.flights[flight];
        let live = flight.running.len() + flight.unbegun.len();
        let is_over_age = self.rules.lock_age.is_some_and(|age| flight.newest.saturating_add(age) <= now);
        live == 0 || (is_over_age && live < self.rules.attempts)
    }

    fn claim(&mut self, key: Key, current: Option<usize>, seat: Seat, now: Ms) -> usize {
        let flight = current.unwrap_or_else(|| {
            self.flights.push(Flight { key, attached: true, ..Flight::default() });
            self.current.insert(key, self.flights.len() - 1);
            self.flights.len() - 1
        });
        let claimed = &mut self.flights[flight];
        claimed.members += 1;
        claimed.newest = now;
        claimed.unbegun.push(Some(seat));
        flight
    }

    /// A caller has come to an end.
    ///
    /// One who asked for many keys may have been told of this one `earlier`.
    pub(crate) fn end(&mut self, seat: Seat, saw: &Saw, earlier: bool, now: Ms) {
        let waiting = self.waiting.remove(&seat).expect("he has waited");
        let end = self.flights[waiting.flight].end.or(waiting.failure);
        let held = self.held.get(&seat.1).copied();
        let stale = |limit| held.and_then(|held| held.stale_within(now, limit).map(|age| (held.id, age)));
        let softened = || stale(self.rules.stale_if_error.filter(|_| !waiting.call.reload));
        let expected = match end {
            Some(End::Value(id)) => Saw::Value { id, led: waiting.led, expired: waiting.led && waiting.found_expired },
            Some(End::Failed(failed)) => match softened() {
                Some((id, age)) => Saw::Stale { id, age, failed: Some(failed) },
                None => Saw::Failed(failed),
            },
            Some(End::Deserted) => panic!("{seat:?} was counted as gone"),
            None => {
                let (patience, then) = waiting.call.timeout.expect("nothing has ended his wait");
                assert!(waiting.came.saturating_add(patience) <= now, "{seat:?} lost patience too early");
                match (then, stale(self.rules.stale)) {
                    (OnTimeout::Stale, Some((id, age))) => Saw::Stale { id, age, failed: None },
                    _ => Saw::LockTimeout,
                }
            }
        };
        let is_right = match (saw, end) {
            // What was told under the lock may be overtaken by what is done after it, within the same poll.
            (Saw::Failed(why), Some(End::Value(_))) if matches!(waiting.failure, Some(End::Failed(own)) if own == *why) => {
                true
            }
            (Saw::Stale { failed, .. }, Some(End::Failed(why))) if earlier => *failed == Some(why),
            (Saw::Failed(failed), Some(End::Failed(why))) if earlier => *failed == why,
            (Saw::Value { id, led, .. }, Some(End::Value(right))) if earlier => (*id, *led) == (right, waiting.led),
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

    /// A caller, or who held a ticket, is gone, whether he waited or not.
    pub(crate) fn leave(&mut self, seat: Seat) {
        if let Some(waiting) = self.waiting.remove(&seat) {
            self.counts.abandoned += u64::from(!waiting.is_ticket);
            self.stand_up(seat, waiting.flight);
        }
    }

    fn stand_up(&mut self, seat: Seat, number: usize) {
        let flight = &mut self.flights[number];
        flight.members -= 1;
        flight
            .running
            .iter_mut()
            .filter(|running| running.owner == Some(seat))
            .for_each(|running| running.owner = None);
        flight.unbegun.iter_mut().filter(|owner| **owner == Some(seat)).for_each(|owner| *owner = None);
        if flight.members == 0 && flight.end.is_none() {
            flight.end = Some(End::Deserted);
            if flight.attached {
                self.current.remove(&flight.key);
            }
        }
    }

    // Loads.

    /// The loader was called while `seat` was polled.
    pub(crate) fn begun(&mut self, seat: Seat, load: Id, now: Ms) {
        let waiting = self.waiting.get_mut(&seat).unwrap_or_else(|| panic!("{seat:?} loads without a seat"));
        let flight = &mut self.flights[waiting.flight];
        assert!(flight.end.is_none(), "a load of key {} that nobody can want", seat.1);
        let owner = match flight.unbegun.is_empty() {
            false => flight.unbegun.remove(0),
            true => {
                let over_age = self.rules.lock_age.is_some_and(|age| flight.newest.saturating_add(age) <= now);
                let impatient = waiting.call.timeout.is_some_and(|(patience, then)| {
                    then == OnTimeout::Load && waiting.came.saturating_add(patience) <= now
                });
                assert!(over_age || impatient, "a second load of key {} at {now}", seat.1);
                assert!(flight.running.len() < self.rules.attempts, "too many loads of key {}", seat.1);
                let mine = flight.running.iter_mut().filter(|running| running.owner == Some(seat));
                mine.for_each(|running| running.owner = None);
                (flight.newest, waiting.led) = (now, true);
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

    /// What holds whenever nothing is under way.
    pub(crate) fn check(&self) {
        assert_eq!(self.left.len(), 0, "values have left without an event: {:?}", self.left);
    }

    pub(crate) fn seats(&self) -> usize {
        self.waiting.len()
    }
}

impl Waiting {
    const fn new(flight: usize, call: Call, came: Ms, found_expired: bool) -> Self {
        Self { flight, call, came, led: false, found_expired, failure: None, is_ticket: false }
    }
}

impl Counts {
    /// Lookups that have ended in any way.
    pub(crate) const fn lookups(&self) -> u64 {
        self.hits + self.misses + self.expired + self.joined + self.stale + self.errors + self.abandoned
    }
}
