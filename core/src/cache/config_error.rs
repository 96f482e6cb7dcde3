//! What the builder refuses.

use core::{error, fmt};

/// Why a configuration is refused.
///
/// The variant says which setting is wrong, and what to do.
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
    /// When no attempt at loading would be allowed: at least 1 is needed.
    Attempts,
    /// When the back-off factor is below 1 or not finite: delays never shrink.
    BackoffFactor,
    /// When the cap of the back-off is below the first delay, the error TTL.
    BackoffCap,
    /// When a write-back cache would have no room for anything: at least 1 is needed.
    Capacity,
    /// When no entry could ever be flushed: at least 1 at once is needed.
    FlushLimit,
    /// When hashing has no seed: without std there is no randomness to be had, so give one.
    HashSeed,
    /// When the lock timeout is to serve stale values and there is no limit for them.
    LockTimeout,
    /// When a load of many keys could be asked for none: at least 1 is needed.
    MaxBatch,
    /// When callers are to load alone beyond the lock age and there is none: set one.
    OverAgeAlone,
    /// When the share of the lifetime is not above 0 and at most 1: a value is not refreshed before it is there.
    RefreshEarly,
    /// When the factor is not a number above 0: by none would values ever be refreshed.
    RefreshEarlyByChance,
    /// When a slot is to be refreshed by its callers ahead of time and there is no margin: set `refresh_ahead`.
    RefreshInline,
    /// When the cap of a slot's retries is below the first delay.
    RetryCap,
    /// When the factor of a slot's retries is below 1 or not finite: delays never shrink.
    RetryFactor,
    /// When there would be no shard: at least 1 is needed.
    Shards,
    /// When the share of a slot's jitter is not between 0 and 1.
    SlotJitter,
    /// When the share of the jitter is not between 0 and 1: lifetimes are shortened by it, and not prolonged.
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
            Self::Capacity => "at least one entry has to have room",
            Self::FlushLimit => "at least one entry has to be flushed at once",
            Self::HashSeed => "without std, a seed or a hasher has to be given",
            Self::LockTimeout => "serving stale values needs a limit: set stale_while_refresh",
            Self::MaxBatch => "at least one key has to be loaded at once",
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
