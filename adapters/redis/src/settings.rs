//! The settings of a tier, checked once.

use std::time::Duration;

use larder::Ttl;

use crate::{TierConfigError, names::Names};

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) names: Names,
    pub(crate) lease: Duration,
    /// If it is set.
    pub(crate) epoch_memory: Option<Duration>,
    pub(crate) ttl: Ttl,
    pub(crate) stale: Duration,
    pub(crate) cool_down: Duration,
    pub(crate) deadline: Duration,
    pub(crate) ping_every: Duration,
    pub(crate) hearing_limit: Duration,
    pub(crate) poll_every: Duration,
    pub(crate) alone: usize,
    pub(crate) alone_ttl: Duration,
    pub(crate) max_size: usize,
    /// That of the first tier's loads.
    pub(crate) budget: Option<Duration>,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self {
            names: Names { namespace: "larder".into(), hashed: false },
            lease: Duration::from_secs(2),
            epoch_memory: None,
            ttl: Ttl::For(Duration::from_secs(60)),
            stale: Duration::from_secs(30),
            cool_down: Duration::ZERO,
            deadline: Duration::from_millis(150),
            ping_every: Duration::from_millis(100),
            hearing_limit: Duration::from_millis(400),
            poll_every: Duration::from_millis(250),
            alone: 8,
            alone_ttl: Duration::from_millis(500),
            max_size: 1 << 20,
            budget: None,
        }
    }

    /// How long an epoch is remembered after its last lease.
    pub(crate) fn epoch_memory(&self) -> Duration {
        self.epoch_memory.unwrap_or_else(|| self.lease.saturating_mul(2).max(Duration::from_secs(30)))
    }

    pub(crate) fn check(&self) -> Result<(), TierConfigError> {
        let short = |time: Duration| time < Duration::from_millis(1);
        let namespace = &self.names.namespace;
        if namespace.is_empty() || namespace.contains(['{', '}']) {
            Err(TierConfigError::Namespace)
        } else if short(self.lease) {
            Err(TierConfigError::Lease)
        } else if self.epoch_memory() < self.lease {
            Err(TierConfigError::EpochMemory)
        } else if self.ttl == Ttl::Inherit || matches!(self.ttl, Ttl::For(ttl) if short(ttl)) {
            Err(TierConfigError::Ttl)
        } else if short(self.deadline) {
            Err(TierConfigError::Deadline)
        } else if short(self.ping_every) {
            Err(TierConfigError::PingEvery)
        } else if self.hearing_limit <= self.ping_every {
            Err(TierConfigError::HearingLimit)
        } else if short(self.poll_every) {
            Err(TierConfigError::PollEvery)
        } else if self.alone == 0 {
            Err(TierConfigError::Alone)
        } else {
            Ok(())
        }
    }
}

/// A time as the server wants it, saturating where it counts no further.
pub(crate) fn millis(time: Duration) -> String {
    /// Some thousand years: far from where its own sums of times would overflow.
    const LONGEST: u128 = 1 << 47;
    time.as_millis().min(LONGEST).to_string()
}

#[cfg(test)]
mod tests;
