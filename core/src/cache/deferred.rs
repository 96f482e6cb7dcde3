//! What is done once a shard's lock is released: wake, tell, drop.

use alloc::sync::Arc;
use core::mem;

use super::{
    crowd::{Crowd, Hub},
    inner::{EffectsOf, FlightOf},
};
use crate::{
    Runtime, Source,
    contain::{both, each},
    shard::Effects,
};

/// What a shard has left to be done once its lock is released. Dropping it does it: wakes first, then tells who listens
/// of the values that left, then drops the rest. A panic in one keeps nothing of the others from being done.
pub(crate) struct Deferred<'a, K, L: Source<K>, R: Runtime> {
    pub(super) effects: EffectsOf<K, L, R>,
    nudged: Option<Arc<Hub<R::Notify>>>,
    source: &'a L,
}

impl<'a, K, L: Source<K>, R: Runtime> Deferred<'a, K, L, R> {
    pub(crate) const fn new(source: &'a L) -> Self {
        Self { effects: Effects::new(), nudged: None, source }
    }

    /// Notes whom to wake, should the flight go on and somebody in it have to look.
    pub(crate) fn nudge(&mut self, flight: &FlightOf<K, L, R>) {
        if mem::take(&mut self.effects.nudge) {
            self.nudged = flight.crowd.hub().map(|(hub, _)| hub);
        }
    }

    /// Does all but drop the first value that left, and returns that.
    pub(crate) fn first_leaver(mut self) -> Option<L::Value> {
        both(&mut self, Self::wake, Self::tell);
        self.effects.leavers.first.take().map(|leaver| leaver.value)
    }

    fn wake(&mut self) {
        let wake_crowd = |this: &mut Self| this.effects.wake.take().map_or((), Crowd::notify_all);
        both(self, wake_crowd, |this| {
            if let Some(hub) = this.nudged.take() {
                hub.notify_all();
            }
        });
    }

    fn tell(&mut self) {
        let source = self.source;
        if L::LISTENS {
            each(self.effects.leavers.iter_mut(), |leaver| {
                if let Some(cause) = leaver.cause.take() {
                    source.left(&leaver.key, &leaver.value, cause);
                }
            });
        }
    }

    fn drop_rest(&mut self) {
        self.effects = Effects::new();
    }
}

impl<K, L: Source<K>, R: Runtime> Drop for Deferred<'_, K, L, R> {
    fn drop(&mut self) {
        both(self, Self::wake, |this| both(this, Self::tell, Self::drop_rest));
    }
}
