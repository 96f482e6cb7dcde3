//! What is taken out of all shards at once.

use alloc::vec::Vec;

use super::{After, Engine, ShardOf, engine::ClearedOf};
use crate::{
    Instant, Key, Lock, Runtime, Tuning,
    contain::{both, each},
    source::Source,
    store::Failures,
};

/// What shards held, told to the listener and dropped when this is dropped: so it is told although a clock panics before
/// all is taken out.
pub(crate) struct Clearing<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    engine: &'a Engine<K, V, E, R, S>,
    cleared: Vec<(ClearedOf<K, V, S>, Failures<K, E>)>,
    after: After<'a, K, V, E, R, S>,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Clearing<'a, K, V, E, R, S> {
    pub(crate) fn new(engine: &'a Engine<K, V, E, R, S>) -> Self {
        Self { engine, cleared: Vec::with_capacity(engine.shards.len()), after: After::new(engine) }
    }

    /// Takes out what the next shard holds; returns its mask.
    pub(crate) fn go_on(&mut self, shard: &R::Lock<ShardOf<K, V, E, R, S>>, now: Instant) -> u32 {
        let (taken, mask) = shard.with(|shard| (shard.clear(now, self.after.effects()), shard.home.mask()));
        let counts = taken.0.counts();
        shard.with(|shard| shard.values.count_cleared(counts));
        self.cleared.push(taken);
        mask
    }

    fn tell(&mut self) {
        if let Some(listener) = &self.engine.source.listener {
            let values = self.cleared.iter().flat_map(|(values, _)| values.iter());
            each(values, |(key, value, cause)| listener.left(key, value, cause));
        }
    }

    /// Drops it, and gives the shards their memory again if that is reserved.
    fn end(&mut self) {
        let Engine { memory, .. } = self.engine;
        each(self.cleared.drain(..).enumerate(), |(shard, (cleared, _failures))| {
            if let Some(memory) = memory {
                (memory.refill)(self.engine, shard, memory.entries, cleared);
            }
        });
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Clearing<'_, K, V, E, R, S> {
    fn drop(&mut self) {
        both(
            self,
            |this| this.after.run(),
            |this| both(this, Self::tell, |this| both(this, Self::end, |this| this.engine.purge())),
        );
    }
}
