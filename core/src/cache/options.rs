//! What one call may set for itself.

use core::time::Duration;

use crate::{
    Ttl,
    flight::Terms,
    shard::{Call, OnTimeout, Rules},
};

/// What one lookup sets for itself; everything else is as the cache says.
///
/// Timeout and staleness are the caller's own. The lifetime and weight count only if the caller's own attempt is the one
/// that is published, and if the load says nothing of them.
///
/// ```
/// use core::time::Duration;
/// use larder::{LookupOptions, OnTimeout};
///
/// let hurried = LookupOptions::new()
///     .lock_timeout(Duration::from_millis(10), OnTimeout::Stale)
///     .stale_while_refresh(Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LookupOptions {
    ttl: Ttl,
    weight: Option<u64>,
    lock_timeout: Option<Option<(Duration, OnTimeout)>>,
    stale_while_refresh: Option<Duration>,
    stale_if_error: Option<Duration>,
    reload: bool,
}

impl LookupOptions {
    /// Begins with options that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the loaded value is fresh.
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets the weight of the loaded value.
    #[must_use]
    pub const fn weight(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Bounds the wait for another caller's load, and says what comes then.
    #[must_use]
    pub const fn lock_timeout(mut self, patience: Duration, then: OnTimeout) -> Self {
        self.lock_timeout = Some(Some((patience, then)));
        self
    }

    /// Waits for as long as it takes, whatever the cache's lock timeout is.
    #[must_use]
    pub const fn no_lock_timeout(mut self) -> Self {
        self.lock_timeout = Some(None);
        self
    }

    /// Sets how long after its deadline a value may be served while it is refreshed, or at the lock timeout.
    ///
    /// A limit above the cache's own is allowed, but the cache holds values only as long as its own limits ask.
    #[must_use]
    pub const fn stale_while_refresh(mut self, limit: Duration) -> Self {
        self.stale_while_refresh = Some(limit);
        self
    }

    /// Sets how long after its deadline a value may be served when its load has failed.
    #[must_use]
    pub const fn stale_if_error(mut self, limit: Duration) -> Self {
        self.stale_if_error = Some(limit);
        self
    }

    /// Loads although the stored value is fresh; a load in flight is joined.
    #[must_use]
    pub const fn reload(mut self) -> Self {
        self.reload = true;
        self
    }

    /// Lays these options over the cache's.
    pub(crate) fn over(&self, rules: &Rules) -> Call {
        Call {
            terms: Terms { ttl: self.ttl, weight: self.weight },
            lock_timeout: self.lock_timeout.unwrap_or(rules.lock_timeout),
            stale_while_refresh: self.stale_while_refresh.or(rules.stale_while_refresh),
            stale_if_error: self.stale_if_error.or(rules.stale_if_error),
            reload: self.reload,
            takes_stale: false,
        }
    }

    pub(crate) const fn expires(&self) -> bool {
        self.ttl.expires()
    }
}
