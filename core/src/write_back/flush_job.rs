//! Flushing one key: its content is fixed first, then what has to be on disk before it is flushed, then it is written.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    Fault,
    needs::Needs,
    shared::{BookOf, Done, Shared, Writing},
};
use crate::{Key, Runtime, Threads, contain::both, source::Files, sync::Arc};

/// One flush of one key. Dropped before it has succeeded, it leaves the key as dirty as it was.
pub struct FlushJob<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    key: K,
    round: u64,
    /// The entry, while it is being flushed.
    writing: Option<Writing<K, V, E, R>>,
    step: Steps<V, E, R::Threads>,
}

type Steps<V, E, T> = Step<V, <T as Threads>::Task<Result<(), E>>, T>;

enum Step<V, F, T: Threads> {
    New,
    /// This is to be written.
    Fixed(V),
    /// What has to be on disk first.
    First(V, Needs<T>),
    Writing(F),
    Over,
}

/// How a flush begins.
enum Begun {
    /// It is fixed what is to be written.
    Fixed,
    /// Not yet: one that was given up has not gone.
    Before,
    /// Not at all: another caller has flushed it, or it is gone.
    Nothing,
}

impl<K: Key, V: Clone, E, R: Runtime> FlushJob<K, V, E, R> {
    pub(super) const fn new(shared: Arc<Shared<K, V, E, R>>, key: K, round: u64) -> Self {
        Self { shared, key, round, writing: None, step: Step::New }
    }

    /// Fixes what is to be written of the entry at this place, if this is its turn.
    pub(super) fn fix(&mut self, place: u32, book: &mut BookOf<K, V, E, R>) -> bool {
        let Some(value) = book.ledger.begin_flush(place, self.round) else { return false };
        (self.writing, self.step) = (Some(Writing::new(&self.shared, place)), Step::Fixed(value));
        true
    }

    /// The same for one that was begun before its entry was looked for.
    fn begin(&mut self, cx: &Context<'_>) -> Begun {
        let shared = Arc::clone(&self.shared);
        // What is not needed of it is dropped outside the lock.
        let (hash, mut waker) = (shared.hash(&self.key), Some(cx.waker().clone()));
        shared.with(|book| {
            let Some(found) = book.ledger.find(hash, |k| *k == self.key) else { return Begun::Nothing };
            if self.fix(found, book) {
                return Begun::Fixed;
            }
            let entry = book.ledger.entry(found);
            if entry.round == self.round && entry.state.is_flushing() {
                if !book.ending.iter().any(|other| other.will_wake(cx.waker())) {
                    book.ending.extend(waker.take());
                }
                return Begun::Before;
            }
            Begun::Nothing
        })
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for FlushJob<K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Future for FlushJob<K, V, E, R> {
    type Output = Result<Done<K, V, E, R>, Fault<K, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.step {
                Step::New => match this.begin(cx) {
                    Begun::Fixed => {}
                    Begun::Before => return Poll::Pending,
                    Begun::Nothing => return Poll::Ready(Ok(Done::Flushed)),
                },
                Step::Fixed(_) => {
                    let needs = Needs::of(&this.shared.node);
                    if let Step::Fixed(value) = mem::replace(&mut this.step, Step::Over) {
                        this.step = Step::First(value, needs);
                    }
                }
                Step::First(_, needs) => {
                    if let Err(unflushed) = ready!(needs.poll(cx)) {
                        this.writing = None;
                        return Poll::Ready(Err(Fault::Dependency(unflushed)));
                    }
                    if let Step::First(value, needs) = mem::replace(&mut this.step, Step::Over) {
                        needs.succeed();
                        this.step = Step::Writing(this.shared.backend.flush(this.key.clone(), value));
                    }
                }
                Step::Writing(write) => {
                    let result = ready!(Pin::new(write).poll(cx));
                    // The flush goes first: its drop is part of it.
                    this.step = Step::Over;
                    let writing = this.writing.take();
                    return Poll::Ready(match result {
                        Ok(()) => Ok(writing.map_or(Done::Flushed, Done::Written)),
                        Err(error) => {
                            drop(writing);
                            Err(Fault::Backend(Arc::new(error)))
                        }
                    });
                }
                Step::Over => return Poll::Ready(Ok(Done::Flushed)),
            }
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for FlushJob<K, V, E, R> {
    fn drop(&mut self) {
        // What was being written is given up first.
        both(self, |job| job.step = Step::Over, |job| job.writing = None);
    }
}
