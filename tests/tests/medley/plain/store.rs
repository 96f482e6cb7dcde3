//! What is held: stored, renewed, written to, and removed.

use larder::{Generation, Outcome, RemovalCause, Status, TimeLeft, Ttl};
use larder_tests::*;

use super::{Delivery, Failed, Held, Id, Key, Ns, Plain, Why, end_of, weight_of};

/// A value that is to be stored.
#[derive(Clone, Copy)]
pub(super) struct New {
    pub(super) id: Id,
    pub(super) ttl: Ttl,
    pub(super) call_ttl: Ttl,
    pub(super) weight: Option<u64>,
    /// The generation that it had before, and when that was published.
    pub(super) former: Option<(Generation, Ns)>,
}

impl Plain {
    pub(super) fn set(&mut self, key: Key, held: Option<Held>) {
        let seq = self.tick();
        let spot = self.spot(key);
        spot.held = held;
        spot.past.push((seq, held));
        self.unseen.push(key);
    }

    fn leaves(&mut self, key: Key, cause: RemovalCause, now: Ns) {
        let Some(held) = self.spot(key).held else { return };
        let cause = if held.is_fresh(now) { cause } else { RemovalCause::Expired };
        // A slot has no listener.
        if !self.rules.is_slot {
            self.spot(key).left.push((held.id, cause));
        }
        self.set(key, None);
    }

    fn by_value(&self, id: Id) -> Ttl {
        if self.rules.ends { end_of(id) } else { Ttl::Inherit }
    }

    /// A value is published; returns how long it is fresh, at least and at most.
    pub(super) fn publish(&mut self, key: Key, new: New, now: Ns) -> (Ns, Ns) {
        let by_value = self.by_value(new.id);
        let held = self.spot(key).held;
        if self.rules.is_over(new.ttl, new.call_ttl, by_value) {
            self.record(key, Why::AlreadyExpired, true, now);
            // A value that came expired does not replace one that is still good.
            if new.former.is_none() && held.is_some_and(|held| held.is_fresh(now)) {
                return (0, 0);
            }
        } else {
            self.forgives(key);
        }
        let Some(end) = self.rules.end(new.ttl, new.call_ttl, by_value, now) else {
            self.leaves(key, RemovalCause::Removed, now);
            return (0, 0);
        };
        // The same value stays, and begins a new life. (D95)
        let is_same = held.zip(new.former).is_some_and(|(held, former)| held.generation == Some(former.0));
        if !is_same {
            self.leaves(key, RemovalCause::Replaced, now);
        }
        let held = self.make(new, end, now);
        let left = if held.deadline == Ns::MAX { Ns::MAX } else { held.deadline - now };
        // Jitter makes no life longer, and none zero. (D54)
        let least = if held.is_vague { (left as f64 * (1.0 - self.rules.jitter.unwrap_or(0.0))) as Ns } else { left };
        self.set(key, Some(held));
        (least.saturating_sub(1), left)
    }

    /// Makes a value that was stored, or may have been.
    pub(super) fn make(&mut self, new: New, end: Ns, now: Ns) -> Held {
        let weight = new.weight.or_else(|| self.rules.weighs.then(|| weight_of(new.id))).unwrap_or(1).max(1);
        // An unchanged value keeps its weight.
        let weight = if new.former.is_some() { self.weights[&new.id] } else { weight };
        self.weights.insert(new.id, weight);
        Held {
            id: new.id,
            published: new.former.map_or(now, |former| former.1),
            since: now,
            end,
            deadline: self.rules.idle.map_or(end, |idle| end.min(now.saturating_add(idle))),
            weight,
            generation: new.former.map(|former| former.0),
            is_vague: self.rules.jitter.is_some() && end != Ns::MAX && end > now,
        }
    }

