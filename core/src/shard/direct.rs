//! Direct use: reads that join nothing, and writes, which void the loads in flight.

use alloc::vec::Vec;
use core::{hash::Hash, num::NonZeroU64};

use super::{Answer, At, Effects, LoadsAnew, RECLAIM, Shard};
use crate::{
    Instant, Outcome, Status,
    outcome::Entry as Copied,
    source::{Judgement, Loaded, Previous, Touched},
    store::{Cleared, Entry, Failures, Former, Kept, New, Values, policy::Policy},
};

/// A value that a load has brought without being asked for it.
pub(crate) struct Unasked<K, V> {
    pub(crate) hash: u64,
    /// Taken out when it is stored.
    pub(crate) coming: Option<(K, Loaded<V>)>,
    /// How many writes there had been to the shard before the load.
    pub(crate) writes: u64,
}

/// What is to be shown for a copy.
pub(crate) enum Shown<K, V> {
    Copy,
    Instead(Copied<K, V>),
}

/// Copies the value at a place.
fn copy_of<K: Eq + Clone, V: Clone, P: Policy>(
    values: &Values<K, V, P>,
    place: u32,
    entry: &Entry<K, V, P::Node>,
    now: Instant,
) -> Copied<K, V> {
    Copied {
        key: entry.key.clone(),
        value: entry.value.clone(),
        age: now.saturating_since(values.published(place)),
        time_left: values.time_left(place, now),
        deadline: values.ends(place),
        weight: values.weight_at(place),
        generation: entry.generation,
    }
}

/// What identifies a value that was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    generation: u32,
    deadline: Instant,
}

