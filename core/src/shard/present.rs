//! Looks that count as lookups, and load nothing.

use core::{hash::Hash, time::Duration};

use super::{At, Effects, LoadsAnew, RECLAIM, Shard};
use crate::{
    Instant, Outcome, Status, TimeLeft, Ttl,
    source::{Judgement, Loaded},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// Returns a fresh value, and counts the lookup either way.
    pub(crate) fn get_if_present(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<V> {
        self.look_up(hash, now, eq, effects, |shard, place| shard.values.entry(place).value.clone())
    }

    /// Describes a fresh value, and counts the lookup either way.
    pub(crate) fn lookup_if_present(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Outcome<V, E>> {
        self.look_up(hash, now, eq, effects, |shard, place| shard.outcome_at(place, now, Status::Hit))
    }

    /// Hands a fresh value out to be copied, with the version of the copy and its end. That is no lookup.
    #[cfg(feature = "std")]
    pub(crate) fn copy<T>(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        copy: impl FnOnce(&K, &V, usize, Instant) -> T,
    ) -> Option<T> {
        let place = self.values.find(hash, eq).filter(|place| self.is_fresh_at(*place, now))?;
        let (end, version) = (self.expired_at(place), self.values.copied.mark(hash)?);
        let row = self.values.entry(place);
        Some(copy(&row.key, &row.value, version, end))
    }

    fn look_up<T>(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
        read: impl FnOnce(&Self, u32) -> T,
    ) -> Option<T> {
        self.values.tidy();
        let place = self.values.find(hash, eq);
        let found = self.read_fresh(place, now, read);
        if found.is_none() {
            self.counts.ended(lack(place));
        }
        self.reclaim(now, RECLAIM, effects);
        found
    }

    /// Reads a fresh value, which counts as a use and a hit.
    fn read_fresh<T>(&mut self, place: Option<u32>, now: Instant, read: impl FnOnce(&Self, u32) -> T) -> Option<T> {
        let place = place.filter(|place| self.is_fresh_at(*place, now))?;
        let found = read(self, place);
        self.values.hit(place, now);
        self.counts.hits += 1;
        Some(found)
    }

    /// Describes a fresh value, and counts the lookup if there is one.
    pub(crate) fn find_present(
        &mut self,
        hash: u64,
        now: Instant,
        eq: impl FnMut(&K) -> bool,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Outcome<V, E>> {
        let place = self.values.find(hash, eq);
        let found = self.read_fresh(place, now, |shard, place| shard.outcome_at(place, now, Status::Hit));
        self.reclaim(now, RECLAIM, effects);
        found
    }

    /// Stores a value with a copy at hand, unless there is a fresh one; counts the lookup either way.
    pub(crate) fn get_or_insert(
        &mut self,
        hash: u64,
        coming: &mut Option<(K, Loaded<V>)>,
        copy: &V,
        judgement: Judgement,
        at: At<'_>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Outcome<V, E>
    where
        K: Hash,
    {
        let eq = |k: &K| coming.as_ref().is_some_and(|(key, _)| k == key);
        let place = self.values.find(hash, eq);
        if let Some(found) = self.find_present(hash, at.now, eq, effects) {
            return found;
        }
        let value = copy.clone();
        let of = |(_, loaded): &(K, Loaded<V>)| (loaded.age, at.rules.lifetime(loaded, judgement, at.now));
        let (age, ttl) = coming.as_ref().map_or((0, Ttl::Inherit), of);
        self.invalidate_load(None, effects);
        let stored = self.take_in(hash, coming, judgement, at, effects);
        let status = ttl.expired(at.now).map(|expired| Status::Stale(at.now.saturating_since(expired)));
        let status = status.unwrap_or_else(|| lack(place));
        // Otherwise there is no room yet, and it comes again.
        if coming.is_none() {
            self.counts.ended(status);
        }
        Outcome {
            value,
            status,
            age: at.now.saturating_since(at.now.saturating_sub(age)),
            time_left: TimeLeft::until(stored.map_or(at.now, |stored| stored.1), at.now),
            led: false,
            attempt: None,
            waited: Duration::ZERO,
            generation: stored.map(|stored| stored.0),
            error: None,
        }
    }
}

/// What a lookup is that found nothing fresh at this place.
const fn lack(place: Option<u32>) -> Status {
    if place.is_some() { Status::Expired } else { Status::Miss }
}
