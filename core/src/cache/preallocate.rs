//! Memory that is taken when a cache is built.

use super::{Builder, Cache, ConfigError};
use crate::{
    Key, Runtime, Tuning,
    share::{Engine, Memory},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Takes all memory that this many entries need when the cache is built.
    ///
    /// That is all that the store needs beside what keys and values own themselves, be it that they expire, are served
    /// stale or are refreshed. It is kept for as long as the cache lives, and nothing is added: of more entries than
    /// that, at least one, some are evicted, whatever they weigh. Storing a value that one other leaves for takes no
    /// memory. If more leave at once, there is a list of them for a moment: what has expired leaves later if there is no
    /// memory for it; a list of those that a heavy newcomer evicts cannot be refused.
    ///
    /// By default a cache takes memory as it grows, and gives it back as it shrinks. A value for which there is none is
    /// [refused](crate::RemovalCause::Refused): its load is delivered all the same. So is a failure that was to be kept.
    ///
    /// Loads under way take memory of their own, which cannot be refused; [`firmware`](crate::firmware) tells how much.
    ///
    /// The cache has one shard, unless [`shards`](Self::shards) says otherwise; each of several has its part of the memory,
    /// and evicts beyond that.
    ///
    /// # Errors
    ///
    /// [`build`](Self::build) fails with [`ConfigError::Memory`] if there is too little.
    ///
    /// ```
    /// # use larder::{Cache, ConfigError, ManualClock, parts::Std};
    /// let builder = || Cache::<u32, u32, (), _>::builder(Std::new(ManualClock::new()));
    /// let cache = builder().preallocate(64).build()?;
    /// (0..100).for_each(|key| _ = cache.insert(key, key));
    /// assert_eq!(cache.len(), 64);
    /// assert_eq!(builder().preallocate(usize::MAX).build().err(), Some(ConfigError::Memory));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn preallocate(mut self, entries: usize) -> Self {
        self.memory = Some(Memory { entries: entries.max(1), take: Engine::preallocate, refill: Engine::refill });
        self
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Takes the memory that it is to have from the beginning.
    pub(super) fn with_memory(self) -> Result<Self, ConfigError> {
        match self.inner.memory {
            Some(memory) if !(memory.take)(&self.inner, memory.entries) => Err(ConfigError::Memory),
            _ => Ok(self),
        }
    }
}
