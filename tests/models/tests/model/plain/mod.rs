//! What a cache should be, in the simplest form: maps, deadlines and epochs.
//!
//! The model is told of each write, load and call before the cache is, and predicts what is seen then.

mod callers;
mod epochs;
mod loads;
mod polls;
mod waiting;

use std::collections::BTreeMap;

use larder::{OnTimeout, RemovalCause};

use self::waiting::Waiting;

/// In milliseconds; `u64::MAX` is never.
pub(crate) type Ms = u64;
pub(crate) type Key = u32;
/// Each value and each load has its own number.
pub(crate) type Id = u32;
/// Why there is no value: the error of this load, or a panic.
pub(crate) type Why = Option<Id>;
/// A caller and the key that it waits for.
pub(crate) type Seat = (usize, Key);

/// The settings of the cache.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// The number of keys.
    pub(crate) keys: u64,
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

/// The options of one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) reload: bool,
    pub(crate) takes_stale: bool,
    pub(crate) timeout: Option<(Ms, OnTimeout)>,
}

/// What a caller sees when it asks.
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
    /// It waits, and its result is known then.
    Waits,
}

/// The result of a caller.
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
    /// Without the time to idle.
    end: Ms,
    pub(crate) published: Ms,
}

#[derive(Default)]
struct Flight {
    key: Key,
    attached: bool,
    members: usize,
    /// Callers whose attempts are claimed and not begun.
    unbegun: Vec<Option<Seat>>,
    running: Vec<Running>,
    newest: Ms,
    /// The caller that began the newest attempt.
    newest_by: Option<Seat>,
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
    /// The flights that each load serves: one, or two, of which the newer comes first.
    loads: BTreeMap<Id, Vec<usize>>,
    /// Values that have left, and that the listener has yet to be told of.
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

/// How a load ended.
pub(crate) enum Ended {
    Value(Id, Option<Ms>),
    Failed,
    Panicked,
}

impl Plain {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// `ttl` is `None` for a value that is not to be stored; the end of time means for ever.
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

    /// Returns how many fresh values left.
    pub(crate) fn remove_if(&mut self, is_such: impl Fn(Key) -> bool, now: Ms) -> usize {
        let keys = (0..self.rules.keys as Key).filter(|key| is_such(*key));
        keys.filter(|key| self.remove(*key, now).is_some()).count()
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

    /// What an access finds that is not a lookup.
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
            let was_full = self.is_full(flight);
            self.flights[flight].attached = false;
            let waiting = self.waiting.values_mut().filter(|waiting| waiting.flight == flight);
            waiting.for_each(|waiting| waiting.is_overlooked |= was_full);
        }
    }

    fn void_all(&mut self) {
        while let Some((key, _)) = self.current.first_key_value() {
            self.void(*key);
        }
    }

    /// The listener is told that a value has left.
    pub(crate) fn event(&mut self, key: Key, id: Id, cause: RemovalCause, now: Ms) {
        if let Some(expected) = self.left.remove(&id) {
            // One call may make many values leave; the listener told of the first may replace another of them.
            let left_before = self.rules.is_small && cause.is_automatic();
            assert!(cause == expected || left_before, "value {id} of key {key}: {cause} instead of {expected}");
            return;
        }
        let held = self.held.get(&key).filter(|held| held.id == id);
        let held = held.unwrap_or_else(|| panic!("value {id} of key {key} has left twice: {cause}"));
        match cause {
            RemovalCause::Expired => {
                let hold = self.rules.stale.max(self.rules.stale_if_error);
                assert!(!held.is_fresh(now), "value {id} of key {key} has left too early");
                let is_of_use = hold.is_some_and(|hold| now - held.deadline <= hold);
                assert!(self.rules.is_small || !is_of_use, "value {id} of key {key} was still of use");
            }
            RemovalCause::Evicted => assert!(self.rules.is_small, "there was room for value {id} of key {key}"),
            RemovalCause::Refused => {
                assert!(self.rules.is_small, "there was room for value {id} of key {key}");
                self.counts.stored -= 1;
            }
            _ => panic!("no call has replaced or removed value {id} of key {key}"),
        }
        self.held.remove(&key);
    }

    /// What holds whenever nothing is under way.
    pub(crate) fn check(&self) {
        assert_eq!(self.left.len(), 0, "values have left without an event: {:?}", self.left);
        let unwanted = self.loads.keys().find(|load| !self.is_wanted(**load));
        assert_eq!(unwanted, None, "no caller waits for this load");
    }

    pub(crate) fn seats(&self) -> usize {
        self.waiting.len()
    }
}

impl Counts {
    /// Lookups that have ended in any way.
    pub(crate) const fn lookups(&self) -> u64 {
        self.hits + self.misses + self.expired + self.joined + self.stale + self.errors + self.abandoned
    }
}
