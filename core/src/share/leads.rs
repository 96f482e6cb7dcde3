//! How a call for many keys loads the keys that it leads, and its answer for each key.

use alloc::vec::Vec;
use core::{future::Future, marker::PhantomData};

use super::CallerLoad;
use crate::{
    LoadError, Outcome, Takes, Threads,
    flight::Start,
    shard::AsKey,
    source::{Asked, BatchOf, Delivery, Sources, TaskOf},
};

/// The answers of a call for many keys.
pub(crate) type Results<T, E> = Vec<Result<T, LoadError<E>>>;

/// How a call for many keys loads.
pub trait Leads<K, V, E, T: Threads> {
    /// Whether it loads all keys that it leads by one load.
    #[doc(hidden)]
    fn is_batch(&self, sources: &Sources<K, V, E, T>) -> bool;
    /// Whether it can load at all.
    #[doc(hidden)]
    fn can_load(&self, sources: &Sources<K, V, E, T>) -> bool;
    /// Begins the load of these keys, in any case if the call wants that.
    #[doc(hidden)]
    fn begin(&mut self, sources: &Sources<K, V, E, T>, keys: Vec<K>, reload: bool) -> Option<BatchOf<K, V, E, T>>;
}

/// Loads by the cache's loader.
pub struct FromLoader;

impl<K, V, E, T: Threads> Leads<K, V, E, T> for FromLoader {
    fn is_batch(&self, sources: &Sources<K, V, E, T>) -> bool {
        sources.batches()
    }

    fn can_load(&self, sources: &Sources<K, V, E, T>) -> bool {
        sources.loads()
    }

    fn begin(&mut self, sources: &Sources<K, V, E, T>, keys: Vec<K>, reload: bool) -> Option<BatchOf<K, V, E, T>> {
        sources.begin_many(keys, reload)
    }
}

/// Loads by a closure of the call.
pub(crate) struct ByClosure<K, V, E, T: Threads, C, F, A> {
    make: C,
    say: fn(Result<A, E>, ()) -> Delivery<K, V, E, T>,
    future: PhantomData<fn() -> F>,
}

impl<K, V, E, T: Threads, C, F, A> ByClosure<K, V, E, T, C, F, A> {
    pub(crate) const fn new(make: C, say: fn(Result<A, E>, ()) -> Delivery<K, V, E, T>) -> Self {
        Self { make, say, future: PhantomData }
    }
}

impl<K, V, E, T, C, F, A> Leads<K, V, E, T> for ByClosure<K, V, E, T, C, F, A>
where
    K: 'static,
    V: 'static,
    E: 'static,
    T: Takes<F>,
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, E>>,
{
    fn is_batch(&self, _: &Sources<K, V, E, T>) -> bool {
        true
    }

    fn can_load(&self, _: &Sources<K, V, E, T>) -> bool {
        true
    }

    fn begin(&mut self, _: &Sources<K, V, E, T>, keys: Vec<K>, _: bool) -> Option<BatchOf<K, V, E, T>> {
        Some(T::task((self.make)(keys), (), self.say))
    }
}

/// How one member of a call begins its load.
#[derive(Clone, Copy)]
pub(super) struct MemberLoad(Option<Start>);

impl MemberLoad {
    pub(super) fn new<K, V, E, T: Threads>(sources: &Sources<K, V, E, T>, leads: &impl Leads<K, V, E, T>) -> Self {
        let start = if leads.is_batch(sources) { Start::Batch } else { Start::Made };
        Self(leads.can_load(sources).then_some(start))
    }

    /// The load of many keys that its own load is a part of, if it is one.
    pub(super) fn gathers<B: ?Sized>(self, batch: &B) -> Option<&B> {
        Some(batch).filter(|_| self.0 == Some(Start::Batch))
    }
}

impl<K, V, E, T: Threads> CallerLoad<K, V, E, T> for MemberLoad {
    fn start(&self, _: &Sources<K, V, E, T>) -> Option<Start> {
        self.0
    }

    fn is_by_loader(&self) -> bool {
        self.0 == Some(Start::Made)
    }

    fn make(&mut self, sources: &Sources<K, V, E, T>, key: &dyn AsKey<K>, asked: Asked<V>) -> Option<TaskOf<V, E, T>> {
        sources.begin(key.to_key(), asked)
    }
}

/// The answer of a call for many keys for each of them.
pub(crate) trait Shape<V, E> {
    type Answer: Clone;
    /// Whether the answer has ages and waits.
    const NEEDS_TIME: bool;

    /// A hit, if the value alone is the answer.
    fn hit(find: impl FnOnce() -> Option<V>) -> Option<Self::Answer>;
    fn tell(outcome: Outcome<V, E>) -> Self::Answer;
}

/// The value alone.
pub(crate) struct Values;

impl<V: Clone, E> Shape<V, E> for Values {
    type Answer = V;
    const NEEDS_TIME: bool = false;

    fn hit(find: impl FnOnce() -> Option<V>) -> Option<V> {
        find()
    }

    fn tell(outcome: Outcome<V, E>) -> V {
        outcome.value
    }
}

/// The whole outcome.
pub(crate) struct Outcomes;

impl<V: Clone, E> Shape<V, E> for Outcomes {
    type Answer = Outcome<V, E>;
    const NEEDS_TIME: bool = true;

    fn hit(_: impl FnOnce() -> Option<V>) -> Option<Outcome<V, E>> {
        None
    }

    fn tell(outcome: Outcome<V, E>) -> Outcome<V, E> {
        outcome
    }
}
