//! A load of many keys, as any caller drives it who waits for one of them.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    mem,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};

use super::{
    After, Engine,
    answers::{Sorted, sort},
    stay::OwnKey,
};
use crate::{
    Cause, Failure, Instant, Key, Lock, Runtime, Tuning,
    contain::{contain, each},
    flight::{PolledBy, Registration, SharedWaker, Woken},
    shard::{AsKey, At, News, Seat, SharedLoad},
    source::BatchOf,
};

/// A load of many keys. It rests here, and each of its keys has a flight that knows it.
pub(crate) struct Batch<K, V, E, R: Runtime> {
    shared: Arc<SharedWaker<R::Notify>>,
    polled_by: PolledBy,
    /// For how many keys somebody waits.
    awaited: AtomicUsize,
    /// It is a load of callers who load for themselves: nothing of it is stored.
    is_alone: bool,
    state: R::Lock<State<K, V, E, R>>,
}

struct State<K, V, E, R: Runtime> {
    load: Option<BatchOf<K, V, E, R::Threads>>,
    /// How often it had been woken when it was polled last.
    polled_at: Option<usize>,
    is_over: bool,
    seats: Vec<SeatOf<K, R>>,
    /// How many writes there were to each shard when it began.
    writes: Box<[u64]>,
}

/// The place of one key.
pub(crate) struct SeatOf<K, R: Runtime> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) seat: Seat<R::Notify>,
}

/// So many keys are awaited of a load that is being dropped.
const CLOSED: usize = usize::MAX;

impl<K, V, E, R: Runtime> Batch<K, V, E, R> {
    pub(crate) fn new(is_alone: bool) -> Arc<Self> {
        let shared = SharedWaker::new();
        let polled_by = PolledBy::here(&Waker::from(Arc::clone(&shared)));
        let state = State { load: None, polled_at: None, is_over: false, seats: Vec::new(), writes: Box::default() };
        Arc::new(Self { shared, polled_by, awaited: AtomicUsize::new(0), is_alone, state: R::Lock::new(state) })
    }

    pub(super) const fn is_alone(&self) -> bool {
        self.is_alone
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.with(|state| state.is_over)
    }
}

impl<K, V, E, R: Runtime> SharedLoad for Arc<Batch<K, V, E, R>> {
    type Notify = R::Notify;

    fn polled_by(&self) -> PolledBy {
        self.polled_by
    }

