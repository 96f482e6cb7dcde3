//! Guards for panics of a load, and of what makes or judges it.

use alloc::vec::Vec;
use core::mem;

use super::{
    After, Batch, CallerLoad, EffectsOf, Engine, ShardOf, Stay, VisitOf,
    batch_load::{SeatOf, keys_of},
    stay::State,
};
use crate::{
    Instant, Key, Runtime, Tuning,
    contain::{both, contain},
    flight::PolledBy,
    shard::{At, SharedLoad, Step, Waiting},
    source::TaskOf,
    sync::Arc,
};

/// A load that is handed out; none if it is lent, or to be made.
type LoadOf<V, E, R> = Option<TaskOf<V, E, <R as Runtime>::Threads>>;

/// Tells a panic in what is made, polled or judged to the callers that wait.
pub(super) struct Driving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    pub(super) waiting: &'a mut Waiting<R::Notify>,
    /// Its attempt; none once a panic does not concern it any more.
    number: u32,
    now: Instant,
    /// The clock may be read; false while it is being read, because it may panic.
    reads: bool,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Driving<'a, K, V, E, R, S> {
    pub(super) const fn new(
        engine: &'a Engine<K, V, E, R, S>,
        waiting: &'a mut Waiting<R::Notify>,
        number: u32,
        now: Instant,
    ) -> Self {
        Self { engine, waiting, number, now, reads: true }
    }

    /// Reads the clock, which may panic itself.
    pub(super) fn read_clock(&mut self) -> Instant {
        self.reads = false;
        self.now = self.engine.runtime.now();
        self.reads = true;
        self.now
    }

    /// Notes that an unshared load is polled, so that a call from inside it is recognized.
    #[cold]
    pub(super) fn enter_alone(&self, key: K, by: PolledBy) {
        let hash = self.waiting.hash;
        self.engine.with(hash, |shard| shard.enter_alone((hash, key), by, self.mark(), false));
    }

    /// The load is not ready: it comes back, and the caller looks what is next. If that panics, the load is not concerned.
    pub(super) fn check_in(
        &mut self,
        shard: &mut ShardOf<K, V, E, R, S>,
        load: LoadOf<V, E, R>,
        visit: &VisitOf<'_, K, V, E, R, S>,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) -> Step {
        let step = shard.check_in(self.waiting, load, effects);
        self.number = 0;
        step.unwrap_or_else(|| shard.visit(self.waiting, visit, effects))
    }

    #[cold]
    fn leave_alone(engine: &Engine<K, V, E, R, S>, hash: u64, mark: usize) {
        let key = engine.with(hash, |shard| shard.leave_alone(hash, mark));
        contain(|| drop(key));
    }

    /// The address of its caller, which does not move meanwhile.
    fn mark(&self) -> usize {
        core::ptr::from_ref(&*self.waiting).addr()
    }

    /// All went well.
    #[inline]
    pub(super) fn disarm(self) {
        mem::forget(self);
    }

    /// The load has been polled, and all went well.
    #[inline]
    pub(super) fn disarm_polled(self) {
        let (engine, hash, mark) = (self.engine, self.waiting.hash, self.mark());
        let is_alone = self.waiting.is_alone;
        mem::forget(self);
        if is_alone {
            // (The drop of a key may panic, which does not concern the load.)
            Self::leave_alone(engine, hash, mark);
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Driving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let engine = self.engine;
        let mut now = self.now;
        if self.waiting.is_alone {
            Self::leave_alone(engine, self.waiting.hash, self.mark());
        }
        if self.number == 0 {
            return;
        }
        if self.reads {
            // The load has panicked already, so a panic of the clock would be the second.
            contain(|| now = engine.runtime.now());
        }
        engine.tell_panic(self.waiting, self.number, now);
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// A load has panicked. Not inlined, or its guard would be written to memory each time.
    #[cold]
    #[inline(never)]
    fn tell_panic(&self, waiting: &mut Waiting<R::Notify>, number: u32, now: Instant) {
        let (mut after, at) = (After::new(self), At { now, rules: &self.rules });
        self.with_room(waiting.hash, now, &mut after, |shard, effects| shard.panicked(waiting, number, at, effects));
    }

    /// Does what earlier steps have left to do, before what the last one has handed out is polled. If that panics, the load
    /// is put back: another caller polls it, or makes it.
    pub(super) fn do_earlier(
        &self,
        waiting: &mut Waiting<R::Notify>,
        handed: (u32, Step),
        load: &mut LoadOf<V, E, R>,
        after: &mut After<'_, K, V, E, R, S>,
    ) {
        if after.effects().is_quiet() {
            return;
        }
        both(
            &mut (after, load, true),
            |(after, _, is_undone)| {
                after.run();
                *is_undone = false;
            },
            |(after, load, is_undone)| {
                if *is_undone {
                    let (hash, load) = (waiting.hash, load.take());
                    self.with(hash, |shard| shard.put_back(waiting, handed, load, after.effects()));
                }
            },
        );
    }
}

/// Notes that an unshared load of many keys is polled, so that a call from inside it is recognized.
pub(super) struct Inside<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    hash: u64,
    mark: usize,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Inside<'a, K, V, E, R, S> {
    pub(super) fn enter(
        engine: &'a Engine<K, V, E, R, S>,
        (hash, key): (u64, K),
        batch: &Arc<Batch<K, V, E, R, S>>,
    ) -> Self {
        let (by, mark) = (batch.polled_by(), Arc::as_ptr(batch).addr());
        engine.with(hash, |shard| shard.enter_alone((hash, key), by, mark, true));
        Self { engine, hash, mark }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Notes that an unshared load is made or polled: it has no flight by which calls from inside it could be found.
    pub(super) fn enter_alone(
        &self,
        batch: &Arc<Batch<K, V, E, R, S>>,
        seats: &[SeatOf<K, R>],
    ) -> Vec<Inside<'_, K, V, E, R, S>> {
        let keys = if batch.is_alone { keys_of(seats) } else { Vec::new() };
        let mut inside: Vec<_> = keys.into_iter().map(|key| Inside::enter(self, key, batch)).collect();
        // The last to enter leaves first.
        inside.reverse();
        inside
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Inside<'_, K, V, E, R, S> {
    fn drop(&mut self) {
        let key = self.engine.with(self.hash, |shard| shard.leave_alone(self.hash, self.mark));
        contain(|| drop(key));
    }
}

/// Keeps a caller's result for its next poll if a waker, a listener or a drop panics before it is returned.
pub(super) struct Telling<'a, 'e, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    pub(super) engine: &'a Engine<K, V, E, R, S>,
    pub(super) stay: &'a mut Stay<R>,
    pub(super) after: &'a mut After<'e, K, V, E, R, S>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Telling<'_, '_, K, V, E, R, S> {
    /// Its wait is over.
    #[inline(always)]
    pub(super) fn end(self, by: &mut (impl CallerLoad<K, V, E, R::Threads> + ?Sized)) {
        by.drop_lent();
        self.stay.end_sleep();
        self.stay.state = State::Over;
        mem::forget(self);
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Telling<'_, '_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let (waiting, effects) = (&mut self.stay.waiting, self.after.effects());
        // A caller that was served has its result in any case.
        if !waiting.is_visitor {
            self.engine.with(waiting.hash, |shard| shard.keep_told(waiting, effects));
        }
    }
}
