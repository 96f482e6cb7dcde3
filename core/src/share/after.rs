//! What is done once the lock is released: wake, tell, drop.

use alloc::vec::Vec;
use core::{mem, task::Poll};

use super::{EffectsOf, Engine};
use crate::{
    Key, LoadError, Runtime, Tuning,
    contain::{Contained, both, each},
    flight::Woken,
    shard::{Effects, LookupResult},
    source::Source,
};

/// The effects of steps under the lock, done when this is dropped or told to: first all wakes, then watchers and
/// listeners, then the drops. A panic in one of these does not stop the others.
pub(crate) struct After<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    effects: Contained<EffectsOf<K, V, E, R, S>>,
    engine: &'a Engine<K, V, E, R, S>,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> After<'a, K, V, E, R, S> {
    #[inline]
    pub(crate) fn new(engine: &'a Engine<K, V, E, R, S>) -> Self {
        Self { effects: Contained(Effects::default()), engine }
    }

    #[inline]
    pub(crate) const fn effects(&mut self) -> &mut EffectsOf<K, V, E, R, S> {
        &mut self.effects.0
    }

    /// Does the effects, and is empty again.
    #[inline]
    pub(crate) fn run(&mut self) {
        if self.effects.0.is_quiet() {
            return;
        }
        self.finish();
    }

    #[inline(always)]
    fn finish(&mut self) {
        self.wake_and_tell();
        // If one of these drops panics, the rest is dropped with this.
        self.effects.0.clear();
    }

    #[inline(always)]
    fn wake_and_tell(&mut self) {
        let Engine { source, .. } = self.engine;
        // Mostly a value has left that only has to be dropped.
        if !self.effects.0.is_only_to_be_dropped() || source.tells() || self.engine.has_copies() {
            self.wake_tell_and_purge();
        }
    }

    fn wake_tell_and_purge(&mut self) {
        both(self, Self::wake, |this| both(this, Self::tell, |this| this.engine.purge()));
    }

    /// The result of a caller whose wait is over.
    pub(crate) fn told(&mut self, poll: Poll<()>) -> Poll<LookupResult<V, E>> {
        match self.effects().told.take() {
            Some(told) => poll.map(|()| told),
            None => Poll::Pending,
        }
    }

    /// The value for a caller that wants nothing else; its failure comes to `rest`, and nothing does if its wait is not over.
    pub(super) fn told_value(&mut self, rest: &mut Poll<Result<V, LoadError<E>>>) -> Option<V> {
        let effects = self.effects();
        if let Some(value) = effects.value.take() {
            return Some(value);
        }
        match effects.told.take()? {
            Ok(outcome) => Some(outcome.into_value()),
            Err(error) => {
                *rest = Poll::Ready(Err(error));
                None
            }
        }
    }

    /// Does the effects; returns the value that left first.
    pub(crate) fn first_leaver(&mut self) -> Option<V> {
        self.wake_and_tell();
        self.effects.0.touched = None;
        self.effects.0.leavers.take_first()
    }

    fn wake(&mut self) {
        let woken = mem::replace(&mut self.effects.0.woken, Woken::Nobody);
        let more = self.effects.0.take_woken();
        if more.is_empty() {
            woken.wake();
        } else {
            each(core::iter::once(woken).chain(more), Woken::wake);
        }
    }

    fn tell(&mut self) {
        both(self, Self::tell_watcher, |this| both(this, Self::tell_listener, Self::end_batches));
    }

    fn tell_watcher(&mut self) {
        if let (Some(watcher), Some(what)) = (&self.engine.source.watcher, self.effects.0.touched.take()) {
            watcher.touched(what);
        }
    }

    fn tell_listener(&mut self) {
        if let Some(listener) = &self.engine.source.listener {
            each(self.effects.0.leavers.iter_mut(), |leaver| {
                if let Some(cause) = leaver.cause.take() {
                    listener.left(&leaver.key, &leaver.value, cause);
                }
            });
        }
    }

    /// Ends loads of many keys that no caller waits for any more.
    fn end_batches(&mut self) {
        let engine = self.engine;
        each(self.effects.0.take_idle_batches().into_iter(), |batch| (batch.end)(engine, &batch));
    }
}

/// The effects of many steps, done in order when this is dropped.
///
/// They are kept in lots: a single one would have to grow under a lock, and move all that is in it.
pub(crate) struct Afters<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    lots: Vec<After<'a, K, V, E, R, S>>,
    lot: After<'a, K, V, E, R, S>,
    steps: usize,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Afters<'a, K, V, E, R, S> {
    pub(crate) fn new(engine: &'a Engine<K, V, E, R, S>) -> Self {
        Self { lots: Vec::new(), lot: After::new(engine), steps: 0 }
    }

    /// The effects for the next step, in a lot of so many. To be called outside the lock.
    pub(crate) fn next(&mut self, steps: usize) -> &mut EffectsOf<K, V, E, R, S> {
        if self.steps >= steps {
            let next = After::new(self.lot.engine);
            self.lots.push(core::mem::replace(&mut self.lot, next));
            self.steps = 0;
        }
        self.steps += 1;
        self.lot.effects()
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Afters<'_, K, V, E, R, S> {
    fn drop(&mut self) {
        both(self, |this| each(this.lots.drain(..), |mut lot| lot.run()), |this| this.lot.run());
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for After<'_, K, V, E, R, S> {
    #[inline]
    fn drop(&mut self) {
        if self.effects.0.is_quiet() {
            return;
        }
        if let Some((hash, mut seat)) = self.effects.0.take_handed() {
            // A poll unwinds before the load was handed over.
            let engine = self.engine;
            engine.with(hash, |shard| shard.give_up(&mut seat, self.effects()));
        }
        self.wake_tell_and_purge();
    }
}