    /// A failure is kept, if any are. (D30, D31)
    pub(super) fn record(&mut self, key: Key, why: Why, waits: bool, now: Ns) {
        if self.rules.error_ttl == 0 && !self.rules.is_slot {
            return;
        }
        let last = self.spot(key).failed.filter(|failed| failed.due > now || failed.due == Ns::MAX);
        let delay = last.map_or(self.rules.error_ttl, |last| self.rules.longer(last.delay));
        let count = if why == Why::AlreadyExpired { 0 } else { last.map_or(0, |last| last.count) + 1 };
        let retry_at = now.saturating_add(delay);
        let due = if self.rules.is_slot { Ns::MAX } else { retry_at.saturating_add(delay) };
        self.spot(key).failed = Some(Failed { why, count, delay, retry_at, due, waits });
    }

    /// How many failures a slot reports, and when it is to be refreshed, if that is known.
    pub(crate) fn outlook(&self, key: Key) -> Option<(u32, Ns)> {
        let spot = self.spots.get(&key);
        let failed = spot.and_then(|spot| spot.failed);
        let due =
            spot.and_then(|spot| spot.held).map_or(0, |held| self.rules.due(&held).map_or(held.deadline, |due| due.1));
        let retry_at = failed.map_or(0, |failed| failed.retry_at);
        self.knows_failures(key).then(|| (failed.map_or(0, |failed| failed.count), due.max(retry_at)))
    }

    /// A value is inserted, and ends all waits. (D39) Returns whether it stays if there is room: a value that comes
    /// expired is stored, and may have left when the call returns.
    pub(crate) fn insert(&mut self, key: Key, id: Id, ttl: Ttl, weight: Option<u64>, now: Ns) -> Option<bool> {
        if self.rules.end(ttl, Ttl::Inherit, self.by_value(id), now).is_none() {
            self.remove(key, now);
            return None;
        }
        let (round, seq) = (self.spot(key).round, self.tick());
        self.spot(key).writes += 1;
        self.forgives(key);
        // A value that is set in a slot by hand and comes expired is no failure.
        let end = self.rules.end(ttl, Ttl::Inherit, self.by_value(id), now).expect("it is stored");
        self.leaves(key, RemovalCause::Replaced, now);
        let new = New { id, ttl, call_ttl: Ttl::Inherit, weight, former: None };
        let held = self.make(new, end, now);
        let left = if held.deadline == Ns::MAX { Ns::MAX } else { held.deadline - now };
        let least = if held.is_vague { (left as f64 * (1.0 - self.rules.jitter.unwrap_or(0.0))) as Ns } else { left };
        self.set(key, Some(held));
        let delivery = Delivery {
            id,
            seq,
            at: now,
            age: 0,
            left: (least.saturating_sub(1), left),
            round,
            owner: None,
            is_alone: false,
        };
        self.spot(key).deliveries.push(delivery);
        self.settle(key, round);
        Some(held.is_fresh(now))
    }

    /// Whether this value was the last one to be refused.
    pub(crate) fn is_refused(&self, id: Id) -> bool {
        self.refused == Some(id)
    }

    pub(crate) fn remove(&mut self, key: Key, now: Ns) {
        self.void(key);
        self.forgives(key);
        self.leaves(key, RemovalCause::Removed, now);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(Key) -> bool, keys: u32, now: Ns) {
        for key in 0..keys {
            self.void(key);
            if self.spot(key).held.is_some_and(|held| held.is_fresh(now)) && !keep(key) {
                self.leaves(key, RemovalCause::Removed, now);
            }
        }
    }

    pub(crate) fn expire(&mut self, key: Key, now: Ns) -> bool {
        self.void(key);
        let Some(held) = self.spot(key).held else { return false };
        let deadline = held.deadline.min(now);
        self.set(key, Some(Held { since: now, end: deadline, deadline, ..held }));
        held.is_fresh(now)
    }

    /// A write: loads in flight are only for callers that wait for them now. (D40, D42)
    fn void(&mut self, key: Key) {
        self.tick();
        let spot = self.spot(key);
        (spot.round, spot.writes) = (spot.round + 1, spot.writes + 1);
    }

    /// Returns what a call that is no lookup finds, which that call prolongs. (D53)
    pub(crate) fn uses(&mut self, key: Key, now: Ns) -> Option<Id> {
        let held = self.spot(key).held.filter(|held| held.is_fresh(now))?;
        if let Some(idle) = self.rules.idle {
            let deadline = held.deadline.max(held.end.min(now.saturating_add(idle)));
            if deadline != held.deadline {
                self.set(key, Some(Held { deadline, ..held }));
            }
        }
        Some(held.id)
    }