    fn await_key(&self) -> bool {
        let more = |awaited: usize| (awaited != CLOSED).then(|| awaited + 1);
        self.awaited.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn leave_key(&self) -> bool {
        self.awaited.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn is_last(&self) -> bool {
        self.awaited.load(Ordering::Acquire) == 1
    }

    fn listen(&self, mine: &mut Registration<R::Notify>, waker: &Waker) -> Option<Waker> {
        self.shared.listen(mine, waker)
    }

    fn withdraw(&self, mine: &mut Registration<R::Notify>) -> Option<Waker> {
        self.shared.withdraw(mine)
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Begins the load of these keys.
    pub(super) fn begin_batch(
        &self,
        batch: &Arc<Batch<K, V, E, R>>,
        seats: Vec<SeatOf<K, R>>,
        make: impl FnOnce(Vec<K>) -> Option<BatchOf<K, V, E, R::Threads>>,
    ) {
        let driving = Driving { engine: self, batch };
        let mut put_back = PutBack { batch, seats };
        let writes = if batch.is_alone { Box::default() } else { self.writes() };
        let load = make(put_back.seats.iter().map(|seat| seat.key.clone()).collect());
        let seats = mem::take(&mut put_back.seats);
        mem::forget((put_back, driving));
        batch.state.with(|state| (state.seats, state.writes, state.load) = (seats, writes, load));
    }

    /// Loads one key by a load of many, whose other answers are to be stored as well.
    pub(super) fn drive_one_as_many(&self, hash: u64, key: K, seat: Seat<R::Notify>, is_alone: bool) {
        let batch = Batch::new(is_alone);
        batch.await_key();
        self.with(hash, |shard| shard.become_part(&seat, seat.began, Arc::clone(&batch)));
        self.begin_batch(&batch, [SeatOf { hash, key, seat }].into(), |keys| self.source.begin_many(keys));
        self.drive_batch(&batch, true);
    }

    /// Polls the load, unless somebody else has it, or has polled it since it was woken last. `is_unwoken` says that the
    /// caller is polled for another reason, and polls it in any case.
    pub(super) fn drive_batch(&self, batch: &Arc<Batch<K, V, E, R>>, is_unwoken: bool) {
        let wakes = batch.shared.wakes();
        let load = batch
            .state
            .with(|state| if !is_unwoken && state.polled_at == Some(wakes) { None } else { state.load.take() });
        let Some(mut load) = load else { return };
        let driving = Driving { engine: self, batch };
        let waker = Waker::from(Arc::clone(&batch.shared));
        let Poll::Ready(result) = Pin::new(&mut load).poll(&mut Context::from_waker(&waker)) else {
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
                // It was woken while it was polled: some of those whom that woke have looked since, in vain.
                batch.shared.notify_all();
            }
            return;
        };
        // The load goes before the clock is read: its drop is part of it.
        drop(load);
        let now = self.runtime.now();
        let (seats, writes) = batch.state.with(|state| (mem::take(&mut state.seats), mem::take(&mut state.writes)));
        let mut put_back = PutBack { batch, seats };
        let Sorted { answers, surplus } = sort(self, &put_back.seats, result);
        let mut news = Vec::with_capacity(answers.len());
        for (answer, seat) in answers.into_iter().zip(&put_back.seats) {
            news.push(match answer {
                Ok(answered) => {
                    let judged = self.source.judges().then(|| OwnKey(seat.key.clone()));
                    let key = judged.as_ref().map(|key| key as &dyn AsKey<K>);
                    self.news(Ok(answered), key)
                }
                Err(cause) => Err(Failure::new(cause)),
            });
        }
        let seats = mem::take(&mut put_back.seats);
        mem::forget((put_back, driving));
        self.deliver(batch, seats, news.into_iter(), now);
        // What was asked for has been published.
        self.store_surplus(surplus, &writes);
    }

    /// Every answer is stored, and then all who wait are woken at once.
    fn deliver(
        &self,
        batch: &Batch<K, V, E, R>,
        seats: Vec<SeatOf<K, R>>,
        news: impl Iterator<Item = Result<News<V>, Failure<E>>>,
        now: Instant,
    ) {
        batch.state.with(|state| state.is_over = true);
        let mut after = After::new(self);
        let mut delivering = Delivering { engine: self, seats: seats.into_iter(), now, after: &mut after };
        for news in news {
            let Some(SeatOf { hash, seat, .. }) = delivering.seats.next() else { break };
            let at = At { now, rules: &self.rules };
            self.with(hash, |shard| shard.deliver(&seat, news, at, delivering.after.effects()));
        }
        drop(delivering);
        after.effects().wake(Woken::All(Arc::clone(&batch.shared)));
    }

    /// Nobody waits for any of its keys: the load is dropped, unless somebody comes first.
    pub(super) fn end_idle_batch(&self, batch: &Arc<Batch<K, V, E, R>>) {
        if batch.awaited.compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let (_load, seats) = batch.state.with(|state| {
            state.is_over = true;
            (state.load.take(), mem::take(&mut state.seats))
        });
        let mut after = After::new(self);
        each(seats.into_iter(), |SeatOf { hash, seat, .. }| {
            self.with(hash, |shard| shard.abandon(&seat, after.effects()));
        });
    }
}

/// A panic in a load of many keys is told to all who wait for one of them.
struct Driving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    batch: &'a Arc<Batch<K, V, E, R>>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Driving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let mut now = Instant::ZERO;
        contain(|| now = self.engine.runtime.now());
        let seats = self.batch.state.with(|state| mem::take(&mut state.seats));
        let failures = (0..seats.len()).map(|_| Err(Failure::new(Cause::Panicked)));
        self.engine.deliver(self.batch, seats, failures, now);
    }
}

/// Keeps the places of the keys, should a panic come.
struct PutBack<'a, K, V, E, R: Runtime> {
    batch: &'a Arc<Batch<K, V, E, R>>,
    seats: Vec<SeatOf<K, R>>,
}

impl<K, V, E, R: Runtime> Drop for PutBack<'_, K, V, E, R> {
    #[cold]
    fn drop(&mut self) {
        let seats = mem::take(&mut self.seats);
        self.batch.state.with(|state| state.seats = seats);
    }
}

/// Should a clone panic, the keys that are left have failed.
struct Delivering<'a, 'x, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    seats: alloc::vec::IntoIter<SeatOf<K, R>>,
    now: Instant,
    after: &'x mut After<'a, K, V, E, R, S>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Delivering<'_, '_, K, V, E, R, S> {
    fn drop(&mut self) {
        for SeatOf { hash, seat, .. } in self.seats.by_ref() {
            let at = At { now: self.now, rules: &self.engine.rules };
            let failure = Err(Failure::new(Cause::Panicked));
            self.engine.with(hash, |shard| shard.deliver(&seat, failure, at, self.after.effects()));
        }
    }
}
