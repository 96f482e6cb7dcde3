//! Loads as they rest in flights: one's own, or a part in a load of many keys.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    answers::{Begun, Hashed, Sorted, Surplus, sort},
    crowd::Hub,
    inner::Inner,
    means::{Owned, answer},
};
use crate::{
    Cause, Key, Lock, Notify, Runtime, Tuning,
    flight::{Progress, Step},
    source::{BatchOf, TaskOf},
};

/// A load as it rests in a flight.
pub(crate) enum Ride<K, V, E, R: Runtime> {
    /// A load of this key alone.
    Own(TaskOf<V, E, R::Threads>),
    /// A part in a load of many keys.
    Part(Box<Part<K, V, E, R>>),
}

impl<K: Key, V: Clone, E, R: Runtime> Ride<K, V, E, R> {
    /// Polls the load, with no lock held.
    pub(crate) fn poll<S: Tuning>(
        &mut self,
        inner: &Inner<K, V, E, R, S>,
        cx: &mut Context<'_>,
        knell: &mut Knell<K, V, R::Notify>,
    ) -> Poll<Owned<V, E>> {
        match self {
            Self::Own(load) => Pin::new(load).poll(cx).map(answer),
            Self::Part(part) => part.poll(inner, cx, knell),
        }
    }
}

/// A load of many keys, shared by the flights of all of them.
struct Batch<K, V, E, R: Runtime> {
    /// The keys that it was begun for, each once, and their hashes.
    keys: Hashed<K>,
    progress: R::Lock<ProgressOf<K, V, E, R::Threads>>,
    /// What wakes all who wait for any of the keys; there is none if there is one key, whose flight sees to it.
    hub: Option<(Arc<Hub<R::Notify>>, Waker)>,
}

/// How far a batch has come.
type ProgressOf<K, V, E, T> = Progress<Begun<BatchOf<K, V, E, T>>, Owned<V, E>>;

/// One key's part in a batch.
pub(crate) struct Part<K, V, E, R: Runtime> {
    batch: Arc<Batch<K, V, E, R>>,
    index: u32,
    listener: <R::Notify as Notify>::Listener,
    /// Up to which poll of the load this part knows of it.
    seen: u32,
}

/// Whom to wake once the shard has been visited: a load of many keys has news for those who wait for others of them.
/// And what to store then, for which nobody waits.
///
/// Dropping it wakes them, also when the stack unwinds.
pub(crate) struct Knell<K, V, N: Notify> {
    hub: Option<Arc<Hub<N>>>,
    surplus: Surplus<K, V>,
}

impl<K, V, N: Notify> Knell<K, V, N> {
    pub(crate) fn new() -> Self {
        Self { hub: None, surplus: Surplus::default() }
    }
}

impl<K: Key, V: Clone, N: Notify> Knell<K, V, N> {
    /// Wakes and stores.
    pub(crate) fn ring<E, R, S>(mut self, inner: &Inner<K, V, E, R, S>)
    where
        R: Runtime<Notify = N>,
        S: Tuning,
    {
        let surplus = mem::take(&mut self.surplus);
        drop(self);
        surplus.store(inner);
    }
}

impl<K, V, N: Notify> Drop for Knell<K, V, N> {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.take() {
            hub.notify_all();
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Part<K, V, E, R> {
    /// Makes the parts of a load of these keys, in their order.
    pub(crate) fn of(
        keys: Hashed<K>,
        begun: Option<Begun<BatchOf<K, V, E, R::Threads>>>,
    ) -> impl Iterator<Item = Self> {
        let count = keys.len() as u32;
        let hub = (count > 1).then(Hub::new);
        let progress = begun.map_or(Progress::New, |load| Progress::Resting { load, polls: 0, wakes: 0 });
        let batch = Arc::new(Batch { keys, progress: R::Lock::new(progress), hub });
        (0..count).map(move |index| Self {
            batch: Arc::clone(&batch),
            index,
            listener: <R::Notify as Notify>::Listener::default(),
            seen: 0,
        })
    }

    /// Returns what the load is polled with, unless that is what the flight is.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.batch.hub.as_ref().map(|(_, waker)| waker.clone())
    }

