//! Copies of hot values near the threads that use them: whether there are any.

use alloc::boxed::Box;

use super::{Builder, assemble::count_processors, builder::Settings};
use crate::{
    Key, Lock, Runtime, Tuning,
    share::{COPIED, Copies, ShardOf, Shards},
    store::Keeping,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Keeps copies of hot values near the threads that use them.
    ///
    /// For many processors and values that are read over and over, and seldom change. A hit writes to its shard, and where
    /// many threads hit the same few keys, that memory goes from one processor to the next, tens of nanoseconds each
    /// time. With this, threads share as many groups as there are processors, and each group has up to so many copies,
    /// rounded up to the same number for each shard and at most 65,536 for each: a hit of a copy writes nothing that other
    /// groups read.
    ///
    /// Nothing else changes. Before a call that writes returns, by removal, insertion, expiry or eviction, no copy of
    /// what it has changed is left. Hits count as ever, and the policy hears of each 32nd of a copy.
    ///
    /// It costs memory beside the capacity, for as many copies in each group, and a clone of key and value for each, which
    /// hits make: those allocate as much as the clones do. It costs a look in vain at each hit of another key, and at each
    /// write to a value that has copies, a look at all groups. Off by default (zero), and with an
    /// [idle time](Self::time_to_idle), where hits prolong values. Lookups of a value alone use copies, those of an
    /// [outcome](crate::Outcome) do not.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let flags = Cache::<&str, bool, std::io::Error, _>::builder(Std::new(clock)).near_copies(256).build()?;
    /// flags.insert("dark-mode", true);
    /// assert!((0..10).all(|_| flags.get_if_present("dark-mode") == Some(true)));
    /// flags.remove("dark-mode");
    /// assert_eq!(flags.get_if_present("dark-mode"), None);
    /// assert_eq!(flags.stats().hits, 10);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn near_copies(mut self, copies: usize) -> Self {
        self.settings.copies = copies;
        self
    }
}

impl Settings {
    /// What a hit needs for copies: nothing if there are none.
    pub(super) const fn needs_copies(&self, keeping: Keeping) -> u8 {
        if self.copies > 0 && !keeping.looks_at_each_hit() { COPIED } else { 0 }
    }

    /// The copies of values of these shards.
    pub(super) fn copies_of<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
        &self,
        shards: &Shards<R::Lock<ShardOf<K, V, E, R, S>>>,
        keeping: Keeping,
    ) -> Option<Copies<K, V, R>> {
        if self.needs_copies(keeping) == 0 {
            return None;
        }
        let stripes = self.processors.unwrap_or_else(count_processors);
        let versions: Box<[_]> = shards.iter().map(|shard| shard.with(|shard| shard.values.copied.keep())).collect();
        Some(Copies::new(stripes, self.copies, versions))
    }
}
