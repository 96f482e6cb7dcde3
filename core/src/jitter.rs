//! Randomness that is given once, as a seed, and not drawn.

use core::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;

use crate::Instant;

/// By how much spans of time are shortened, so that what began together does not end together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter {
    /// The largest part of a span that is taken away.
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

impl Jitter {
    /// Returns an earlier end than `end`, but one after `now`.
    pub(crate) fn shorten<T: Hash + ?Sized>(&self, now: Instant, end: Instant, of: &T) -> Instant {
        // Less than all of it, but for what is lost to rounding.
        let cut = (now.nanos_to(end) * self.part(of)) as u64;
        Instant::from_nanos(
            end.as_nanos().saturating_sub(cut).max(now.as_nanos().saturating_add(1)).min(end.as_nanos()),
        )
    }

    /// Returns which part is taken away, the same whenever it is asked `of` the same.
    pub(crate) fn part<T: Hash + ?Sized>(&self, of: &T) -> f64 {
        // By a hasher of its own: that of the cache may be seeded at random.
        let bits = FixedState::with_seed(self.seed).hash_one(of) >> 11;
        self.share * (bits as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests;