impl<K: Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// Describes what is stored, fresh or not, and changes nothing.
    pub(crate) fn peek(&self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<Outcome<V, E>> {
        let place = self.values.find(hash, eq)?;
        let expired = self.expired_at(place);
        let status = if expired.reached(now) { Status::Stale(now.saturating_since(expired)) } else { Status::Hit };
        Some(self.outcome_at(place, now, status))
    }

    /// Returns what is stored, fresh or not, for a load that may find it still good.
    pub(crate) fn previous(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<Previous<V>> {
        let (values, place) = (&self.values, self.values.find(hash, eq)?);
        let Entry { value, generation, .. } = values.entry(place);
        let (published, deadline, weight) = (values.published(place), values.ends(place), values.weight_at(place));
        Some(Previous { value: value.clone(), generation: *generation, published, deadline, weight })
    }

    /// Tells whether a fresh value is stored.
    pub(crate) fn contains(&self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> bool {
        self.fresh(hash, now, eq).is_some()
    }

    /// Stores a value, and hands it to all callers that wait for a load of its key.
    ///
    /// It is taken out of `coming`, unless it [needs](Effects::need) room first.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        coming: &mut Option<(K, Loaded<V>)>,
        judgement: Judgement,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<u32>
    where
        K: Hash,
    {
        self.invalidate_load(None, effects);
        self.take_in(hash, coming, judgement, at, effects).map(|stored| stored.0)
    }

    /// Returns the generation of what was stored, and when that expires.
    pub(super) fn take_in(
        &mut self,
        hash: u64,
        coming: &mut Option<(K, Loaded<V>)>,
        judgement: Judgement,
        At { now, rules }: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<(u32, Instant)>
    where
        K: Hash,
    {
        let (key, loaded) = coming.as_ref()?;
        let age = loaded.age;
        let Some(end) = rules.end(rules.lifetime(loaded, judgement, now), key, now) else {
            self.remove(hash, now, |k| k == key, effects);
            let (key, loaded) = coming.take()?;
            effects.keep_key(Some(key));
            effects.rest().values.push(loaded.value);
            return None;
        };
        let weight = loaded.weight.map(NonZeroU64::get).or(judgement.weight).unwrap_or(1).max(1);
        let mut place = self.values.find(hash, |k| k == key);
        let failure = self.failures.place(hash, |k| k == key);
        let flight = self.flights.find(hash, |k| k == key);
        if !self.finds_room(&mut place, weight, now, effects) {
            return None;
        }
        let copy = flight.map(|_| loaded.value.clone());

        let (key, loaded) = coming.take()?;
        let failure = failure.map(|place| self.failures.remove(place));
        effects.keep_failure(failure);
        let since = now.saturating_sub(age);
        let former = if age == 0 { None } else { Former::of(None, age, now) };
        let new = New { hash, key, value: loaded.value, weight, now, end, begun: now, former };
        let deadline = self.values.deadline(new.life());
        let generation = self.put(place, new, effects);
        if let Some((flight, value)) = flight.zip(copy) {
            let deadline = if generation.is_some() { deadline } else { now };
            let answer = Answer { value, attempt: None, published: now, since, deadline, generation };
            self.end_wait(flight, answer, effects);
        }
        self.reclaim(now, RECLAIM, effects);
        self.give_back();
        generation.map(|generation| (generation, deadline))
    }

    /// What was written ends the wait of all callers of a flight, and its loads are dropped.
    pub(crate) fn end_wait(&mut self, flight: u32, answer: Answer<V>, effects: &mut Effects<K, V, E, C>) {
        let key = self.settle(flight, effects);
        effects.keep_key(key);
        self.flights.at(flight).verdict = Some(Ok(answer));
        self.end_if_empty(flight, effects);
    }

    /// Stores a value that was not asked for, if nothing fresh is stored, nothing is in flight and its loads are shared.
    ///
    /// Nor does it store the value if there was a write since the load began, as the load may not know of that.
    pub(crate) fn insert_surplus(
        &mut self,
        Unasked { hash, coming, writes }: &mut Unasked<K, V>,
        judgement: Judgement,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) where
        K: Hash,
    {
        let Some((key, _)) = coming else { return };
        let eq = |k: &K| k == key;
        let is_wanted = !self.contains(*hash, at.now, eq)
            && self.flights.find(*hash, eq).is_none()
            && !matches!(self.failures.find(*hash, at.now, eq), Some(Kept::Private));
        if self.writes == *writes && is_wanted {
            self.take_in(*hash, coming, judgement, at, effects);
            // It is no write, not even if what is held has to go: other surplus of the load is still of use.
            self.writes = *writes;
        } else if let Some((key, loaded)) = coming.take() {
            effects.keep_key(Some(key));
            effects.rest().values.push(loaded.value);
        }
    }

    /// Removes a value and voids the load of its key; returns whether the value was fresh.
    pub(crate) fn remove(
        &mut self,
        hash: u64,
        now: Instant,
        mut eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let place = self.values.find(hash, &mut eq);
        let failure = self.failures.place(hash, &mut eq);
        let flight = self.flights.find(hash, eq);
        self.invalidate_load(flight, effects);
        let failure = failure.map(|place| self.failures.remove(place));
        if failure.is_some() {
            effects.touched = Some(Touched::Deadline);
            effects.keep_failure(failure);
            self.give_back();
        }
        let was_fresh = place.is_some_and(|place| self.is_fresh_at(place, now));
        if let Some(place) = place {
            self.values.discard(place, now, &mut effects.leavers);
            self.give_back();
            effects.touched = Some(Touched::Value);
        }
        // Not before: a caller may want what has left first.
        self.reclaim(now, RECLAIM, effects);
        was_fresh
    }

    /// Removes the value if it is still the one of this generation, stale or not; returns whether it was.
    pub(crate) fn invalidate(
        &mut self,
        hash: u64,
        generation: u32,
        now: Instant,
        mut eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let place = self.values.find(hash, &mut eq);
        let is_it = place.is_some_and(|place| self.values.entry(place).generation == generation);
        if is_it {
            self.remove(hash, now, eq, effects);
        } else {
            self.reclaim(now, RECLAIM, effects);
        }
        is_it
    }

    /// Ends the freshness of a value and voids the load of its key; returns whether the value was fresh.
    pub(crate) fn expire(
        &mut self,
        hash: u64,
        now: Instant,
        mut eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        // Not after it: what expires here would go at once.
        self.reclaim(now, RECLAIM, effects);
        let place = self.values.find(hash, &mut eq);
        let flight = self.flights.find(hash, eq);
        self.invalidate_load(flight, effects);
        let Some(place) = place else { return false };
        let was_fresh = self.is_fresh_at(place, now);
        // Also if it has expired: it must not come back with a clock that jumps.
        self.values.expire(place, now, &mut effects.leavers);
        self.note_due();
        self.give_back();
        effects.touched = Some(Touched::Deadline);
        was_fresh
    }

    /// Returns a copy of a fresh value and what identifies it, and notes that it was asked for.
    pub(crate) fn consult(&mut self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<(V, Seen)> {
        self.fresh(hash, now, eq).map(|place| {
            let Entry { value, generation, .. } = self.values.entry(place);
            let found = (value.clone(), Seen { generation: *generation, deadline: self.values.ends(place) });
            self.values.hit(place, now);
            found
        })
    }

    /// Returns whether the fresh value is still the one that was seen, or there is still none.
    pub(crate) fn is_still(&self, seen: Option<Seen>, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> bool {
        let present = self.fresh(hash, now, eq);
        present.map(|place| self.values.entry(place).generation) == seen.map(|seen| seen.generation)
            // A use since then makes the deadline later; an earlier deadline means that it was expired by name.
            && present.zip(seen).is_none_or(|(place, seen)| self.values.ends(place) >= seen.deadline)
    }

    fn fresh(&self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<u32> {
        self.values.find(hash, eq).filter(|place| self.is_fresh_at(*place, now))
    }

    /// Removes everything and voids all loads; what is returned is for the listeners, and then dropped.
    pub(crate) fn clear(
        &mut self,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> (Cleared<K, V, P::Node>, Failures<K, E>) {
        self.invalidate_loads(effects);
        let cleared = (self.values.take_all(now), self.failures.take());
        self.note_due();
        self.give_back();
        cleared
    }

    /// Returns copies of the next fresh entries, only a few at a time; `None` when the walk is over.
    pub(crate) fn copy_next(&mut self, walk: u32, now: Instant) -> Option<Vec<Copied<K, V>>> {
        let trusted = self.values.trusted();
        self.values.walk(walk, |values, next| {
            let next = next.filter(|(place, _)| !values.ends(*place).min(trusted).reached(now));
            next.map(|(place, entry)| copy_of(values, place, entry, now)).collect()
        })
    }

    /// Returns what is to be shown for a copy, if anything is: the copy, as its value is still there and fresh or was
    /// replaced before its deadline; or, if the copy has ended, what has replaced it.
    pub(crate) fn show(
        &self,
        hash: u64,
        seen: (u32, Instant),
        now: Instant,
        eq: impl FnMut(&K) -> bool,
    ) -> Option<Shown<K, V>> {
        let (values, place) = (&self.values, self.fresh(hash, now, eq)?);
        let entry = values.entry(place);
        let is_good = entry.generation == seen.0 || !seen.1.reached(now);
        Some(if is_good { Shown::Copy } else { Shown::Instead(copy_of(values, place, entry, now)) })
    }

    /// Removes a value if it is still the one of this generation, and voids the load of its key; also if the value has left
    /// meanwhile, as the load may find it still good.
    pub(crate) fn remove_if(
        &mut self,
        hash: u64,
        generation: u32,
        now: Instant,
        mut eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let place = self.values.find(hash, &mut eq);
        if place.is_some_and(|place| self.values.entry(place).generation != generation) {
            return;
        }
        let flight = self.flights.find(hash, eq);
        self.invalidate_load(flight, effects);
        if let Some(place) = place {
            self.values.discard(place, now, &mut effects.leavers);
            self.give_back();
        }
    }
}
