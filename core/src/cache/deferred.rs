//! What is done once a shard's lock is released: wake, tell, drop.

use core::{mem, task::Waker};

use super::inner::{EffectsOf, FlightOf};
use crate::{
    Runtime,
    contain::{Contained, both, each},
    shard::Effects,
    source::{Source, Sources},
};

/// What a shard has left to be done once its lock is released.
///
/// Dropping it does it: wakes first, then tells who watches that there is a change and who listens of the values that left,
/// then drops the rest. A panic in one keeps nothing of the others from being done.
pub(crate) struct Deferred<'a, K, V, E, R: Runtime> {
    effects: Contained<EffectsOf<K, V, E, R>>,
    nudged: Option<Waker>,
    source: &'a Sources<K, V, E, R::Threads>,
}

impl<'a, K, V, E, R: Runtime> Deferred<'a, K, V, E, R> {
    pub(crate) const fn new(source: &'a Sources<K, V, E, R::Threads>) -> Self {
        Self { effects: Contained(Effects::new()), nudged: None, source }
    }

    pub(crate) const fn effects(&mut self) -> &mut EffectsOf<K, V, E, R> {
        &mut self.effects.0
    }

    /// Notes whom to wake, should the flight go on and somebody in it have to look.
    pub(crate) fn nudge(&mut self, flight: &FlightOf<K, V, E, R>) {
        if mem::take(&mut self.effects.0.nudge) {
            self.nudged = flight.crowd.waker();
        }
    }

    /// Does all but drop the first value that left, and returns that.
    pub(crate) fn first_leaver(mut self) -> Option<V> {
        both(&mut self, Self::wake, Self::tell);
        self.effects.0.leavers.first.take().map(|leaver| leaver.value)
    }

    fn wake(&mut self) {
        if let Some(crowd) = self.effects.0.wake.take() {
            crowd.notify_all();
        }
        // Never both: what is nudged goes on.
        if let Some(waker) = self.nudged.take() {
            waker.wake();
        }
    }

    fn tell(&mut self) {
        if self.source.watcher.is_some() {
            both(self, Self::tell_watchers, Self::tell_listeners);
        } else {
            self.tell_listeners();
        }
    }

    fn tell_watchers(&mut self) {
        if let (Some(what), Some(watcher)) = (self.effects.0.touched.take(), &self.source.watcher) {
            watcher.touched(what);
        }
    }

    fn tell_listeners(&mut self) {
        if let Some(listener) = &self.source.listener {
            each(self.effects.0.leavers.iter_mut(), |leaver| {
                if let Some(cause) = leaver.cause.take() {
                    listener.left(&leaver.key, &leaver.value, cause);
                }
            });
        }
    }
}

impl<K, V, E, R: Runtime> Drop for Deferred<'_, K, V, E, R> {
    #[inline]
    fn drop(&mut self) {
        both(self, Self::wake, Self::tell);
    }
}
