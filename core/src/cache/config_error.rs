//! What the builder refuses.

use core::{error, fmt};

/// Why a configuration is refused.
///
/// The variant says which setting is wrong, and its message what to do.
///
/// ```
/// use core::time::Duration;
/// use larder::{Cache, ConfigError, ManualClock, OnTimeout, parts::Std};
///
/// let refused = Cache::<u32, u32, (), _>::builder(Std::new(ManualClock::new()))
///     .lock_timeout(Duration::from_secs(2), OnTimeout::Stale) // but how stale?
///     .build();
/// assert_eq!(refused.err(), Some(ConfigError::LockTimeout));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// No attempt at loading would be allowed: at least 1 is needed.
    Attempts,
    /// The back-off factor is below 1 or not finite: delays never shrink.
    BackoffFactor,
    /// The cap of the back-off is below the first delay, the error TTL.
    BackoffCap,
    /// A write-back cache would have no room for anything: at least 1 is needed.
    Capacity,
    /// No entry could ever be flushed: at least 1 at once is needed.
    FlushLimit,
    /// The hasher has no seed: without `std` there is no randomness, so give it one.
    HashSeed,
    /// The lock timeout should serve stale values, but there is no limit for them.
    LockTimeout,
    /// A load of many keys would get no keys: at least 1 is needed.
    MaxBatch,
    /// There is not enough memory for the entries that are to be preallocated: ask for fewer, or make the heap larger.
    Memory,
    /// Callers should load alone beyond the lock age, but there is none: set one.
    OverAgeAlone,
    /// The share of the lifetime is not above 0 and at most 1: a value cannot be refreshed before it exists.
    RefreshEarly,
    /// The factor is not a number above 0: values would never be refreshed.
    RefreshEarlyByChance,
    /// A slot's callers should refresh it early, but there is no margin: set `refresh_ahead`.
    RefreshInline,
    /// The cap of a slot's retries is below the first delay.
    RetryCap,
    /// The factor of a slot's retries is below 1 or not finite: delays never shrink.
    RetryFactor,
    /// There would be no shard: at least 1 is needed.
    Shards,
    /// The share of a slot's jitter is not between 0 and 1.
    SlotJitter,
    /// The share of the jitter is not between 0 and 1: it shortens lifetimes, and cannot prolong them.
    TtlJitter,
}

impl ConfigError {
    /// Returns the name of the setting that is wrong.
    ///
    /// ```
    /// # use larder::ConfigError;
    /// assert_eq!(ConfigError::BackoffCap.field(), "error_backoff");
    /// ```
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::BackoffFactor | Self::BackoffCap => "error_backoff",
            Self::Capacity => "capacity",
            Self::FlushLimit => "flush_limit",
            Self::HashSeed => "hash_seed",
            Self::LockTimeout => "lock_timeout",
            Self::MaxBatch => "max_batch",
            Self::Memory => "preallocate",
            Self::OverAgeAlone => "over_age_alone",
            Self::RefreshEarly => "refresh_early",
            Self::RefreshEarlyByChance => "refresh_early_by_chance",
            Self::RefreshInline => "refresh_inline",
            Self::RetryCap | Self::RetryFactor => "retry_backoff",
            Self::Shards => "shards",
            Self::SlotJitter => "jitter",
            Self::TtlJitter => "ttl_jitter",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            Self::Attempts => "at least one attempt has to be allowed",
            Self::BackoffFactor => "the factor has to be a number of at least 1",
            Self::BackoffCap => "the cap has to be at least the error TTL",
            Self::Capacity => "the capacity has to be at least 1",
            Self::FlushLimit => "the limit has to be at least 1",
            Self::HashSeed => "without std, a seed or a hasher is required",
            Self::LockTimeout => "serving stale values needs a limit: set stale_while_refresh",
            Self::MaxBatch => "the limit has to be at least 1",
            Self::Memory => "there is not enough memory",
            Self::OverAgeAlone => "it needs a lock age",
            Self::RefreshEarly => "the share has to be above 0 and at most 1",
            Self::RefreshEarlyByChance => "the factor has to be a number above 0",
            Self::RefreshInline => "it needs a margin: set refresh_ahead",
            Self::RetryCap => "the cap has to be at least the first delay",
            Self::RetryFactor => "the factor has to be a number of at least 1",
            Self::SlotJitter => "the share has to be between 0 and 1",
            Self::Shards => "at least one shard is needed",
            Self::TtlJitter => "the share has to be between 0 and 1",
        };
        write!(f, "{}: {reason}", self.field())
    }
}

impl error::Error for ConfigError {}