    pub(crate) fn held(&self, key: Key) -> Option<Held> {
        self.spots.get(&key).and_then(|spot| spot.held)
    }

    /// What was swept does not come back if the clock jumps back.
    pub(crate) fn forget(&mut self, now: Ns) {
        self.spots.values_mut().for_each(|spot| _ = spot.failed.take_if(|failed| failed.due <= now));
    }

    /// The listener reports that a value has left.
    pub(crate) fn event(&mut self, key: Key, id: Id, cause: RemovalCause, now: Ns) {
        let (has_room, hold) = (self.rules.has_room, self.rules.hold);
        if cause == RemovalCause::Refused {
            self.refused = Some(id);
        }
        let spot = self.spot(key);
        if let Some(nth) = spot.left.iter().position(|(left, _)| *left == id) {
            let (_, expected) = spot.left.remove(nth);
            // A load that publishes several answers may have made room by removing what a later answer would replace.
            let made_room = !has_room && cause.is_automatic();
            assert!(cause == expected || made_room, "value {id} of key {key}: {cause} instead of {expected}");
            return;
        }
        if let Some(nth) = spot.maybe.iter().position(|held| held.id == id) {
            let is_over = cause == RemovalCause::Expired;
            assert!(!has_room || is_over, "value {id} of key {key} has left at once: {cause}");
            spot.maybe.remove(nth);
            return;
        }
        let has_come = spot.may_change || !spot.maybe.is_empty();
        let held = spot.held.filter(|held| held.id == id);
        let held = held.unwrap_or_else(|| panic!("value {id} of key {key} has left twice: {cause}"));
        match cause {
            RemovalCause::Expired => {
                assert!(!held.is_fresh(now), "value {id} of key {key} has left too early");
                let is_of_use = held.stale_within(now, hold).is_some();
                assert!(!has_room || has_come || !is_of_use, "value {id} of key {key} was still of use");
            }
            RemovalCause::Evicted => assert!(!has_room, "there was room for value {id} of key {key}"),
            RemovalCause::Refused => assert!(!has_room, "there was room for value {id} of key {key}"),
            RemovalCause::Replaced | RemovalCause::Removed if has_come => {}
            _ => panic!("no call has replaced or removed value {id} of key {key}: {cause}"),
        }
        self.set(key, None);
    }

    /// The weight of all values, plus one for each kept failure, at least and at most. (P12, D30)
    pub(crate) fn weight(&self, now: Ns) -> (u64, u64) {
        let held = self.spots.values().filter_map(|spot| spot.held).map(|held| held.weight).sum::<u64>();
        let stand = |spot: &&super::Spot| !spot.may_have_failed && spot.failed.is_some_and(|failed| failed.due > now);
        let least = if self.rules.knows_failures() { self.spots.values().filter(stand).count() as u64 } else { 0 };
        (held + least, held + self.spots.len() as u64)
    }

    /// Takes the keys whose values have changed since the last look.
    pub(crate) fn unseen(&mut self) -> Vec<Key> {
        core::mem::take(&mut self.unseen)
    }

