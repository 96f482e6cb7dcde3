//! Randomness that is given once, as a seed, and not drawn.

use core::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;

use crate::Instant;

/// By how much spans of time are shortened, so that what began together does not end together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter {
    /// The largest part of a span that is taken away.
    pub(crate) share: f64,
    seed: u64,
    /// Set together with a jitter, so that without one there is no floating-point arithmetic either.
    part_of: fn(u64, f64, u64) -> u64,
}

impl Jitter {
    pub(crate) const fn new(share: f64, seed: u64) -> Self {
        Self { share, seed, part_of }
    }

    /// Returns an earlier end than `end`, but one after `now`.
    pub(crate) fn shorten<T: Hash + ?Sized>(&self, now: Instant, end: Instant, of: &T) -> Instant {
        let cut = self.cut(now.nanos_until(end), of);
        Instant::from_nanos(
            end.as_nanos().saturating_sub(cut).max(now.as_nanos().saturating_add(1)).min(end.as_nanos()),
        )
    }

    /// Returns how much of a span is taken away: always the same for the same `of`.
    pub(crate) fn cut<T: Hash + ?Sized>(&self, span: u64, of: &T) -> u64 {
        // With its own hasher: that of the cache may be seeded at random.
        (self.part_of)(span, self.share, FixedState::with_seed(self.seed).hash_one(of))
    }
}

/// Less than all of it, except for rounding.
fn part_of(span: u64, share: f64, bits: u64) -> u64 {
    (span as f64 * (share * ((bits >> 11) as f64 / (1_u64 << 53) as f64))) as u64
}

#[cfg(test)]
mod tests;
