//! How a caller can bring about a load.

use alloc::{boxed::Box, sync::Arc};
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    Cause, Loaded, Previous, Takes, Threads,
    flight::Start,
    source::{Answered, Sources, TaskOf},
};

/// What a load comes to.
pub(crate) type Owned<V, E> = Result<Answered<V>, Cause<E>>;

/// Puts what a load answers into words that all loads have in common.
pub(crate) fn answer<A: Into<Answered<V>>, V, E>(result: Result<A, E>) -> Owned<V, E> {
    result.map(Into::into).map_err(|error| Cause::Error(Arc::new(error)))
}

/// What a caller leads with, should it fall to it. Public only as a part of the futures' types.
pub trait Means<K, V, E, T: Threads> {
    /// Begins an attempt in the flight; `None` if this caller has no means, or none any more.
    fn start(&mut self, source: &Sources<K, V, E, T>) -> Option<Start<TaskOf<V, E, T>>>;

    /// Makes the load of an attempt that was begun to be made [later](Start::Later): it rests in the flight from then on.
    fn make(&mut self) -> Option<TaskOf<V, E, T>> {
        None
    }

    /// Whether there is something to load with outside any flight.
    fn can_load(&self, source: &Sources<K, V, E, T>) -> bool;

    /// Begins a load outside any flight, which is then polled by `poll_own`.
    fn start_alone(&mut self, source: &Sources<K, V, E, T>, key: K, previous: Option<Previous<V>>);

    /// Polls the load that this caller keeps.
    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>>;

    /// Tells whether the load that was put off until others may share it has still to be begun, in this very poll.
    fn is_put_off(&self) -> bool {
        false
    }

    /// Drops the load that this caller keeps.
    fn drop_own(&mut self);
}

/// Leads by the cache's own loader, if it has one. `F` is a load under way; boxed once more, as few calls ever keep one.
pub struct ByLoader<F>(Option<Box<F>>);

impl<F> ByLoader<F> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }
}

impl<K, V, E, T: Threads> Means<K, V, E, T> for ByLoader<TaskOf<V, E, T>> {
    fn start(&mut self, source: &Sources<K, V, E, T>) -> Option<Start<TaskOf<V, E, T>>> {
        source.loads().then_some(Start::Fresh)
    }

    fn can_load(&self, source: &Sources<K, V, E, T>) -> bool {
        source.loads()
    }

    fn start_alone(&mut self, source: &Sources<K, V, E, T>, key: K, previous: Option<Previous<V>>) {
        self.0 = source.begin(key, previous).map(Box::new);
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>> {
        poll_kept(&mut self.0, cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.0 = None;
    }
}

/// Leads by a load of this call, which owns what it needs and rests in the flight; the closure that makes it may borrow.
///
/// `A` is what the load answers, `Kept` the load once its type is erased.
pub struct ByCall<C, F, A, V, E, Kept> {
    make: Option<C>,
    kept: Option<Kept>,
    /// Puts what the load answers in the words of the engine.
    say: fn(Result<A, E>, ()) -> Result<Answered<V>, E>,
    loads: PhantomData<fn() -> F>,
}

impl<C, F, A, V, E, Kept> ByCall<C, F, A, V, E, Kept> {
    pub(crate) const fn new(make: C, say: fn(Result<A, E>, ()) -> Result<Answered<V>, E>) -> Self {
        Self { make: Some(make), kept: None, say, loads: PhantomData }
    }
}

impl<K, V, E, T, C, F, A> Means<K, V, E, T> for ByCall<C, F, A, V, E, TaskOf<V, E, T>>
where
    V: 'static,
    E: 'static,
    T: Takes<F>,
    C: FnOnce() -> F,
    F: Future<Output = Result<A, E>>,
{
    fn start(&mut self, _: &Sources<K, V, E, T>) -> Option<Start<TaskOf<V, E, T>>> {
        self.make.is_some().then_some(Start::Later)
    }

    fn make(&mut self) -> Option<TaskOf<V, E, T>> {
        self.make.take().map(|make| T::task(make(), (), self.say))
    }

    fn can_load(&self, _: &Sources<K, V, E, T>) -> bool {
        self.make.is_some()
    }

    fn start_alone(&mut self, _: &Sources<K, V, E, T>, _: K, _: Option<Previous<V>>) {
        self.kept = Means::<K, V, E, T>::make(self);
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>> {
        poll_kept(&mut self.kept, cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.kept = None;
    }
}

/// Leads by a closure that may borrow: its load stays with the caller.
pub struct Borrowed<C, F> {
    make: Option<C>,
    load: Option<Pin<Box<F>>>,
}

impl<C, F> Borrowed<C, F> {
    pub(crate) const fn new(make: C) -> Self {
        Self { make: Some(make), load: None }
    }
}

impl<C: FnOnce() -> F, F: Future> Borrowed<C, F> {
    const fn can_start(&self) -> bool {
        self.make.is_some()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(make) = self.make.take() {
            self.load = Some(Box::pin(make()));
        }
        poll_kept(&mut self.load, cx)
    }
}

impl<K, V, E, T, C, F> Means<K, V, E, T> for Borrowed<C, F>
where
    T: Threads,
    C: FnOnce() -> F,
    F: Future<Output = Result<Loaded<V>, E>>,
{
    fn start(&mut self, _: &Sources<K, V, E, T>) -> Option<Start<TaskOf<V, E, T>>> {
        self.can_start().then_some(Start::Lent)
    }

    fn can_load(&self, _: &Sources<K, V, E, T>) -> bool {
        self.can_start()
    }

    fn start_alone(&mut self, _: &Sources<K, V, E, T>, _: K, _: Option<Previous<V>>) {}

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>> {
        self.poll(cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.load = None;
    }
}

/// As [`Borrowed`], for a closure whose values are plain.
pub(crate) struct Plainly<B>(pub(super) B);

impl<K, V, E, T, C, F> Means<K, V, E, T> for Plainly<Borrowed<C, F>>
where
    T: Threads,
    C: FnOnce() -> F,
    F: Future<Output = Result<V, E>>,
{
    fn start(&mut self, _: &Sources<K, V, E, T>) -> Option<Start<TaskOf<V, E, T>>> {
        self.0.can_start().then_some(Start::Lent)
    }

    fn can_load(&self, _: &Sources<K, V, E, T>) -> bool {
        self.0.can_start()
    }

    fn start_alone(&mut self, _: &Sources<K, V, E, T>, _: K, _: Option<Previous<V>>) {}

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>> {
        self.0.poll(cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.0.load = None;
    }
}

/// Polls a kept load and drops it once it is ready.
pub(crate) fn poll_kept<F: Future + Unpin>(load: &mut Option<F>, cx: &mut Context<'_>) -> Poll<F::Output> {
    let Some(present) = load else { return Poll::Pending };
    let poll = Pin::new(present).poll(cx);
    if poll.is_ready() {
        *load = None;
    }
    poll
}
