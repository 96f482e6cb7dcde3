//! The answers of a load of many keys, matched to the keys that were asked for.

use alloc::vec::Vec;

use super::{
    After, Engine,
    batch_load::{Places, SeatOf},
};
use crate::{
    Cause, Instant, Key, Loaded, Runtime, Threads, Tuning,
    shard::{At, Unasked},
    source::{Answered, BatchOf, Delivery, Rest},
    sync::Arc,
};

/// Answers for places, in their order, and what came with them.
pub(super) struct Sorted<K, V, E, T: Threads> {
    pub(super) answers: Vec<(usize, Result<Answered<V, E>, Cause<E>>)>,
    /// Answers that were not asked for.
    pub(super) surplus: Vec<(u64, K, Loaded<V>)>,
    /// The load, if it goes on for places that are not answered yet.
    pub(super) rest: Option<BatchOf<K, V, E, T>>,
}

/// Matches answers by key. The first answer for a key counts; the failure of a whole load is the failure of each key.
pub(super) fn sort<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
    engine: &Engine<K, V, E, R, S>,
    seats: &mut [SeatOf<K, R>],
    places: &mut Places,
    delivery: Delivery<K, V, E, R::Threads>,
) -> Sorted<K, V, E, R::Threads> {
    if places.first.is_empty() && !delivery.answers.is_empty() {
        places.first.reserve(seats.len(), |index| seats[*index].hash);
        for (index, seat) in seats.iter().enumerate() {
            // A key that a newer epoch waits for as well has two places, one behind the other.
            if index == 0 || seats[index - 1].key != seat.key {
                places.first.insert_unique(seat.hash, index, |index: &usize| seats[*index].hash);
            }
        }
    }
    let (mut answers, mut surplus) = (Vec::with_capacity(delivery.answers.len()), Vec::new());
    for (key, answer) in delivery.answers {
        let hash = engine.hash(&key);
        match places.first.find(hash, |index| seats[*index].key == key) {
            Some(index) if seats[*index].is_awaited => {
                let answer = answer.map_or_else(Answered::failed, |loaded| Ok(Answered::new(loaded)));
                let answer = answer.map_err(|error| Cause::Error(Arc::new(error)));
                let twin = seats.get(index + 1).filter(|twin| twin.key == key).map(|_| (index + 1, answer.clone()));
                for (index, answer) in [(*index, answer)].into_iter().chain(twin) {
                    seats[index].is_awaited = false;
                    places.answered += 1;
                    answers.push((index, answer));
                }
            }
            None if engine.rules.stores_surplus => surplus.extend(answer.ok().map(|loaded| (hash, key, loaded))),
            _ => {}
        }
    }
    let mut rest = None;
    match delivery.rest {
        // Without a key to answer, it has nothing left to do.
        Rest::More(load) => rest = Some(load).filter(|_| places.answered < seats.len()),
        Rest::End(result) => {
            let cause = result.map_err(|error| Arc::new(error)).map_or_else(Cause::Error, |()| Cause::Missing);
            let awaited = seats.iter_mut().enumerate().filter(|(_, seat)| seat.is_awaited);
            answers.extend(awaited.map(|(index, seat)| {
                seat.is_awaited = false;
                (index, Err(cause.clone()))
            }));
        }
    }
    answers.sort_unstable_by_key(|(index, _)| *index);
    Sorted { answers, surplus, rest }
}

/// Copies an answer for each of the places that wait for one key.
pub(super) fn spread<K, V: Clone, E, T: Threads>(
    result: Result<Answered<V, E>, E>,
    places: usize,
) -> Sorted<K, V, E, T> {
    let answer = result.map_err(|error| Cause::Error(Arc::new(error)));
    let copies = (1..places).map(|_| answer.clone()).collect::<Vec<_>>();
    Sorted { answers: copies.into_iter().chain([answer]).enumerate().collect(), surplus: Vec::new(), rest: None }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Stores answers that were not asked for.
    ///
    /// Only if nothing fresh is stored, nothing is in flight, and no write came since.
    pub(super) fn store_surplus(&self, surplus: Vec<(u64, K, Loaded<V>)>, writes: &[u64], now: Instant) {
        for (hash, key, mut loaded) in surplus {
            let judgement = self.judge(&key, &mut loaded);
            let mut unasked = Unasked { hash, coming: Some((key, loaded)), writes: 0 };
            let mut after = After::new(self);
            let at = At { now, rules: &self.rules };
            self.with_room(hash, now, &mut after, |shard, effects| {
                unasked.writes = self.writes_before(shard, hash, writes);
                shard.insert_surplus(&mut unasked, judgement, at, effects);
            });
        }
    }
}
