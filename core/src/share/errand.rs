//! A waiter that owns its key, its handle and the load that it brings.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use super::{Asked, CallerLoad, Engine, Stay, stay::OwnKey};
use crate::{
    Key, LoadError, Outcome, Previous, Runtime, Threads, Tuning,
    flight::Start,
    shard::AsKey,
    source::{Sources, TaskOf},
};

/// A waiter that owns its key, its handle and the load that it brings.
pub(crate) struct Errand<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: Arc<Engine<K, V, E, R, S>>,
    key: OwnKey<K>,
    stay: Stay<R>,
    load: GivenLoad<TaskOf<V, E, R::Threads>>,
}

/// A load that was made before.
struct GivenLoad<L>(Option<L>);

impl<K, V, E, T: Threads> CallerLoad<K, V, E, T> for GivenLoad<TaskOf<V, E, T>> {
    fn start(&self, _: &Sources<K, V, E, T>) -> Option<Start> {
        self.0.as_ref().map(|_| Start::Made)
    }

    fn make(&mut self, _: &Sources<K, V, E, T>, _: &dyn AsKey<K>, _: Option<Previous<V>>) -> Option<TaskOf<V, E, T>> {
        self.0.take()
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Errand<K, V, E, R, S> {
    pub(crate) fn new(engine: &Arc<Engine<K, V, E, R, S>>, key: K, load: Option<TaskOf<V, E, R::Threads>>) -> Self {
        Self { engine: Arc::clone(engine), key: OwnKey(key), stay: Stay::new(), load: GivenLoad(load) }
    }

    /// What the load comes to; none if there is none, and none was brought.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<V, LoadError<E>>>> {
        let Self { engine, key, stay, load } = self;
        let hash = engine.hash(&key.0);
        let asked = Asked { key: Some(&*key), call: &engine.call, batch: None, inside: None };
        let poll = engine.poll_outcome(stay, hash, &asked, load, cx);
        if stay.waiting.seat.is_taken() && stay.waiting.seat.began == 0 {
            // Who has joined a load has no use for its own, nor for what that holds.
            load.0 = None;
        }
        poll.map(|told| match told {
            Ok((outcome, _)) => Some(Ok(Outcome::into_value(outcome))),
            Err(LoadError::NoLoader) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Errand<K, V, E, R, S> {
    fn drop(&mut self) {
        self.engine.leave(&mut self.stay);
    }
}
