//! What is done when a load panics, or what makes or judges it.

use core::mem;

use super::{After, Engine};
use crate::{
    Instant, Key, Runtime, Tuning,
    contain::contain,
    shard::{At, Waiting},
};

/// A panic in what is made, polled or judged is told to those who wait.
pub(super) struct Driving<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    pub(super) waiting: &'a mut Waiting<R::Notify>,
    number: u32,
    now: Instant,
    /// The clock may be read; not so if it is the clock that panicked.
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

    /// All went well.
    pub(super) fn disarm(self) {
        mem::forget(self);
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Driving<'_, K, V, E, R, S> {
    #[cold]
    fn drop(&mut self) {
        let engine = self.engine;
        let mut now = self.now;
        if self.reads {
            // The load has panicked already, so that of a clock would be the second.
            contain(|| now = engine.runtime.now());
        }
        let mut after = After::new(engine);
        engine.with(self.waiting.hash, |shard| {
            shard.panicked(self.waiting, self.number, At { now, rules: &engine.rules }, after.effects());
        });
    }
}
