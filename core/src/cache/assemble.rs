//! A cache is put together from its settings.

use super::{Builder, Cache, ConfigError, builder::Settings};
#[cfg(feature = "std")]
use crate::DefaultHasher;
use crate::{
    Key, Lock, Runtime, Tuning,
    shard::Shard,
    share::{Aligned, Engine, Shards, TIMED},
    store::{Allowance, Keeping, Room},
    sync::{Arc, atomic::AtomicU8},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Returns the cache, if the settings make sense.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the wrong setting.
    ///
    /// ```
    /// # use larder::ConfigError;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let refused = Cache::builder(Std::new(clock))
    ///     .shards(0)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build();
    /// assert_eq!(refused.err(), Some(ConfigError::Shards));
    /// ```
    pub fn build(mut self) -> Result<Cache<K, V, E, R, S>, ConfigError> {
        self.check()?;
        let hasher = self.hasher.take().ok_or(ConfigError::HashSeed)?;
        Cache { inner: Arc::new(assemble(self, hasher)) }.with_memory()
    }
}

#[cfg(feature = "std")]
impl<K: Key, V: Clone, R: Runtime + Default> Cache<K, V, crate::BoxError, R> {
    /// Makes a cache with this capacity, whose calls bring their loads.
    ///
    /// It uses this runtime's default, and everything else is as in a [`builder`](Self::builder), so this cannot fail.
    /// It needs `std`, for its random seed.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{BoxError, Cache, ManualClock, parts::Std};
    ///
    /// let pages: Cache<String, String, BoxError, Std<ManualClock>> = Cache::new(1_000);
    /// let page = block_on(pages.get_or_load("/", || async { Ok(std::fs::read_to_string("Cargo.toml")?) }))?;
    /// assert_eq!(pages.get_if_present("/"), Some(page));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let builder = Self::builder(R::default()).capacity(capacity);
        Self { inner: Arc::new(assemble(builder, DefaultHasher::default())) }
    }
}

/// Assembles a cache from settings that are known to make sense.
pub(crate) fn assemble<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
    builder: Builder<K, V, E, R, S>,
    hasher: S::Hasher,
) -> Engine<K, V, E, R, S> {
    let Builder {
        runtime,
        sources: source,
        settings,
        spawn: hand_over,
        name,
        as_many,
        hold_instead,
        memory,
        links,
        ..
    } = builder;
    let Settings { capacity, shards, processors, mut rules, idle, revalidate_within, .. } = settings;
    rules.has_loader = source.loads();
    // (Memory for so many entries is of full use where they all find it.)
    let shards = shards.or_else(|| memory.map(|_| 1));
    let (shards, most) = match shards {
        Some(shards) => (shards.min(to_usize(capacity)).clamp(1, MOST_SHARDS), 0),
        None => {
            let processors = processors.unwrap_or_else(count_processors);
            let most = processors.saturating_mul(SHARDS_PER_PROCESSOR).min(MOST_SHARDS).next_power_of_two();
            (shards_for(capacity).min(most), most)
        }
    };
    let is_of_use = source.revalidates() || rules.keeps_expired;
    let revalidate_within = is_of_use.then_some(revalidate_within);
    rules.hold = rules.stale_while_refresh.max(rules.stale_if_error).max(revalidate_within);
    let keeping = Keeping {
        hold: rules.hold,
        idle,
        lives: rules.early.is_set() || source.revalidates(),
        inline: rules.early.inline,
    };
    let room = Arc::new(Room::new(capacity));
    let shard = |_| Aligned(R::Lock::new(Shard::new(Allowance::of(&room, capacity, shards), keeping, links)));
    let shards = Shards::new((0..shards).map(shard).collect(), most);
    let forgets_failures = !rules.backoff.first.is_zero() && !rules.backoff.endless;
    let is_timed = rules.ttl.expires() || idle.is_some() || forgets_failures;
    #[cfg(feature = "std")]
    let copied = settings.needs_copies(keeping);
    #[cfg(not(feature = "std"))]
    let copied = 0;
    let call = rules.call();
    let is_plain = !source.batches() && !source.revalidates();
    let is_plain_untimed = is_plain && !rules.needs_time();
    let capacity = R::Lock::new(capacity);
    Engine {
        #[cfg(feature = "std")]
        copies: settings.copies_of(&shards, keeping),
        stores_at_once: Engine::<K, V, E, R, S>::HAS_SHORT_WAYS && !source.tells() && copied == 0,
        runtime,
        source,
        hasher,
        rules,
        call,
        shards,
        room,
        capacity,
        needs: AtomicU8::new(if is_timed { TIMED } else { 0 } | copied),
        name,
        hand_over,
        finish: None,
        as_many,
        hold_instead,
        is_plain,
        is_plain_untimed,
        memory,
    }
}

pub(super) fn count_processors() -> usize {
    #[cfg(feature = "std")]
    return std::thread::available_parallelism().map_or(1, core::num::NonZeroUsize::get);
    #[cfg(not(feature = "std"))]
    1
}

/// The number of shards for so large a capacity: a power of two, as it grows by doubling.
pub(super) fn shards_for(capacity: u64) -> usize {
    to_usize(capacity / LEAST_PART).checked_ilog2().map_or(1, |log| 1 << log)
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Enough that two threads rarely want the same lock.
const SHARDS_PER_PROCESSOR: usize = 8;
/// A policy that sees fewer entries than this cannot tell well what is worth keeping.
const LEAST_PART: u64 = 48;
/// Locks beyond that are of no use, and each takes memory.
const MOST_SHARDS: usize = 1 << 16;
