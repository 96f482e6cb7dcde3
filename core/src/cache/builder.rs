//! The configuration of a cache, checked once.

use alloc::sync::Arc;
use core::{hash::BuildHasher, marker::PhantomData, sync::atomic::AtomicBool, time::Duration};

use super::{
    Abandoned, Cache, ConfigError, DefaultHasher, NoSource,
    inner::{Aligned, Inner, SpawnAbandoned},
};
use crate::{
    Key, Lock, Runtime, Source, Spawn, Ttl,
    policy::{GatedFifo, Policy},
    shard::{OnTimeout, Rules, Shard},
    store::Backoff,
};

impl<R: Runtime> Cache<(), NoSource, R> {
    /// Begins the configuration of a cache on this runtime.
    ///
    /// ```
    /// use core::time::Duration;
    /// use larder::{Cache, ManualClock, OnTimeout, parts::Std};
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .capacity(50_000)
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .lock_timeout(Duration::from_secs(2), OnTimeout::Stale)
    ///     .load_fn(|id: u64| async move { Ok::<_, std::io::Error>(format!("user {id}")) })
    ///     .build()?;
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn builder<K: Key>(runtime: R) -> Builder<K, R, NoSource> {
        Builder {
            runtime,
            source: NoSource(()),
            hasher: default_hasher(),
            settings: Settings {
                capacity: 10_000,
                shards: None,
                rules: Rules {
                    ttl: Ttl::Inherit,
                    lock_age: None,
                    over_age_alone: false,
                    attempts: 4,
                    budget: None,
                    backoff: Backoff { first: Duration::ZERO, factor: 1.0, cap: Duration::MAX },
                    lock_timeout: None,
                    stale_while_refresh: None,
                    stale_if_error: None,
                },
                order: Ok(()),
            },
            spawn: None,
            parts: PhantomData,
        }
    }
}

/// The configuration of a [`Cache`]: where values come from, and then whatever differs from the defaults.
///
/// By default there is room for 10 000 entries, values never expire, errors are not kept, nothing is served stale, nobody
/// gives up waiting, and no load is too old to be waited for.
pub struct Builder<K: Key, R: Runtime, L: Source<K>, P: Policy = GatedFifo, H: BuildHasher = DefaultHasher> {
    pub(super) runtime: R,
    pub(super) source: L,
    pub(super) hasher: Option<H>,
    pub(super) settings: Settings,
    pub(super) spawn: Option<SpawnAbandoned<K, L, R, P, H>>,
    pub(super) parts: PhantomData<fn(K) -> P>,
}

