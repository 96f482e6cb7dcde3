//! Flushing one key: its content is fixed first, then what has to be on disk before it is flushed, then it is written.

use alloc::sync::Arc;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{Fault, Unflushed, needs::Needs, shared::Shared};
use crate::{
    Key, Runtime, Threads,
    contain::{both, each},
    source::Files,
};

/// One flush of one key. Dropped before it has succeeded, it leaves the key as dirty as it was.
pub struct FlushJob<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    key: K,
    round: u64,
    /// The entry, while it is being flushed.
    place: Option<u32>,
    step: Steps<V, E, R::Threads>,
}

type Steps<V, E, T> = Step<V, <T as Threads>::Task<Result<(), E>>, <T as Threads>::Task<Result<(), Unflushed>>>;

enum Step<V, F, T> {
    New,
    /// What has to be on disk first.
    First(V, Needs<T>),
    Writing(F),
    Over,
}

/// How a flush begins.
enum Begun<V> {
    /// With this to be written.
    With(V),
    /// Not yet: one that was given up has not gone.
    Before,
    /// Not at all: somebody else has flushed it, or it is gone.
    Nothing,
}

impl<K: Key, V: Clone, E, R: Runtime> FlushJob<K, V, E, R> {
    pub(super) const fn new(shared: Arc<Shared<K, V, E, R>>, key: K, round: u64) -> Self {
        Self { shared, key, round, place: None, step: Step::New }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault<K, E>>> {
        loop {
            match &mut self.step {
                Step::New => match self.begin(cx) {
                    Begun::With(value) => {
                        self.step = Step::First(value, Needs::of(&self.shared));
                    }
                    Begun::Before => return Poll::Pending,
                    Begun::Nothing => return Poll::Ready(Ok(())),
                },
                Step::First(_, needs) => {
                    if let Err(unflushed) = ready!(needs.poll(cx)) {
                        self.end(false);
                        return Poll::Ready(Err(Fault::Dependency(unflushed)));
                    }
                    if let Step::First(value, ..) = mem::replace(&mut self.step, Step::Over) {
                        self.step = Step::Writing(self.shared.backend.flush(self.key.clone(), value));
                    }
                }
                Step::Writing(write) => {
                    let result = ready!(Pin::new(write).poll(cx));
                    // The flush goes first: its drop is part of it.
                    self.step = Step::Over;
                    self.end(result.is_ok());
                    return Poll::Ready(result.map_err(|error| Fault::Backend(Arc::new(error))));
                }
                Step::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Fixes what is to be written.
    fn begin(&mut self, cx: &Context<'_>) -> Begun<V> {
        let Self { shared, key, round, place, .. } = self;
        // What is not needed of it is dropped outside the lock.
        let (hash, mut waker) = (shared.hash(key), Some(cx.waker().clone()));
        shared.with(|book| {
            let Some(found) = book.ledger.find(hash, |k| k == key) else { return Begun::Nothing };
            if let Some(value) = book.ledger.begin_flush(found, *round) {
                *place = Some(found);
                return Begun::With(value);
            }
            let entry = book.ledger.entry(found);
            if entry.round == *round && entry.state.is_flushing() {
                if !book.ending.iter().any(|other| other.will_wake(cx.waker())) {
                    book.ending.extend(waker.take());
                }
                return Begun::Before;
            }
            Begun::Nothing
        })
    }

    fn end(&mut self, is_written: bool) {
        if let Some(place) = self.place.take() {
            let ending = self.shared.with(|book| {
                book.ledger.end_flush(place, is_written);
                mem::take(&mut book.ending)
            });
            each(ending.into_iter(), Waker::wake);
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for FlushJob<K, V, E, R> {
    fn drop(&mut self) {
        // What was being written is given up first.
        both(self, |job| job.step = Step::Over, |job| job.end(false));
    }
}
