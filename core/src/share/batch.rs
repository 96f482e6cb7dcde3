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
    batch_load::{CLOSED, LoadOf, SeatOf},
    engine::{Batch, Make},
    guard::Inside,
    stay::OwnKey,
};
use crate::{
    Cause, Failure, Instant, Key, Lock, Runtime, Tuning,
    contain::{both, contain, each},
    flight::Woken,
    shard::{AsKey, At, Delivered, News, Waiting},
    source::Answered,
    sync::{Arc, atomic::Ordering},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Makes a load of many keys, with the functions that drive it.
    pub(super) fn new_batch(is_alone: bool) -> Arc<Batch<K, V, E, R, S>> {
        Batch::new(is_alone, Self::drive_batch, Self::end_idle_batch)
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
        let inside = self.enter_alone(batch, || put_back.seats.iter().map(SeatOf::of_key).collect());
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
        seats.extend(newer.map(|(seat, twin)| SeatOf { hash, key: key.clone(), seat, twin: Some(twin) }));
        seats.push(SeatOf { hash, key, seat, twin });
        self.with(hash, |shard| {
            // The first poll may wake callers that wait.
            shard.register(waiting, waker, after.effects());
            for (left, SeatOf { seat, twin, .. }) in (0..seats.len()).rev().zip(&seats) {
                let waker = Some(waker).filter(|_| left == 0);
                shard.become_part(seat, (Arc::clone(&batch), twin.clone()), waker, after.effects());
            }
        });
        // All may have ended before it came to this.
        self.end_idle_batch(&batch);
        self.begin_batch(&batch, seats, make);
        self.drive_batch(&batch, true);
    }

    /// Polls the load, unless another caller has it, or has polled it since its last wake. `is_unwoken` means that the
    /// caller was polled for another reason, and polls it in any case.
    pub(super) fn drive_batch(&self, batch: &Arc<Batch<K, V, E, R, S>>, is_unwoken: bool) {
        let wakes = batch.shared.wakes();
        let load = batch
            .state
            .with(|state| if !is_unwoken && state.polled_at == Some(wakes) { None } else { state.load.take() });
        let Some(mut load) = load else { return };
        let driving = Driving { engine: self, batch };
        let inside =
            self.enter_alone(batch, || batch.state.with(|state| state.seats.iter().map(SeatOf::of_key).collect()));
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
            return;
        };
        // The load is dropped before the clock is read, because its drop is part of it.
        drop(load);
        let now = self.runtime.now();
        let (seats, writes) = batch.state.with(|state| (mem::take(&mut state.seats), mem::take(&mut state.writes)));
        let mut put_back = PutBack { batch, seats };
        let Sorted { answers, surplus } = match result {
            Outcome::Many(result) => sort(self, &put_back.seats, result),
            Outcome::One(result) => spread(result, put_back.seats.len()),
        };
        let (mut news, mut held) = (Vec::with_capacity(answers.len()), After::new(self));
        for (answer, seat) in answers.into_iter().zip(&put_back.seats) {
            news.push(match answer {
                Ok(mut answered) => {
                    let judged = self.source.judges().then(|| OwnKey(seat.key.clone()));
                    let key = judged.as_ref().map(|key| key as &dyn AsKey<K>);
                    if let (Answered::Instead(failed), Some(hold_instead)) = (&mut answered, self.hold_instead) {
                        hold_instead(self, seat.hash, &[&seat.seat], failed.0.take(), key, now, held.effects());
                    }
                    let mut verdict = Ok(answered);
                    let judgement = self.judge_answer(&mut verdict, key);
                    self.news_of(verdict, judgement)
                }
                Err(cause) => Err(self.failure(cause)),
            });
        }
        let seats = mem::take(&mut put_back.seats);
        mem::forget((put_back, driving));
        self.deliver(batch, seats, news.into_iter(), now);
        drop(held);
        // What was asked for has been published.
        self.store_surplus(surplus, &writes, now);
    }

    /// Notes that an unshared load is made or polled: it has no flight by which calls from inside it could be found.
    fn enter_alone(
        &self,
        batch: &Arc<Batch<K, V, E, R, S>>,
        keys: impl FnOnce() -> Vec<(u64, K)>,
    ) -> Vec<Inside<'_, K, V, E, R, S>> {
        let keys = if batch.is_alone { keys() } else { Vec::new() };
        keys.into_iter().map(|key| Inside::enter(self, key, batch)).collect()
    }

    /// Stores every answer, and then wakes all that wait at once.
    fn deliver(
        &self,
        batch: &Batch<K, V, E, R, S>,
        seats: Vec<SeatOf<K, R>>,
        news: impl Iterator<Item = Result<News<V>, Failure<E>>>,
        now: Instant,
    ) {
        batch.state.with(|state| state.is_over = true);
        let mut after = After::new(self);
        let mut delivering = Delivering { engine: self, seats: seats.into_iter(), now, after: &mut after };
        // If a key has two places, the newer epoch comes first, and the older one is told what is stored there.
        let mut stored = None;
        for news in news {
            let Delivering { seats, after, .. } = &mut delivering;
            let Some(SeatOf { hash, seat, twin, .. }) = seats.as_slice().first() else { break };
            let at = At { now, rules: &self.rules };
            let (mut news, in_newer) = (Some(news), stored.take());
            let delivered = self.with_room(*hash, now, after, |shard, effects| {
                shard.deliver(seat, (twin.as_ref(), in_newer), &mut news, at, effects)
            });
            if let (Delivered::Done(there), None, Some(_)) = (delivered, in_newer, twin) {
                stored = there;
            }
            // Not before: if a clone has panicked, the key has failed.
            seats.next();
        }
        drop(delivering);
        after.effects().wake(Woken::All(Arc::clone(&batch.shared)));
    }

    /// Drops a load if no caller waits for any of its keys, unless a caller comes first.
    pub(super) fn end_idle_batch(&self, batch: &Arc<Batch<K, V, E, R, S>>) {
        if batch.awaited.compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let (_load, seats) = batch.state.with(|state| {
            state.is_over = true;
            (state.load.take(), mem::take(&mut state.seats))
        });
        self.abandon_all(seats);
    }

    /// Gives up these places without an answer: a waiting caller leads.
    fn abandon_all(&self, seats: Vec<SeatOf<K, R>>) {
        let mut after = After::new(self);
        each(seats.into_iter(), |SeatOf { hash, seat, twin, .. }| {
            self.with(hash, |shard| {
                shard.abandon(&seat, after.effects());
                twin.iter().for_each(|twin| shard.count_dropped(twin));
            });
        });
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
        let seats = self.batch.state.with(|state| mem::take(&mut state.seats));
        let failures = (0..seats.len()).map(|_| Err(Failure::new(Cause::Panicked)));
        self.engine.deliver(self.batch, seats, failures, now);
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
    seats: alloc::vec::IntoIter<SeatOf<K, R>>,
    now: Instant,
    after: &'x mut After<'a, K, V, E, R, S>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Delivering<'_, '_, K, V, E, R, S> {
    fn drop(&mut self) {
        for SeatOf { hash, seat, twin, .. } in self.seats.by_ref() {
            let at = At { now: self.now, rules: &self.engine.rules };
            let mut failure = Some(Err(Failure::new(Cause::Panicked)));
            let deliver = |shard: &mut ShardOf<K, V, E, R, S>, effects: &mut EffectsOf<K, V, E, R, S>| {
                shard.deliver(&seat, (twin.as_ref(), None), &mut failure, at, effects)
            };
            self.engine.with_room(hash, self.now, self.after, deliver);
        }
    }
}
