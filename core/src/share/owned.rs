//! A waiter that owns its handle of the cache: a ticket, or a load that a spawner finishes.

use core::task::{Context, Poll};

use super::{After, ByLoader, CallerLoad, Engine, NoLoad, Stay, stay::State};
use crate::{Key, Runtime, Tuning, shard::LookupResult, sync::Arc};

/// A waiter that only wants the load to go on.
pub(crate) struct Owned<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: Arc<Engine<K, V, E, R, S>>,
    stay: Stay<R>,
    /// It may begin a load.
    begins: bool,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Owned<K, V, E, R, S> {
    pub(crate) fn new(engine: &Arc<Engine<K, V, E, R, S>>, stay: Stay<R>) -> Self {
        Self { engine: Arc::clone(engine), stay, begins: true }
    }

    /// Makes a waiter that finishes what others began, and begins nothing.
    pub(crate) fn finishing(engine: &Arc<Engine<K, V, E, R, S>>, stay: Stay<R>) -> Self {
        Self { engine: Arc::clone(engine), stay, begins: false }
    }

    pub(super) const fn stay(&mut self) -> &mut Stay<R> {
        &mut self.stay
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.stay.state, State::Over)
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_told(cx).map(drop)
    }

    /// Polls it, and returns how it ended.
    pub(crate) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<LookupResult<V, E>> {
        let Self { engine, stay, begins } = self;
        if !stay.waiting.seat.is_taken() {
            return Poll::Pending;
        }
        let by: &mut dyn CallerLoad<K, V, E, R::Threads> = if *begins { &mut ByLoader } else { &mut NoLoad };
        let mut after = After::new(engine);
        let mut visit = engine.visit(None, &engine.call, by, cx.waker());
        visit.reached = stay.reached;
        let poll = Engine::carry_on(engine, stay, &mut visit, by, None, &mut after, cx);
        after.told(poll)
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Owned<K, V, E, R, S> {
    fn drop(&mut self) {
        Engine::leave(&self.engine, &mut self.stay);
    }
}
