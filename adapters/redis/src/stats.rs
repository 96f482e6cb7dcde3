//! What a tier has done so far.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of a second tier, in this process, since it was attached.
        ///
        /// ```
        /// # use larder_redis::TierStats;
        /// fn share_of_the_fleet(stats: &TierStats) -> f64 {
        ///     stats.fresh as f64 / (stats.fresh + stats.leased + stats.alone).max(1) as f64
        /// }
        /// # assert_eq!(share_of_the_fleet(&TierStats::default()), 0.0);
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct TierStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            pub(crate) fn read(&self) -> TierStats {
                TierStats { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Lookups that found a fresh value in the second tier.
    fresh,
    /// Lookups that were given the lease of a load.
    leased,
    /// Lookups that were served a stale value, since another process was loading or a failure was cooling down.
    stale,
    /// Lookups that were told of a failure in another process.
    elsewhere,
    /// Waits for a load of another process.
    waited,
    /// Those of them that a notice ended.
    woken,
    /// Loaded values that were stored in the second tier.
    published,
    /// Loaded values that were refused there, since a write or a later load came first.
    refused,
    /// Values that were too large or could not be written, so each process loads its own.
    unshared,
    /// Values that could not be read.
    unreadable,
    /// Loads without the second tier, since this process does not hear or had no answer in time.
    alone,
    /// Calls that the server did not answer in time, or with an error.
    failed_calls,
    /// Keys that do not come back from their names.
    nameless,
    /// Notices that were heard.
    notices,
    /// Times that the process began to hear.
    connected,
    /// Times that it no longer did.
    deaf,
    /// Writes that were not acknowledged at once.
    pending,
    /// Writes that were acknowledged when they were sent again: one for each key, however often it was written.
    resent,
    /// Keys with a write that has not been acknowledged yet: not a sum, but as it is now.
    unacknowledged,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
