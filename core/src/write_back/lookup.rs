//! One caller that asks for an entry: served, seated in the load of its key, or waiting for room. Each look is one
//! step.

use alloc::{boxed::Box, collections::BTreeSet};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Pinned, WriteBackError,
    load_job::LoadJob,
    place::{Wait, Waiting},
    room::Patience,
    settle::Settling,
    share::{Comes, Effects, NoSources, Sharing, Wrap, WrapFlush},
    shared::{BookOf, Done, Pin as Pinning, Place, Resume, Shared, Task, TaskFor},
};
use crate::{
    Fault, Key, Runtime,
    dirty::{LookupStep, Standing},
    flight::{Start, Woken},
    shard::{AsKey, Seat, Step},
    share::{After, CallerLoad},
    source::Asked,
    sync::Arc,
};

/// Erases the types of loads and of flushes.
pub(super) struct Wraps<K: Key, V: Clone, E, R: Runtime> {
    pub(super) load: Wrap<K, V, E, R, LoadJob<K, V, E, R>>,
    pub(super) resume: Resume<K, V, E, R>,
    pub(super) flush: WrapFlush<K, V, E, R>,
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for Wraps<K, V, E, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Copy for Wraps<K, V, E, R> {}

/// One caller that asks for an entry.
pub(super) struct PinLookup<'a, K: Key, V: Clone, E, R: Runtime> {
    shared: &'a Arc<Shared<K, V, E, R>>,
    wraps: Wraps<K, V, E, R>,
    key: &'a K,
    hash: u64,
    patience: Patience,
    /// Set while it waits for a load, which may be that of another caller.
    load: Option<Loading<K, V, E, R>>,
    /// It has begun that load.
    leads: bool,
    /// Set while it waits for a place.
    waiting: Waiting<K, V, E, R>,
    /// A place that it has waited for.
    place: Option<Place<K, V, E, R>>,
}

type Loading<K, V, E, R> = Sharing<K, V, E, R, OwnLoad<K, V, E, R>>;

/// The load that a caller begins if there is none.
struct OwnLoad<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    wraps: Wraps<K, V, E, R>,
    hash: u64,
    patience: Patience,
    claim: Option<Claim<K, V, E, R>>,
}

/// What a caller has claimed for its load.
struct Claim<K: Key, V: Clone, E, R: Runtime> {
    place: Place<K, V, E, R>,
    seat: Seat<R::Notify>,
}

impl<K: Key, V: Clone, E, R: Runtime> CallerLoad<Task<K>, Done<K, V, E, R>, Fault<K, E>, R::Threads>
    for OwnLoad<K, V, E, R>
{
    fn start(&self, _: &NoSources<K, V, E, R>) -> Option<Start> {
        self.claim.as_ref().map(|_| Start::Made)
    }

    fn make(
        &mut self,
        _: &NoSources<K, V, E, R>,
        key: &dyn AsKey<Task<K>>,
        _: Asked<Done<K, V, E, R>>,
    ) -> Option<TaskFor<K, V, E, R>> {
        let Claim { place, seat } = self.claim.take()?;
        let (Task::Load(key) | Task::Flush(key, _)) = key.to_key();
        let begins = place.is_clear;
        let settling = Settling::new(self.wraps.flush, self.patience, place);
        let (shared, key) = (Arc::clone(&self.shared), (Some(key), self.hash));
        let job = LoadJob::new(shared, key, seat, settling, self.wraps.resume);
        Some((self.wraps.load)(Box::new(if begins { job.begun() } else { job })))
    }
}

/// The result of a look.
enum Look {
    Closed,
    /// The caller has its seat in the load, and goes on from this step.
    Seated(Step),
    /// There is no load that it could wait for.
    Else(LookupStep),
}