    /// Learns from a look at a key what could not be known before: generations, and the effect of jitter.
    pub(crate) fn observe(&mut self, key: Key, seen: Option<&Outcome<V, Boom>>, now: Ns) {
        self.spot(key).may_change = false;
        let maybe = core::mem::take(&mut self.spot(key).maybe);
        let may_be_gone = core::mem::take(&mut self.spot(key).may_be_gone);
        let Some(seen) = seen else {
            if may_be_gone && self.held(key).is_some() {
                self.set(key, None);
            }
            return;
        };
        let id = **seen.value();
        // A value that may have been prolonged was not, if it looks unchanged.
        let is_as_before = self.held(key).is_some_and(|held| self.may_be(key, &held, seen, now));
        let news: Vec<_> = maybe.into_iter().filter(|new| new.id == id && !is_as_before).collect();
        if let Some(new) = news.iter().find(|new| self.may_be(key, new, seen, now)).or_else(|| news.first()) {
            self.set(key, Some(*new));
        }
        let may_be_used = core::mem::take(&mut self.spot(key).may_be_used);
        let Some(mut held) = self.spot(key).held.filter(|held| held.id == id) else { return };
        if may_be_used && ns_of(seen) != self.told_of(&held, now).2 {
            self.uses(key, now);
            held = self.held(key).expect("it is held");
        }
        if held.is_vague {
            held.is_vague = false;
            held.end = match (seen.status(), seen.time_left()) {
                (Status::Hit, TimeLeft::For(left)) => now.max(held.since) + super::ns(left),
                (status, left) => panic!("key {key} has {status} and {left:?}"),
            };
            let (length, whole) = (held.end - held.since, held.deadline - held.since);
            assert!(length > 0 && length <= whole, "jitter makes {length} of {whole}");
            // The jitter is the same each time. (D54)
            let before = *self.jitters.entry((key, whole)).or_insert(length);
            assert_eq!(before, length, "another jitter for key {key}");
            held.deadline = held.end;
        }
        let generation = seen.generation().expect("it is stored");
        match held.generation {
            Some(known) => assert_eq!(known, generation, "key {key}: another generation of the same value"),
            None => {
                let is_new = !self.spot(key).generations.contains(&generation);
                assert!(is_new, "key {key}: a generation is used again (D98)");
                self.spot(key).generations.push(generation);
                held.generation = Some(generation);
            }
        }
        let spot = self.spot(key);
        spot.held = Some(held);
        if let Some(last) = spot.past.last_mut() {
            last.1 = Some(held);
        }
    }

    /// Whether a look at the key may show this value; jitter may have shortened its life.
    fn may_be(&self, key: Key, held: &Held, seen: &Outcome<V, Boom>, now: Ns) -> bool {
        let (id, status, times, _) = self.told_of(held, now);
        if !held.is_vague {
            return (id, status, times) == (**seen.value(), seen.status(), ns_of(seen));
        }
        let (age, left) = ns_of(seen);
        let (whole, length) = (held.deadline - held.since, now.max(held.since).saturating_add(left) - held.since);
        let is_known = self.jitters.get(&(key, whole)).is_none_or(|known| *known == length);
        id == **seen.value() && age == times.0 && length <= whole && is_known
    }

    /// Checks a look at a key when nothing is under way.
    pub(crate) fn check(&self, key: Key, seen: Option<&Outcome<V, Boom>>, now: Ns) {
        let (left, held) = self.spots.get(&key).map_or((0, None), |spot| (spot.left.len(), spot.held));
        assert_eq!(left, 0, "values of key {key} have left without an event");
        let expected = held.map(|held| self.told_of(&held, now));
        let seen = seen.map(|seen| (**seen.value(), seen.status(), ns_of(seen), seen.generation()));
        assert!(seen == expected, "key {key} at {now}: {seen:?} instead of {expected:?}: {}", self.story(key));
    }

    /// What a look shows of a value: status, age and time left, generation.
    pub(super) fn told_of(&self, held: &Held, now: Ns) -> (Id, Status, (Ns, Ns), Option<Generation>) {
        let status =
            if held.is_fresh(now) { Status::Hit } else { Status::Stale(Duration::from_nanos(now - held.deadline)) };
        let rules = &self.rules;
        let keeps_lives = rules.early.is_some() || rules.margin.is_some() || rules.revalidates;
        let since = if rules.idle.is_none() && keeps_lives { held.since } else { held.published };
        // Never more than the whole life, even if the clock has jumped back. (D4)
        let left = held.deadline.saturating_sub(now.max(since)).min(rules.idle.unwrap_or(Ns::MAX));
        let left = if held.deadline == Ns::MAX { Ns::MAX } else { left };
        (held.id, status, (now.saturating_sub(held.published), left), held.generation)
    }
}

/// Age and time left.
pub(super) fn ns_of(seen: &Outcome<V, Boom>) -> (Ns, Ns) {
    let left = match seen.time_left() {
        TimeLeft::Forever => Ns::MAX,
        TimeLeft::For(left) => super::ns(left),
    };
    (super::ns(seen.age()), left)
}
