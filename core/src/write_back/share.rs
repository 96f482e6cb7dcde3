//! Sharing a task: a caller that waits for it drives it.

use alloc::boxed::Box;
use core::task::{Context, Poll, Waker};

use super::{
    Fault,
    flush_job::FlushJob,
    shared::{BookOf, Done, FlightsOf, Shared, Task, TaskFor, TimelessOf},
    timeless::Aside,
};
use crate::{
    Key, LoadError, Loaded, Runtime, Ttl,
    flight::Start,
    shard::{AsKey, Step},
    share::{After, CallerLoad, EffectsOf, Errand},
    source::{Answered, Asked, Sources},
    sync::Arc,
};

/// One caller of a shared task, which it would begin with an `L`.
pub(super) type Sharing<K, V, E, R, L> =
    Errand<Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside, L>;

/// The result of a task; `None` if there is no such task.
pub(super) type Comes<K, V, E, R> = Option<Result<Done<K, V, E, R>, LoadError<Fault<K, E>>>>;

/// What a step leaves to be done once the lock is released.
pub(super) type Effects<K, V, E, R> = EffectsOf<Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside>;

/// What the engine could begin tasks with by itself; it never does.
pub(super) type NoSources<K, V, E, R> = Sources<Task<K>, Done<K, V, E, R>, Fault<K, E>, <R as Runtime>::Threads>;

/// Makes a task of the engine's of a job.
pub(super) type Wrap<K, V, E, R, J> = fn(Box<J>) -> TaskFor<K, V, E, R>;

/// The same of a flush.
pub(super) type WrapFlush<K, V, E, R> = Wrap<K, V, E, R, FlushJob<K, V, E, R>>;

/// Turns a task's result into the engine's terms; the engine does not store it, because it is kept elsewhere.
pub(super) fn answered<K: Key, V: Clone, E, R: Runtime, X>(done: Done<K, V, E, R>) -> Answered<Done<K, V, E, R>, X> {
    Answered::new(Loaded::new(done).ttl(Ttl::NotStored))
}

/// One caller of a flush that is shared.
pub(super) struct Flushing<K: Key, V: Clone, E, R: Runtime>(Sharing<K, V, E, R, OwnFlush<K, V, E, R>>);

/// The flush that a caller begins if there is none.
struct OwnFlush<K: Key, V: Clone, E, R: Runtime> {
    job: Option<FlushJob<K, V, E, R>>,
    /// Erases its type.
    wrap: WrapFlush<K, V, E, R>,
}

impl<K: Key, V: Clone, E, R: Runtime> CallerLoad<Task<K>, Done<K, V, E, R>, Fault<K, E>, R::Threads>
    for OwnFlush<K, V, E, R>
{
    fn start(&self, _: &NoSources<K, V, E, R>) -> Option<Start> {
        self.job.as_ref().map(|_| Start::Made)
    }

    fn make(
        &mut self,
        _: &NoSources<K, V, E, R>,
        _: &dyn AsKey<Task<K>>,
        _: Asked<Done<K, V, E, R>>,
    ) -> Option<TaskFor<K, V, E, R>> {
        self.job.take().map(|job| (self.wrap)(Box::new(job)))
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Flushing<K, V, E, R> {
    /// Waits for this flush of a key, and begins it if it is not under way.
    pub(super) fn new(shared: &Arc<Shared<K, V, E, R>>, wrap: WrapFlush<K, V, E, R>, key: K, round: u64) -> Self {
        let hash = shared.hash(&key);
        let job = FlushJob::new(Arc::clone(shared), key.clone(), round);
        Self(Errand::new(&shared.engine, hash, Task::Flush(key, round), OwnFlush { job: Some(job), wrap }))
    }

    /// Takes its seat, in the step that has found what is to be flushed at this place.
    pub(super) fn arrive(
        &mut self,
        place: u32,
        (flights, book): (&mut FlightsOf<K, V, E, R>, &mut BookOf<K, V, E, R>),
        waker: &Waker,
        effects: &mut Effects<K, V, E, R>,
    ) -> Step {
        let hash = book.ledger.entry(place).hash;
        if flights.flights.find(hash, |task| task == self.0.key()).is_none() {
            // Claimed before the flight is, because that clones a key, which may panic: the job then gives it back.
            if let Some(job) = &mut self.0.load().job {
                job.fix(place, book);
            }
        }
        self.0.arrive(flights, waker, effects)
    }

    /// Goes on from there.
    pub(super) fn go_on(
        &mut self,
        step: Step,
        after: &mut After<'_, Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside>,
        cx: &mut Context<'_>,
    ) -> Poll<Comes<K, V, E, R>> {
        let poll = self.0.go_on(Some(step), after, cx);
        self.let_go();
        poll
    }

    /// Takes its seat if it has none yet, and waits.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Comes<K, V, E, R>> {
        self.poll_for(cx.waker(), &mut Context::from_waker(cx.waker()))
    }

    /// The same for one of many in a call, which is polled with another waker.
    pub(super) fn poll_for(&mut self, inside: &Waker, cx: &mut Context<'_>) -> Poll<Comes<K, V, E, R>> {
        let poll = self.0.poll_for(inside, cx);
        self.let_go();
        poll
    }

    /// A caller that has joined a flush does not need its own.
    fn let_go(&mut self) {
        if self.0.has_joined() {
            self.0.load().job = None;
        }
    }

    /// The key that is flushed, and the round.
    pub(super) const fn task(&self) -> (&K, u64) {
        match self.0.key() {
            Task::Flush(key, round) => (key, *round),
            Task::Load(key) => (key, 0),
        }
    }
}