impl<'a, K: Key, V: Clone, E, R: Runtime> PinLookup<'a, K, V, E, R> {
    pub(super) fn new(
        shared: &'a Arc<Shared<K, V, E, R>>,
        wraps: Wraps<K, V, E, R>,
        key: &'a K,
        patience: Patience,
    ) -> Self {
        let hash = shared.hash(key);
        let waiting = Waiting::new(Arc::clone(shared), hash, patience);
        Self { shared, wraps, key, hash, patience, load: None, leads: false, waiting, place: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> {
        loop {
            let end = if let Some(load) = &mut self.load {
                load.poll(cx)
            } else {
                if self.waiting.queues() {
                    match Pin::new(&mut self.waiting).poll(cx) {
                        Poll::Ready(Wait::For(place)) => self.place = Some(place),
                        Poll::Ready(Wait::Called) => {}
                        Poll::Ready(Wait::Over) => return Poll::Ready(Err(WriteBackError::Full)),
                        Poll::Pending => return Poll::Pending,
                    }
                }
                match self.look(cx)? {
                    Found::There(handle) => return Poll::Ready(Ok(handle)),
                    Found::NoRoom => continue,
                    Found::Load(end) => end,
                }
            };
            let Poll::Ready(end) = end else { return self.wait_beside(cx) };
            // Gone before anything is returned, and before it looks again.
            self.load = None;
            match end {
                Some(Ok(Done::Loaded(pin))) => return Poll::Ready(Ok(Pinned::shared(pin, self.key.clone()))),
                Some(Err(error)) => match WriteBackError::of(error) {
                    // That was the rule of the caller that began the load.
                    WriteBackError::Full if !self.leads && !self.waiting.is_over(cx) => {}
                    WriteBackError::Full if matches!(self.patience, Patience::Endless) => {}
                    error => return Poll::Ready(Err(error)),
                },
                Some(Ok(_)) | None => {}
            }
        }
    }

    /// Looks for the entry, for a load of it and for room, and takes what it finds: one step under the lock.
    fn look(&mut self, cx: &mut Context<'_>) -> Result<Found<K, V, E, R>, WriteBackError<K, E>> {
        let Self { shared, wraps, key, hash, patience, load, leads, waiting, place: held } = self;
        let (shared, key, hash) = (*shared, *key, *hash);
        let mut after = After::new(&shared.engine);
        let look = shared.with_flights(|flights, book| {
            if book.is_closed {
                return Look::Closed;
            }
            let standing = match (&held, &patience) {
                (Some(_), _) => Standing::HasPlace,
                _ if waiting.queues() => Standing::Queues,
                (None, Patience::None) => Standing::Hurries,
                (None, _) => Standing::MayWait(waiting.turn(&mut book.ledger)),
            };
            let is_loading = || flights.flights.find(hash, |task| task.is_load_of(key)).is_some();
            let asked = book.ledger.ask(hash, |k| k == key, is_loading, standing);
            match asked {
                LookupStep::Loading => {}
                // Held outside the lock, where it is given back if the clone of a key panics.
                LookupStep::Place => _ = held.get_or_insert_with(|| Place::new(shared)),
                other => return Look::Else(other),
            }
            let task = Task::Load(key.clone());
            let place = held.take_if(|_| asked == LookupStep::Place);
            *leads = place.is_some();
            let claim = place.map(|place| Claim { place, seat: Seat::default() });
            let begin = OwnLoad { shared: Arc::clone(shared), wraps: *wraps, hash, patience: *patience, claim };
            let load = load.insert(Sharing::new(&shared.engine, hash, task, begin));
            let step = load.arrive(flights, cx.waker(), after.effects());
            let seat = load.seat();
            if let Some(claim) = &mut load.load().claim {
                claim.seat = seat;
                claim.begin(hash, book, after.effects());
            }
            Look::Seated(step)
        });
        match (look, load) {
            (Look::Seated(step), Some(load)) => Ok(Found::Load(load.go_on(Some(step), &mut after, cx))),
            (Look::Else(LookupStep::There(place)), _) => {
                let pin = Pinning::new(shared, place);
                Ok(Found::There(Pinned::new(pin, key.clone())))
            }
            (Look::Else(LookupStep::Queued), _) => {
                waiting.has_queued_up();
                Ok(Found::NoRoom)
            }
            (Look::Else(LookupStep::Waits), _) => Ok(Found::NoRoom),
            (Look::Else(_), _) => Err(WriteBackError::Full),
            _ => Err(WriteBackError::Closed),
        }
    }

    /// Waits for a load: meanwhile its own room is of no use, and only its turn is kept. But if the load waits for room, this caller waits only as
    /// long as it would for its own room.
    fn wait_beside(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> {
        self.place = None;
        self.waiting.leave();
        let may_end = !matches!(self.patience, Patience::Endless);
        let is_stuck = || self.shared.with(|book| book.is_stuck(self.hash, self.key));
        if may_end && is_stuck() && self.waiting.is_over(cx) {
            return Poll::Ready(Err(WriteBackError::Full));
        }
        Poll::Pending
    }
}

/// What is there for a key.
enum Found<K: Key, V: Clone, E, R: Runtime> {
    There(Pinned<K, V, E, R>),
    /// Nothing: it is not being loaded either, and there is no room.
    NoRoom,
    /// A load, and how far it has come.
    Load(Poll<Comes<K, V, E, R>>),
}

impl<K: Key, V: Clone, E, R: Runtime> Claim<K, V, E, R> {
    /// The load begins now if nothing has to be flushed for its place.
    fn begin(&mut self, hash: u64, book: &mut BookOf<K, V, E, R>, effects: &mut Effects<K, V, E, R>) {
        if let Ok(wake) = book.ledger.clear(self.place.is_clear, &BTreeSet::new(), None, Some(hash)) {
            self.place.is_clear = true;
            wake.into_iter().for_each(|waker| effects.wake(Woken::Lone(waker)));
        }
    }
}
