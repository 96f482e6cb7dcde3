//! A load of many keys: how many are waited for, and what of it rests between polls.

use alloc::{boxed::Box, vec::Vec};
use core::task::Waker;

use hashbrown::HashTable;

use crate::{
    Lock, Runtime, Threads,
    flight::{PolledBy, Registration, SharedWaker, here},
    shard::{Seat, SharedLoad, Twin},
    source::{BatchOf, TaskOf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A load of many keys of an engine `G`. It rests here, and each of its keys has a flight that knows it.
pub(crate) struct Batch<K, V, E, R: Runtime, G> {
    pub(super) shared: Arc<SharedWaker<R::Notify>>,
    polled_by: PolledBy,
    /// The mark of the thread that makes or polls it.
    polled_on: AtomicUsize,
    /// How many of its keys are waited for.
    pub(super) awaited: AtomicUsize,
    /// It is for callers that load for themselves: its answers are not stored.
    pub(super) is_alone: bool,
    pub(super) state: R::Lock<State<K, V, E, R>>,
    /// How to poll it, and how to end it without callers; kept here so that only caches with such loads link them.
    pub(super) drive: fn(&G, &Arc<Self>, bool),
    pub(super) end: fn(&G, &Arc<Self>),
}

pub(super) struct State<K, V, E, R: Runtime> {
    pub(super) load: Option<LoadOf<K, V, E, R::Threads>>,
    /// How often it had been woken when it was last polled.
    pub(super) polled_at: Option<usize>,
    pub(super) is_over: bool,
    pub(super) seats: Vec<SeatOf<K, R>>,
    /// Known once that was needed.
    pub(super) places: Places,
    /// How many writes there had been to each shard when it began.
    pub(super) writes: Box<[u64]>,
}

/// A load that is polled.
pub(crate) enum LoadOf<K, V, E, T: Threads> {
    /// A load of many keys.
    Many(BatchOf<K, V, E, T>),
    /// A load of one key, which several flights of that key wait for.
    One(TaskOf<V, E, T>),
}

/// One key of a load, in one of its flights.
pub(crate) struct SeatOf<K, R: Runtime> {
    pub(super) hash: u64,
    pub(super) key: K,
    /// No answer has come for it yet.
    pub(super) is_awaited: bool,
    /// Where its answer is to be delivered; nothing once that has begun.
    place: Option<Place<R>>,
}

/// The seats of a load by key.
#[derive(Default)]
pub(super) struct Places {
    /// Which is the first of each key.
    pub(super) first: HashTable<usize>,
    /// How many seats have been answered.
    pub(super) answered: usize,
}

/// Where an answer is to be delivered.
pub(super) struct Place<R: Runtime> {
    pub(super) hash: u64,
    pub(super) seat: Seat<R::Notify>,
    /// Set if the key has two flights that it is delivered to.
    pub(super) twin: Option<Twin>,
}

impl<K, R: Runtime> SeatOf<K, R> {
    pub(super) const fn new(hash: u64, key: K, seat: Seat<R::Notify>, twin: Option<Twin>) -> Self {
        Self { hash, key, is_awaited: true, place: Some(Place { hash, seat, twin }) }
    }

    pub(super) const fn place(&self) -> Option<&Place<R>> {
        self.place.as_ref()
    }

    pub(super) const fn take_place(&mut self) -> Option<Place<R>> {
        self.place.take()
    }
}

/// Takes where the answers of these seats are to be delivered; their keys stay, as dropping one may panic.
pub(super) fn places_of<K, R: Runtime>(seats: &mut [SeatOf<K, R>]) -> Vec<Place<R>> {
    seats.iter_mut().filter_map(SeatOf::take_place).collect()
}

/// The keys that have not been answered.
pub(super) fn keys_of<K: Clone, R: Runtime>(seats: &[SeatOf<K, R>]) -> Vec<(u64, K)> {
    seats.iter().filter(|seat| seat.place.is_some()).map(|seat| (seat.hash, seat.key.clone())).collect()
}

/// The count of awaited keys while the load is being dropped.
pub(super) const CLOSED: usize = usize::MAX;

impl<K, V, E, R: Runtime, G> Batch<K, V, E, R, G> {
    pub(super) fn new(is_alone: bool, drive: fn(&G, &Arc<Self>, bool), end: fn(&G, &Arc<Self>)) -> Arc<Self> {
        let shared = SharedWaker::new();
        let polled_by = PolledBy::here(&Waker::from(Arc::clone(&shared)));
        let state = State {
            load: None,
            polled_at: None,
            is_over: false,
            seats: Vec::new(),
            places: Places::default(),
            writes: Box::default(),
        };
        Arc::new(Self {
            shared,
            polled_by,
            polled_on: AtomicUsize::new(0),
            awaited: AtomicUsize::new(0),
            is_alone,
            state: R::Lock::new(state),
            drive,
            end,
        })
    }

    pub(super) const fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Notes that it is made or polled on this thread, or is not any more.
    pub(super) fn set_polled(&self, is_polled: bool) {
        self.polled_on.store(if is_polled { here() } else { 0 }, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.with(|state| state.is_over)
    }
}

impl<K, V, E, R: Runtime, G> SharedLoad for Arc<Batch<K, V, E, R, G>> {
    type Notify = R::Notify;

    fn polled_by(&self) -> PolledBy {
        self.polled_by
    }

    fn polled_on(&self) -> usize {
        self.polled_on.load(Ordering::Relaxed)
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