/// What is set but does not change the cache's type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    capacity: u64,
    shards: Option<usize>,
    rules: Rules,
    pub(super) order: Result<(), ConfigError>,
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Sets the largest weight that may be held; zero coalesces loads and stores nothing.
    ///
    /// Every value weighs 1 unless the load, the call or the [`weigher`](Self::weigher) says otherwise.
    #[must_use]
    pub const fn capacity(mut self, weight: u64) -> Self {
        self.settings.capacity = weight;
        self
    }

    /// Sets the number of shards, each with a lock and an equal share of the capacity.
    ///
    /// No more shards than the capacity are used. By default a few for each processor, but only one for each 64 of the
    /// capacity, so that none is too small to tell what is worth keeping.
    #[must_use]
    pub const fn shards(mut self, shards: usize) -> Self {
        self.settings.shards = Some(shards);
        self
    }

    /// Sets how long values are fresh, unless their load or the call says otherwise.
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.settings.rules.ttl = ttl.into();
        self
    }

    /// Sets the age beyond which a load no longer holds anybody back: the next caller begins a newer attempt.
    #[must_use]
    pub const fn lock_age(mut self, age: Duration) -> Self {
        self.settings.rules.lock_age = Some(age);
        self
    }

    /// Has callers who come when a load is over its age load by themselves, share nothing and store nothing.
    #[must_use]
    pub const fn over_age_alone(mut self) -> Self {
        self.settings.rules.over_age_alone = true;
        self
    }

    /// Sets how many attempts at loading one key may be in flight; 4 by default.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.settings.rules.attempts = attempts;
        self
    }

    /// Bounds the wait of each caller for a load, and says what he does then.
    #[must_use]
    pub const fn lock_timeout(mut self, patience: Duration, then: OnTimeout) -> Self {
        self.settings.rules.lock_timeout = Some((patience, then));
        self
    }

    /// Sets the time beyond which a load is dropped and has failed.
    #[must_use]
    pub const fn load_budget(mut self, budget: Duration) -> Self {
        self.settings.rules.budget = Some(budget);
        self
    }

    /// Keeps a failure for this long: who asks meanwhile has the same failure, and no load is made.
    #[must_use]
    pub const fn error_ttl(mut self, ttl: Duration) -> Self {
        self.settings.rules.backoff.first = ttl;
        self
    }

    /// Keeps each further failure of a key longer by this factor, up to `cap`.
    #[must_use]
    pub const fn error_backoff(mut self, factor: f64, cap: Duration) -> Self {
        self.settings.rules.backoff.factor = factor;
        self.settings.rules.backoff.cap = cap;
        self
    }

    /// Sets how long after its deadline a value may be served while it is refreshed, or at the lock timeout.
    #[must_use]
    pub const fn stale_while_refresh(mut self, limit: Duration) -> Self {
        self.settings.rules.stale_while_refresh = Some(limit);
        self
    }

    /// Sets how long after its deadline a value may be served when its load has failed.
    #[must_use]
    pub const fn stale_if_error(mut self, limit: Duration) -> Self {
        self.settings.rules.stale_if_error = Some(limit);
        self
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Has the runtime's spawner finish a load whose last caller was dropped, so that impatient callers fill the cache.
    ///
    /// To be called last. Without it, such a load is dropped.
    #[must_use]
    pub fn finish_abandoned(mut self) -> Self
    where
        R: Spawn<Abandoned<K, L, R, P, H>>,
    {
        self.spawn = Some(R::spawn);
        self
    }

    /// Makes the cache.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting which makes no sense.
    pub fn build(self) -> Result<Cache<K, L, R, P, H>, ConfigError> {
        let Self { runtime, source, hasher, settings, spawn, .. } = self;
        let Settings { capacity, shards, rules, order } = settings;
        order?;
        rules.check()?;
        let hasher = hasher.ok_or(ConfigError::HashSeed)?;
        let shards = match shards {
            Some(0) => return Err(ConfigError::Shards),
            Some(shards) => shards,
            None => processors().saturating_mul(SHARDS_PER_PROCESSOR).min(to_usize(capacity / LEAST_SHARE)),
        };
        let shards = shards.min(to_usize(capacity)).max(1) as u64;
        let hold = rules.stale_while_refresh.max(rules.stale_if_error);
        let share = |index| capacity / shards + u64::from(index < capacity % shards);
        let shards = (0..shards).map(|index| Aligned(R::Lock::new(Shard::new(share(index), hold)))).collect();
        let timed = AtomicBool::new(rules.ttl.expires() || !rules.backoff.first.is_zero());
        Ok(Cache { inner: Arc::new(Inner { runtime, source, hasher, rules, shards, timed, spawn }) })
    }
}

impl Rules {
    fn check(&self) -> Result<(), ConfigError> {
        let Backoff { first, factor, cap } = self.backoff;
        if self.attempts == 0 {
            Err(ConfigError::Attempts)
        } else if !factor.is_finite() || factor < 1.0 {
            Err(ConfigError::BackoffFactor)
        } else if cap < first {
            Err(ConfigError::BackoffCap)
        } else if matches!(self.lock_timeout, Some((_, OnTimeout::Stale))) && self.stale_while_refresh.is_none() {
            Err(ConfigError::LockTimeout)
        } else {
            Ok(())
        }
    }
}

/// Returns a hasher with a seed of its own for each cache, where randomness is to be had.
fn default_hasher() -> Option<DefaultHasher> {
    #[cfg(feature = "std")]
    return Some(DefaultHasher::with_seed(std::hash::RandomState::new().hash_one(0)));
    #[cfg(not(feature = "std"))]
    None
}

fn processors() -> usize {
    #[cfg(feature = "std")]
    return std::thread::available_parallelism().map_or(1, core::num::NonZeroUsize::get);
    #[cfg(not(feature = "std"))]
    1
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Enough that two threads rarely want the same lock.
const SHARDS_PER_PROCESSOR: usize = 8;
/// A policy that sees fewer entries than this cannot tell well what is worth keeping.
const LEAST_SHARE: u64 = 64;
