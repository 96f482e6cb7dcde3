//! What a shard counts.

use crate::{Instant, Status};

/// Loads by how they ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadCounts {
    pub(crate) begun: u64,
    /// Those that were counted as begun and have not, or not yet.
    pub(crate) unmade: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) panicked: u64,
    pub(crate) dropped: u64,
    pub(crate) takeovers: u64,
}

impl LoadCounts {
    /// How many have ended. In a shard that has split off, some of them began in the other one.
    pub(crate) const fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.panicked + self.dropped
    }

    /// How many are under way.
    #[cfg(test)]
    pub(crate) const fn in_flight(&self) -> u64 {
        self.begun - self.unmade - self.ended()
    }
}

/// Lookups by how they ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LookupCounts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) joined: u64,
    pub(crate) stale: u64,
    pub(crate) errors: u64,
    pub(crate) abandoned: u64,
    pub(crate) timeouts: u64,
    /// How long all loads that ended have taken, in nanoseconds.
    pub(crate) load_time: u64,
}

impl LookupCounts {
    /// Adds the time that a load has taken.
    pub(crate) const fn count_time(&mut self, begun: Instant, now: Instant) {
        self.load_time = self.load_time.saturating_add(begun.nanos_until(now));
    }

    /// Counts a lookup that ended.
    pub(crate) fn ended(&mut self, status: Status) {
        let counter = match status {
            Status::Hit => &mut self.hits,
            Status::Miss => &mut self.misses,
            Status::Expired => &mut self.expired,
            Status::LockHit => &mut self.joined,
            Status::Stale(_) => &mut self.stale,
        };
        *counter += 1;
    }
}
