//! How much a cache may hold.

use super::Cache;
#[cfg(feature = "std")]
use super::assemble::shards_for;
use crate::{
    Instant, Key, Lock, Runtime, Tuning,
    shard::Need,
    share::{Afters, Engine},
    store::Asking,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the largest weight that may be held.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// assert_eq!(cache.capacity(), 10_000); // the default
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn capacity(&self) -> u64 {
        self.inner.capacity.with(|capacity| *capacity)
    }

    /// Returns the weight up to which a value is never refused.
    ///
    /// It is the [`capacity`](Self::capacity), however many shards there are: for a value as heavy as that, all others
    /// leave.
    ///
    /// ```
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock))
    ///     .capacity(100)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// assert_eq!(cache.max_weight(), 100);
    /// assert!(cache.insert_with(1, Loaded::new(10).weight(100)).is_some());
    /// assert!(cache.insert_with(1, Loaded::new(10).weight(101)).is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn max_weight(&self) -> u64 {
        self.capacity()
    }

    /// Changes the largest weight that may be held.
    ///
    /// When this returns, everything beyond the new capacity has been evicted, and failures that no longer fit are
    /// forgotten. Loads in flight go on, and their values are stored. The shards give up room one after the other, and
    /// none is locked for longer than it takes to remove a few values.
    ///
    /// A cache that grows comes to have as many shards as one that is built with the new capacity, unless
    /// [`shards`](crate::Builder::shards) said how many: they split in two, one after the other, each at once for all its
    /// keys, which are few then. A cache that shrinks keeps its shards, and without `std` their number always stays.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// for id in 0..1_000 {
    ///     cache.insert(id, id);
    /// }
    /// cache.set_capacity(100);
    /// assert!(cache.weight() <= 100);
    /// assert_eq!(cache.capacity(), 100);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn set_capacity(&self, weight: u64) {
        let inner = &*self.inner;
        // Before anything has changed, as a clock may panic.
        let now = self.now();
        // No listener is called before it has shrunk.
        let mut afters = Afters::new(inner);
        let left = inner.capacity.with(|capacity| {
            #[cfg(feature = "std")]
            if weight > *capacity {
                inner.split_shards(*capacity, shards_for(weight), now, &mut afters);
            }
            let part = weight / inner.shards.len() as u64;
            for shard in inner.shards.iter() {
                loop {
                    let effects = afters.next(1);
                    if !shard.with(|shard| shard.resize(weight, part, effects)) {
                        break;
                    }
                }
            }
            let before = core::mem::replace(capacity, weight);
            inner.room.give(weight.saturating_sub(before));
            before.saturating_sub(weight)
        });
        let mut shrinking = Shrinking { inner, afters, asking: Asking::default(), left, now };
        // (Copies of values in shards that have split.)
        inner.purge();
        while shrinking.left > 0 {
            shrinking.now = self.now();
            shrinking.go_on();
        }
    }
}

/// The shards give up room.
struct Shrinking<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    inner: &'a Engine<K, V, E, R, S>,
    afters: Afters<'a, K, V, E, R, S>,
    asking: Asking,
    /// How much they still have to give.
    left: u64,
    now: Instant,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Shrinking<'_, K, V, E, R, S> {
    fn go_on(&mut self) {
        let Self { inner, afters, asking, left, now } = self;
        let effects = afters.next(1);
        *left -= inner
            .capacity
            .with(|capacity| inner.ask_for_room(asking, (0, Need::Nothing), *left, *capacity, *now, effects));
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Shrinking<'_, K, V, E, R, S> {
    /// Should a clock panic, nothing else would ever ask for the rest.
    fn drop(&mut self) {
        while self.left > 0 {
            self.go_on();
        }
    }
}
