//! A load of many keys, driven by any caller that waits for one of them.

use alloc::{boxed::Box, vec::Vec};
use core::{
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    After, EffectsOf, Engine, ShardOf,
    answers::{Sorted, sort, spread},
    batch_load::{CLOSED, LoadOf, Place, SeatOf, places_of},
    engine::{Batch, Make},
    stay::OwnKey,
};
use crate::{
    Cause, Failure, Instant, Key, Lock, Runtime, Tuning,
    contain::{Contained, both, contain, each},
    flight::Woken,
    shard::{AsKey, At, Delivered, News, Stored, Twin, Waiting},
    source::Answered,
    sync::{Arc, atomic::Ordering},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Makes a load of many keys, with the functions that drive it.
    pub(super) fn new_batch(is_alone: bool) -> Arc<Batch<K, V, E, R, S>> {
        Batch::new(
            is_alone,
            |engine, batch, is_unwoken| _ = engine.drive_batch(batch, is_unwoken),
            Self::end_idle_batch,
        )
    }

    /// Begins the load of these keys.
    pub(super) fn begin_batch(
        &self,
        batch: &Arc<Batch<K, V, E, R, S>>,
        seats: Vec<SeatOf<K, R>>,
        make: &mut Make<'_, K, V, E, R>,
    ) {
        if batch.is_over() {
            // All callers have left before it began.
            return self.abandon_all(seats);
        }
        let driving = Driving { engine: self, batch };
        let mut put_back = PutBack { batch, seats };
        let writes = if batch.is_alone { Box::default() } else { self.writes() };
        let mut keys: Vec<K> = Vec::with_capacity(put_back.seats.len());
        for seat in &put_back.seats {
            // A key that a newer epoch waits for as well has two places, one behind the other.
            if keys.last() != Some(&seat.key) {
                keys.push(seat.key.clone());
            }
        }
        let inside = self.enter_alone(batch, &put_back.seats);
        batch.set_polled(true);
        let load = make(keys);
        batch.set_polled(false);
        drop(inside);
        let seats = mem::take(&mut put_back.seats);
        mem::forget((put_back, driving));
        let unwanted = batch.state.with(|state| {
            if state.is_over {
                return Some((load, seats));
            }
            (state.seats, state.writes, state.load) = (seats, writes, load);
            None
        });
        if let Some((load, seats)) = unwanted {
            // All callers have left while it was made.
            both(&mut Some(seats), |_| drop(load), |seats| self.abandon_all(seats.take().unwrap_or_default()));
        }
    }

    /// Loads one key by a load that is delivered in more than one place: in a newer epoch of its key as well, or to
    /// other keys whose answers are stored.
    #[cold]
    pub(crate) fn drive_as_many(
        &self,
        key: K,
        number: u32,
        waiting: &mut Waiting<R::Notify>,
        make: &mut Make<'_, K, V, E, R>,
        waker: &Waker,
    ) {
        let mut after = After::new(self);
        let (batch, hash) = (Self::new_batch(waiting.is_alone), waiting.hash);
        let seat = waiting.seat.at_attempt(number);
        let newer = waiting.newer.as_ref().map(|newer| (newer.0.place_only(), newer.1.clone()));
        // The newer epoch comes first: what is published is there before any caller is told.
        let mut seats = Vec::with_capacity(2);
        let twin = newer.as_ref().map(|(_, twin)| twin.clone());
        seats.extend(newer.map(|(seat, twin)| SeatOf::new(hash, key.clone(), seat, Some(twin))));
        seats.push(SeatOf::new(hash, key, seat, twin));
        self.with(hash, |shard| {
            // The first poll may wake callers that wait.
            shard.register(waiting, waker, after.effects());
            for (left, place) in (0..seats.len()).rev().zip(seats.iter().filter_map(SeatOf::place)) {
                let (waker, Place { seat, twin, .. }) = (Some(waker).filter(|_| left == 0), place);
                shard.become_part(seat, (Arc::clone(&batch), twin.clone()), waker, after.effects());
            }
        });
        // All may have ended before it came to this.
        self.end_idle_batch(&batch);
        self.begin_batch(&batch, seats, make);
        self.drive_batch(&batch, true);
    }

    /// Polls the load, unless another caller has it, or has polled it since its last wake. `is_unwoken` means that the
    /// caller was polled for another reason, and polls it in any case. Returns whether it has answered keys.
    pub(super) fn drive_batch(&self, batch: &Arc<Batch<K, V, E, R, S>>, is_unwoken: bool) -> bool {
        let wakes = batch.shared.wakes();
        let load = batch
            .state
            .with(|state| if !is_unwoken && state.polled_at == Some(wakes) { None } else { state.load.take() });
        let Some(mut load) = load else { return false };
        let driving = Driving { engine: self, batch };
        let inside = if batch.is_alone {
            // (No key is cloned under a lock.)
            let put_back = PutBack { batch, seats: batch.state.with(|state| mem::take(&mut state.seats)) };
            self.enter_alone(batch, &put_back.seats)
        } else {
            Vec::new()
        };
        batch.set_polled(true);
        let waker = Waker::from(Arc::clone(&batch.shared));
        let cx = &mut Context::from_waker(&waker);
        let polled = match &mut load {
            LoadOf::Many(load) => Pin::new(load).poll(cx).map(Outcome::Many),
            LoadOf::One(load) => Pin::new(load).poll(cx).map(Outcome::One),
        };
        batch.set_polled(false);
        drop(inside);
        let Poll::Ready(result) = polled else {
            mem::forget(driving);
            let unwanted = batch.state.with(|state| {
                if state.is_over {
                    return Some(load);
                }
                (state.load, state.polled_at) = (Some(load), Some(wakes));
                None
            });
            drop(unwanted);
            if batch.shared.wakes() != wakes {
                // It was woken while it was polled: some of the woken callers have looked since, in vain.
                batch.shared.notify_all();
            }
            return false;
        };
        // The load is dropped before the clock is read, because its drop is part of it.
        drop(load);
        let now = self.runtime.now();
        let (seats, mut places, writes) = batch
            .state
            .with(|state| (mem::take(&mut state.seats), mem::take(&mut state.places), mem::take(&mut state.writes)));
        let mut put_back = PutBack { batch, seats };
        let Sorted { answers, surplus, rest } = match result {
            Outcome::Many(delivery) => sort(self, &mut put_back.seats, &mut places, delivery),
            Outcome::One(result) => spread(result, put_back.seats.len()),
        };
        let (mut news, mut held) = (Vec::with_capacity(answers.len()), After::new(self));
        for (index, answer) in answers {
            let Some((seat, place)) = put_back.seats.get(index).and_then(|seat| Some((seat, seat.place()?))) else {
                continue;
            };
            let said = match answer {
                Ok(mut answered) => {
                    let judged = self.source.judges().then(|| OwnKey(seat.key.clone()));
                    let key = judged.as_ref().map(|key| key as &dyn AsKey<K>);
                    if let (Answered::Instead(failed), Some(hold_instead)) = (&mut answered, self.hold_instead) {
                        hold_instead(self, seat.hash, &[&place.seat], failed.0.take(), key, now, held.effects());
                    }
                    let mut verdict = Ok(answered);
                    let judgement = self.judge_answer(&mut verdict, key);
                    self.news_of(verdict, judgement)
                }
                Err(cause) => Err(self.failure(cause)),
            };
            news.push((index, said));
        }
        let mut seats = mem::take(&mut put_back.seats);
        let take = |(index, said): (usize, _)| Some((seats.get_mut(index)?.take_place()?, said));
        let (to, news): (Vec<_>, Vec<_>) = news.into_iter().filter_map(take).unzip();
        mem::forget((put_back, driving));
        let since = if surplus.is_empty() { Box::default() } else { writes.clone() };
        let mut unwanted = batch.state.with(|state| {
            state.is_over |= rest.is_none();
            if state.is_over {
                return Some((rest, seats));
            }
            (state.load, state.polled_at) = (rest.map(LoadOf::Many), Some(wakes));
            (state.seats, state.places, state.writes) = (seats, places, writes);
            None
        });
        // All hear of its end; or of wakes that came while it was polled, after which some have looked in vain.
        let tells_all = unwanted.is_some() || batch.shared.wakes() != wakes;
        both(
            &mut unwanted,
            |_| self.deliver(batch, to, news.into_iter(), tells_all, now),
            |unwanted| {
                // All callers have left while it was polled, or nobody is left to answer.
                let Some((load, seats)) = unwanted.take() else { return };
                both(&mut Some(seats), |_| drop(load), |seats| self.abandon_all(seats.take().unwrap_or_default()));
            },
        );
        drop(held);
        // What was asked for has been published.
        self.store_surplus(surplus, &since, now);
        true
    }

    /// Stores every answer, and then wakes all that wait at once.
    fn deliver(
        &self,
        batch: &Batch<K, V, E, R, S>,
        to: Vec<Place<R>>,
        news: impl Iterator<Item = Result<News<V>, Failure<E>>>,
        tells_all: bool,
        now: Instant,
    ) {
        let mut after = After::new(self);
        if tells_all {
            // Noted first: it is done even if a clone of a value panics below.
            after.effects().wake(Woken::All(Arc::clone(&batch.shared)));
        }
        let mut delivering = Delivering { engine: self, to: to.into_iter(), now, after: &mut after };
        // If a key has two places, the newer epoch comes first, and the older one, if it is next, is told what is stored.
        let mut stored: Option<(Twin, Stored)> = None;
        for news in news {
            let Delivering { to, after, .. } = &mut delivering;
            let Some(Place { hash, seat, twin }) = to.as_slice().first() else { break };
            let at = At { now, rules: &self.rules };
            let is_its = |(of, _): &(Twin, Stored)| twin.as_ref().is_some_and(|twin| twin.is(of));
            let (mut news, in_newer) = (Some(news), stored.take().filter(is_its).map(|(_, stored)| stored));
            let delivered = self.with_room(*hash, now, after, |shard, effects| {
                shard.deliver(seat, (twin.as_ref(), in_newer), &mut news, at, effects)
            });
            // Not before: if a clone has panicked, the key has failed.
            let twin = to.next().and_then(|place| place.twin);
            if let (Delivered::Done(there), None) = (delivered, in_newer) {
                stored = twin.zip(there);
            }
        }
        drop(delivering);
    }

    /// Drops a load if no caller waits for any of its keys, unless a caller comes first.
    pub(super) fn end_idle_batch(&self, batch: &Arc<Batch<K, V, E, R, S>>) {
        if batch.awaited.compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        // The load may be out, being polled: what it brings then finds no places.
        let (_load, seats, _places) = batch.state.with(|state| {
            state.is_over = true;
            (state.load.take(), mem::take(&mut state.seats), mem::take(&mut state.places))
        });
        self.abandon_all(seats);
    }

    /// Gives up these places without an answer: a waiting caller leads.
    fn abandon_all(&self, mut seats: Vec<SeatOf<K, R>>) {
        let places = places_of(&mut seats);
        // The keys are dropped last, since that may panic.
        both(
            &mut seats,
            |_| {
                let mut after = After::new(self);
                each(places.into_iter(), |Place { hash, seat, twin }| {
                    self.with(hash, |shard| {
                        shard.abandon(&seat, after.effects());
                        twin.iter().for_each(|twin| shard.count_dropped(twin));
                    });
                });
            },
            Vec::clear,
        );
    }
}

