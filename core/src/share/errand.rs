//! A waiter that owns its key, its handle and its load.

use core::task::{Context, Poll, Waker};

use super::{
    After, CallerLoad, EffectsOf, Engine, ShardOf, Stay,
    stay::{OwnKey, State},
};
use crate::{
    Instant, Key, LoadError, Outcome, Runtime, Tuning,
    shard::{Seat, Step, Visit},
    sync::Arc,
};

/// A waiter that owns its key, its handle and its load. For a runtime without time.
///
/// It may take its seat in a step of its caller, and go on from there once the lock is released.
pub(crate) struct Errand<K: Key, V: Clone, E, R: Runtime, S: Tuning, L> {
    engine: Arc<Engine<K, V, E, R, S>>,
    hash: u64,
    key: OwnKey<K>,
    stay: Stay<R>,
    load: L,
}

/// The result of a load; none if there is no load, and none was brought.
type Comes<V, E> = Option<Result<V, LoadError<E>>>;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, L> Errand<K, V, E, R, S, L>
where
    L: CallerLoad<K, V, E, R::Threads>,
{
    pub(crate) fn new(engine: &Arc<Engine<K, V, E, R, S>>, hash: u64, key: K, load: L) -> Self {
        Self { engine: Arc::clone(engine), hash, key: OwnKey(key), stay: Stay::new(), load }
    }

    pub(crate) const fn key(&self) -> &K {
        &self.key.0
    }

    /// How it begins a load.
    pub(crate) const fn load(&mut self) -> &mut L {
        &mut self.load
    }

    /// Its place in the flight, without a waiter.
    pub(crate) fn seat(&self) -> Seat<R::Notify> {
        self.stay.waiting.seat.place_only()
    }

    /// Whether it waits for a load that another caller has begun.
    pub(crate) const fn has_joined(&self) -> bool {
        self.stay.waiting.seat.is_taken() && self.stay.waiting.seat.began == 0
    }

    /// Takes its seat. The next step is done at once when the lock is released, and nothing before that may panic.
    pub(crate) fn arrive(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, S>,
        waker: &Waker,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) -> Step {
        self.arrive_for(shard, waker, waker, effects)
    }

    /// Takes its seat as one of many in a call that is polled with another waker.
    fn arrive_for(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, S>,
        waker: &Waker,
        inside: &Waker,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) -> Step {
        let Self { engine, hash, key, stay, load } = self;
        let visit = engine.visit(Some(&*key), &engine.call, load, waker);
        let visit = Visit { inside, is_present: true, ..visit };
        stay.begin(*hash, Instant::ZERO, false);
        let step = shard.arrive(&mut stay.waiting, &visit, effects);
        stay.state = State::Waiting;
        step
    }

    /// Goes on from a step, or looks for the next one.
    pub(crate) fn go_on(
        &mut self,
        step: Option<Step>,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Poll<Comes<V, E>> {
        self.go_on_for(step, after, cx.waker(), &mut Context::from_waker(cx.waker()))
    }

    fn go_on_for(
        &mut self,
        step: Option<Step>,
        after: &mut After<'_, K, V, E, R, S>,
        inside: &Waker,
        cx: &mut Context<'_>,
    ) -> Poll<Comes<V, E>> {
        let Self { engine, key, stay, load, .. } = self;
        let visit = engine.visit(Some(&*key), &engine.call, load, cx.waker());
        let mut visit = Visit { inside, ..visit };
        let poll = Engine::carry_on(engine, stay, &mut visit, load, step, after, cx);
        after.told(poll).map(|told| match told {
            Ok(outcome) => Some(Ok(Outcome::into_value(outcome))),
            Err(LoadError::NoLoader) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Takes its seat if it has none yet, and waits.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Comes<V, E>> {
        self.poll_for(cx.waker(), &mut Context::from_waker(cx.waker()))
    }

    /// Polls as one of many in a call that is polled with another waker.
    pub(crate) fn poll_for(&mut self, inside: &Waker, cx: &mut Context<'_>) -> Poll<Comes<V, E>> {
        let engine = Arc::clone(&self.engine);
        let mut after = After::new(&engine);
        if self.stay.is_new() {
            let step = engine.with(self.hash, |shard| self.arrive_for(shard, cx.waker(), inside, after.effects()));
            return self.go_on_for(Some(step), &mut after, inside, cx);
        }
        match engine.collect(&mut self.stay, &mut self.load) {
            Some(told) => told.map(|told| Some(told.map(Outcome::into_value))),
            None => self.go_on_for(None, &mut after, inside, cx),
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, L> Drop for Errand<K, V, E, R, S, L> {
    fn drop(&mut self) {
        Engine::leave(&self.engine, &mut self.stay);
    }
}