    fn poll<S: Tuning>(
        &mut self,
        inner: &Inner<K, V, E, R, S>,
        cx: &mut Context<'_>,
        knell: &mut Knell<K, V, R::Notify>,
    ) -> Poll<Owned<V, E>> {
        let batch = &self.batch;
        let _displaced = batch.hub.as_ref().and_then(|(hub, _)| hub.listen(&mut self.listener, cx.waker()));
        let woken = batch.wakes();
        let (load, polls) = match batch.progress.with(|progress| progress.step(self.index, self.seen, woken)) {
            Step::Wait(polls) => {
                self.seen = polls;
                return Poll::Pending;
            }
            Step::Take(answer) => return Poll::Ready(answer.unwrap_or(Err(Cause::Missing))),
            Step::Panicked => return Poll::Ready(Err(Cause::Panicked)),
            Step::Begin => (None, 0),
            Step::Poll(load, polls) => (Some(load), polls),
        };
        let out = Out(batch);
        let begin = || Begun::begin(inner, &batch.keys, |keys| inner.source.begin_many(keys));
        // Only sources that can load many keys make batches of them.
        let Some(mut load) = load.or_else(begin) else { return Poll::Pending };
        let wakes = batch.wakes();
        let waker = batch.hub.as_ref().map_or_else(|| cx.waker(), |(_, waker)| waker);
        let Poll::Ready(result) = load.poll(&mut Context::from_waker(waker)) else {
            let polls = polls.wrapping_add(1);
            self.seen = polls;
            out.enter(Progress::Resting { load, polls, wakes });
            if batch.wakes() != wakes {
                // Woken while it was polled: whoever has come since then has not heard of it.
                knell.hub = batch.hub.as_ref().map(|(hub, _)| Arc::clone(hub));
            }
            return Poll::Pending;
        };
        // The load goes first: its drop is part of it.
        let writes = load.end();
        let Sorted { answers, surplus } = sort(inner, &batch.keys, result, writes);
        let mut answers: Vec<_> = answers.into_iter().map(Some).collect();
        let mine = answers.get_mut(self.index as usize).and_then(Option::take);
        out.enter(Progress::Done(answers));
        knell.hub = batch.hub.as_ref().map(|(hub, _)| Arc::clone(hub));
        knell.surplus = surplus;
        Poll::Ready(mine.unwrap_or(Err(Cause::Missing)))
    }
}

impl<K, V, E, R: Runtime> Batch<K, V, E, R> {
    /// Counts how often the load was woken.
    fn wakes(&self) -> usize {
        self.hub.as_ref().map_or(0, |(hub, _)| hub.wakes())
    }
}

/// A batch whose load is being polled. Should the stack unwind, the load has panicked, for all its keys.
struct Out<'a, K, V, E, R: Runtime>(&'a Batch<K, V, E, R>);

impl<K, V, E, R: Runtime> Out<'_, K, V, E, R> {
    /// Ends the poll.
    fn enter(self, next: ProgressOf<K, V, E, R::Threads>) {
        self.0.progress.with(|progress| *progress = next);
        mem::forget(self);
    }
}

impl<K, V, E, R: Runtime> Drop for Out<'_, K, V, E, R> {
    fn drop(&mut self) {
        self.0.progress.with(|progress| *progress = Progress::Panicked);
        if let Some((hub, _)) = &self.0.hub {
            hub.notify_all();
        }
    }
}

impl<K, V, E, R: Runtime> Drop for Part<K, V, E, R> {
    fn drop(&mut self) {
        let _waker = self.batch.hub.as_ref().and_then(|(hub, _)| hub.withdraw(&mut self.listener));
    }
}