/// The result of a load.
enum Outcome<M, O> {
    Many(M),
    One(O),
}

/// Tells a panic in a load of many keys to all callers that wait for one of them.
struct Driving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    batch: &'a Arc<Batch<K, V, E, R, S>>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Driving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        self.batch.set_polled(false);
        let mut now = Instant::ZERO;
        contain(|| now = self.engine.runtime.now());
        let mut seats = Contained(self.batch.state.with(|state| {
            state.is_over = true;
            mem::take(&mut state.seats)
        }));
        let to = places_of(&mut seats.0);
        let failures = (0..to.len()).map(|_| Err(Failure::new(Cause::Panicked)));
        self.engine.deliver(self.batch, to, failures, true, now);
    }
}

/// Keeps the places of the keys if a panic comes.
struct PutBack<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    batch: &'a Arc<Batch<K, V, E, R, S>>,
    seats: Vec<SeatOf<K, R>>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for PutBack<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let seats = mem::take(&mut self.seats);
        self.batch.state.with(|state| state.seats = seats);
    }
}

/// If a clone panics, its key and the remaining ones have failed.
struct Delivering<'a, 'x, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    to: alloc::vec::IntoIter<Place<R>>,
    now: Instant,
    after: &'x mut After<'a, K, V, E, R, S>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Delivering<'_, '_, K, V, E, R, S> {
    fn drop(&mut self) {
        for Place { hash, seat, twin } in self.to.by_ref() {
            let at = At { now: self.now, rules: &self.engine.rules };
            let mut failure = Some(Err(Failure::new(Cause::Panicked)));
            let deliver = |shard: &mut ShardOf<K, V, E, R, S>, effects: &mut EffectsOf<K, V, E, R, S>| {
                shard.deliver(&seat, (twin.as_ref(), None), &mut failure, at, effects)
            };
            self.engine.with_room(hash, self.now, self.after, deliver);
        }
    }
}
