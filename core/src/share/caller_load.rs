//! What a caller can begin a load with.

use alloc::boxed::Box;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(feature = "std")]
use crate::source::{First, FirstOf};
use crate::{
    Loaded, Takes, Threads,
    flight::Start,
    shard::AsKey,
    source::{Answered, Asked, Say, Sources, TaskOf},
};

/// The result of a load.
pub(super) type Verdict<V, E> = Result<Answered<V, E>, E>;

/// How a caller begins a load if it has to.
///
/// Always behind `&mut dyn`, so that the engine is compiled once for each cache.
pub trait CallerLoad<K, V, E, T: Threads> {
    /// How it would begin a load; none if it can not, or not again.
    fn start(&self, sources: &Sources<K, V, E, T>) -> Option<Start>;

    /// Whether that is by the cache's loader, so that any caller could make the load.
    fn is_by_loader(&self) -> bool {
        false
    }

    /// Whether it would make a load of its own at once.
    fn makes(&self, sources: &Sources<K, V, E, T>) -> bool {
        self.start(sources) == Some(Start::Made)
    }

    /// Both, in one call.
    fn comes_with(&self, sources: &Sources<K, V, E, T>) -> (Option<Start>, bool) {
        (self.start(sources), self.is_by_loader())
    }

    /// Makes the load; none if it is lent.
    fn make(&mut self, sources: &Sources<K, V, E, T>, key: &dyn AsKey<K>, asked: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let _ = (sources, key, asked);
        None
    }

    /// Makes a load of its own, and polls it at once.
    #[cfg(feature = "std")]
    fn make_and_poll(
        &mut self,
        sources: &Sources<K, V, E, T>,
        key: &dyn AsKey<K>,
        cx: &mut Context<'_>,
    ) -> FirstOf<V, E, T> {
        First::of(self.make(sources, key, Asked::default()), cx, |load| load)
    }

    /// Polls the load that is lent.
    fn poll_lent(&mut self, cx: &mut Context<'_>) -> Poll<Verdict<V, E>> {
        let _ = cx;
        Poll::Pending
    }

    /// Is there a load that is lent?
    fn is_lending(&self) -> bool {
        false
    }

    /// Drops the load that is lent.
    fn drop_lent(&mut self) {}
}

/// Loads by the cache's loader, if there is one.
pub struct ByLoader;

impl<K, V, E, T: Threads> CallerLoad<K, V, E, T> for ByLoader {
    fn start(&self, sources: &Sources<K, V, E, T>) -> Option<Start> {
        sources.loads().then_some(Start::Made)
    }

    fn is_by_loader(&self) -> bool {
        true
    }

    fn make(&mut self, sources: &Sources<K, V, E, T>, key: &dyn AsKey<K>, asked: Asked<V>) -> Option<TaskOf<V, E, T>> {
        sources.begin(key.to_key(), asked)
    }

    #[cfg(feature = "std")]
    fn make_and_poll(
        &mut self,
        sources: &Sources<K, V, E, T>,
        key: &dyn AsKey<K>,
        cx: &mut Context<'_>,
    ) -> FirstOf<V, E, T> {
        sources.begin_and_poll(key.to_key(), cx)
    }
}

/// Does not load: the load was made before.
pub(crate) struct NoLoad;

impl<K, V, E, T: Threads> CallerLoad<K, V, E, T> for NoLoad {
    fn start(&self, _: &Sources<K, V, E, T>) -> Option<Start> {
        None
    }
}

/// Loads by a closure of the call, whose future owns what it needs; `S` converts what that returns.
pub struct ByCall<C, F, S> {
    make: Option<C>,
    say: S,
    future: PhantomData<fn() -> F>,
}

impl<C, F, S> ByCall<C, F, S> {
    pub(crate) const fn new(make: C, say: S) -> Self {
        Self { make: Some(make), say, future: PhantomData }
    }
}

impl<K, V, E, T, C, F, S> CallerLoad<K, V, E, T> for ByCall<C, F, S>
where
    V: 'static,
    E: 'static,
    T: Takes<F>,
    C: FnOnce() -> F,
    F: Future,
    S: Say<F::Output, (), Verdict<V, E>> + Copy + Send + 'static,
{
    fn start(&self, _: &Sources<K, V, E, T>) -> Option<Start> {
        self.make.as_ref().map(|_| Start::Made)
    }

    fn make(&mut self, _: &Sources<K, V, E, T>, _: &dyn AsKey<K>, _: Asked<V>) -> Option<TaskOf<V, E, T>> {
        self.make.take().map(|make| T::load(make, (), self.say))
    }

    #[cfg(feature = "std")]
    fn make_and_poll(&mut self, _: &Sources<K, V, E, T>, _: &dyn AsKey<K>, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        match self.make.take() {
            Some(make) => T::first(make, (), self.say, cx),
            None => First::Pending(None),
        }
    }
}

/// Loads by a closure of the call, whose future may borrow and stays with the call.
pub struct Lent<C, F, A, V> {
    make: Option<C>,
    load: Option<Pin<Box<F>>>,
    say: fn(A) -> Loaded<V>,
}

impl<C, F, A, V> Lent<C, F, A, V> {
    pub(crate) const fn new(make: C, say: fn(A) -> Loaded<V>) -> Self {
        Self { make: Some(make), load: None, say }
    }
}

impl<K, V, E, T, C, F, A> CallerLoad<K, V, E, T> for Lent<C, F, A, V>
where
    T: Threads,
    C: FnOnce() -> F,
    F: Future<Output = Result<A, E>>,
{
    fn start(&self, _: &Sources<K, V, E, T>) -> Option<Start> {
        self.make.as_ref().map(|_| Start::Lent)
    }

    fn poll_lent(&mut self, cx: &mut Context<'_>) -> Poll<Verdict<V, E>> {
        if let Some(make) = self.make.take() {
            self.load = Some(Box::pin(make()));
        }
        let Some(load) = &mut self.load else { return Poll::Pending };
        let poll = load.as_mut().poll(cx);
        if poll.is_ready() {
            self.load = None;
        }
        poll.map(|result| result.map(|answer| Answered::new((self.say)(answer))))
    }

    fn is_lending(&self) -> bool {
        self.load.is_some()
    }

    fn drop_lent(&mut self) {
        self.load = None;
    }
}
