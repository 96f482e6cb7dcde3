//! The answers of a load of many keys, matched to the keys that were asked for.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::{After, Engine, batch_load::SeatOf};
use crate::{
    Cause, Instant, Key, Loaded, Runtime, Tuning,
    shard::{At, Unasked},
    source::{Answered, Answers},
    sync::Arc,
};

/// An answer for each key, in order, and answers that were not asked for.
pub(super) struct Sorted<K, V, E> {
    pub(super) answers: Vec<Result<Answered<V, E>, Cause<E>>>,
    pub(super) surplus: Vec<(u64, K, Loaded<V>)>,
}

/// Matches answers by key. The first answer for a key counts; the failure of a whole load is the failure of each key.
pub(super) fn sort<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
    engine: &Engine<K, V, E, R, S>,
    seats: &[SeatOf<K, R>],
    result: Result<Answers<K, V, E>, E>,
) -> Sorted<K, V, E> {
    let answers = match result {
        Ok(answers) => answers,
        Err(error) => {
            let error = Arc::new(error);
            let answers = seats.iter().map(|_| Err(Cause::Error(Arc::clone(&error)))).collect();
            return Sorted { answers, surplus: Vec::new() };
        }
    };
    let mut places = HashTable::with_capacity(seats.len());
    // A key that a newer epoch waits for as well has two places.
    let mut twins = Vec::new();
    for (index, seat) in seats.iter().enumerate() {
        match places.find(seat.hash, |other: &usize| seats[*other].key == seat.key) {
            Some(first) => twins.push((*first, index)),
            None => _ = places.insert_unique(seat.hash, index, |index: &usize| seats[*index].hash),
        }
    }
    let mut sorted: Vec<_> = seats.iter().map(|_| None).collect();
    let mut surplus = Vec::new();
    for (key, answer) in answers {
        let hash = engine.hash(&key);
        match places.find(hash, |index| seats[*index].key == key) {
            Some(index) if sorted[*index].is_none() => {
                sorted[*index] = Some(answer.map(Answered::new).map_err(|error| Cause::Error(Arc::new(error))));
            }
            None if engine.rules.stores_surplus => surplus.extend(answer.ok().map(|loaded| (hash, key, loaded))),
            _ => {}
        }
    }
    for (first, twin) in twins {
        sorted[twin] = sorted[first].clone();
    }
    let answers = sorted.into_iter().map(|answer| answer.unwrap_or(Err(Cause::Missing))).collect();
    Sorted { answers, surplus }
}

/// Copies an answer for each of the places that wait for one key.
pub(super) fn spread<K, V: Clone, E>(result: Result<Answered<V, E>, E>, places: usize) -> Sorted<K, V, E> {
    let answer = result.map_err(|error| Cause::Error(Arc::new(error)));
    let copies = (1..places).map(|_| answer.clone()).collect::<Vec<_>>();
    Sorted { answers: copies.into_iter().chain([answer]).collect(), surplus: Vec::new() }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Stores answers that were not asked for.
    ///
    /// Only if nothing fresh is stored, nothing is in flight, and no write came since.
    pub(super) fn store_surplus(&self, surplus: Vec<(u64, K, Loaded<V>)>, writes: &[u64], now: Instant) {
        for (hash, key, mut loaded) in surplus {
            let judgement = self.judge(&key, &mut loaded);
            let Some(writes) = writes.get(self.shard_of(hash)).copied() else { continue };
            let mut unasked = Unasked { hash, coming: Some((key, loaded)), writes };
            let mut after = After::new(self);
            let at = At { now, rules: &self.rules };
            self.with_room(hash, now, &mut after, |shard, effects| {
                shard.insert_surplus(&mut unasked, judgement, at, effects);
            });
        }
    }
}
