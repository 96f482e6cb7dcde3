//! How a caller can bring about a load.

use alloc::{boxed::Box, sync::Arc};
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Cause, Loaded, Previous, Source, TakesCalls, flight::Start, seams::Answered};

/// What a load comes to.
pub(crate) type Owned<V, E> = Result<Answered<V>, Cause<E>>;

/// Puts what a load answers into words that all loads have in common.
pub(crate) fn answer<A: Into<Answered<V>>, V, E>(result: Result<A, E>) -> Owned<V, E> {
    result.map(Into::into).map_err(|error| Cause::Error(Arc::new(error)))
}

/// What a caller leads with, should it fall to him. Public only as a part of the futures' types.
pub trait Means<K, L: Source<K>> {
    /// Begins an attempt in the flight; `None` if this caller has used up his means.
    fn start(&mut self) -> Option<Start<L::Future>>;

    /// Begins a load outside any flight, which is then polled by `poll_own`.
    fn start_alone(&mut self, source: &L, key: K, previous: Option<Previous<L::Value>>);

    /// Polls the load that this caller keeps.
    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>>;

    /// Tells whether the load that was put off until others may share it has still to be begun, in this very poll.
    fn is_put_off(&self) -> bool {
        false
    }

    /// Drops the load that this caller keeps.
    fn drop_own(&mut self);
}

/// Leads by the cache's own loader.
pub struct ByLoader<F>(Option<F>);

impl<F> ByLoader<F> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }
}

impl<K, L: Source<K>> Means<K, L> for ByLoader<L::Future> {
    fn start(&mut self) -> Option<Start<L::Future>> {
        // The ticket of a call that brought a load has no other one.
        L::LOADS.then_some(Start::Fresh)
    }

    fn start_alone(&mut self, source: &L, key: K, previous: Option<Previous<L::Value>>) {
        self.0 = source.begin(key, previous);
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        poll_kept(&mut self.0, cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.0 = None;
    }
}

/// Leads by a load of this call, which owns what it needs and rests in the flight. `A` is what it answers.
pub struct ByCall<C, F, A, Kept> {
    make: Option<C>,
    kept: Option<Kept>,
    answers: PhantomData<fn() -> (F, A)>,
}

impl<C, F, A, Kept> ByCall<C, F, A, Kept> {
    pub(crate) const fn new(make: C) -> Self {
        Self { make: Some(make), kept: None, answers: PhantomData }
    }
}

impl<K, L, C, F, A> Means<K, L> for ByCall<C, F, A, L::Future>
where
    L: TakesCalls<K, C, F, A>,
{
    fn start(&mut self) -> Option<Start<L::Future>> {
        self.make.take().map(|make| Start::Ready(L::wrap(make)))
    }

    fn start_alone(&mut self, _: &L, _: K, _: Option<Previous<L::Value>>) {
        self.kept = self.make.take().map(L::wrap);
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        poll_kept(&mut self.kept, cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.kept = None;
    }
}

/// Leads by a closure that may borrow: its load stays with the caller.
pub(crate) struct Borrowed<C, F> {
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

impl<K, L, C, F> Means<K, L> for Borrowed<C, F>
where
    L: Source<K>,
    C: FnOnce() -> F,
    F: Future<Output = Result<Loaded<L::Value>, L::Error>>,
{
    fn start(&mut self) -> Option<Start<L::Future>> {
        self.can_start().then_some(Start::Lent)
    }

    fn start_alone(&mut self, _: &L, _: K, _: Option<Previous<L::Value>>) {}

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        self.poll(cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.load = None;
    }
}

/// As [`Borrowed`], for a closure whose values are plain.
pub(crate) struct Plainly<B>(pub(super) B);

impl<K, L, C, F> Means<K, L> for Plainly<Borrowed<C, F>>
where
    L: Source<K>,
    C: FnOnce() -> F,
    F: Future<Output = Result<L::Value, L::Error>>,
{
    fn start(&mut self) -> Option<Start<L::Future>> {
        self.0.can_start().then_some(Start::Lent)
    }

    fn start_alone(&mut self, _: &L, _: K, _: Option<Previous<L::Value>>) {}

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
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
