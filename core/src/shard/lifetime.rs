//! Until when a value is fresh, and from when on it is refreshed ahead of that.

use core::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;

use super::Rules;
use crate::{Instant, Ttl, store::Life};

/// By how much lifetimes are shortened, so that what was stored together does not expire together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter {
    /// The largest part of a lifetime that is taken away.
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

/// When a value is refreshed although it is fresh.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Early {
    /// After this part of its lifetime.
    pub(crate) share: Option<f64>,
    /// By chance, ahead of its end by this many times what the load took.
    pub(crate) beta: Option<f64>,
}

impl Rules {
    /// Returns when a value ends that is published now; `None` if it is not to be stored.
    pub(super) fn end<K: Hash>(&self, ttl: Ttl, key: &K, now: Instant) -> Option<Instant> {
        let end = ttl.or(self.ttl).deadline(now)?;
        Some(match self.jitter {
            Some(jitter) if end != Instant::NEVER => jitter.shorten(now, end, key),
            _ => end,
        })
    }
}

impl Jitter {
    /// Returns an earlier end than `end`, but one after `now`.
    fn shorten<K: Hash>(&self, now: Instant, end: Instant, key: &K) -> Instant {
        // By a hasher of its own: that of the cache may be seeded at random.
        let bits = FixedState::with_seed(self.seed).hash_one(key) >> 11;
        let part = bits as f64 / (1_u64 << 53) as f64;
        // Less than all of it, but for what is lost to rounding.
        let cut = (nanos(now, end) * self.share * part) as u64;
        Instant::from_nanos(end.as_nanos().saturating_sub(cut).max(now.as_nanos().saturating_add(1)))
    }
}

impl Early {
    pub(crate) const fn is_set(&self) -> bool {
        self.share.is_some() || self.beta.is_some()
    }

    /// Tells whether a value of this life should be refreshed at `now`; `random` is in (0, 1].
    pub(super) fn is_due(&self, life: Life, now: Instant, random: Option<f64>) -> bool {
        if life.end == Instant::NEVER {
            return false;
        }
        let Life { since, end, took } = life;
        let by_share = |share| nanos(since, now) >= nanos(since, end) * share;
        // Whatever is not above zero, or not a number, counts as the smallest there is.
        let random = random.map(|random| if random > 0.0 { random.min(1.0) } else { SMALLEST });
        let by_chance = |(beta, random)| took.as_nanos() as f64 * beta * -libm::log(random) >= nanos(now, end);
        self.share.is_some_and(by_share) || self.beta.zip(random).is_some_and(by_chance)
    }
}

/// Returns how many nanoseconds lie between two instants.
const fn nanos(start: Instant, end: Instant) -> f64 {
    end.as_nanos().saturating_sub(start.as_nanos()) as f64
}

/// The smallest number above zero.
const SMALLEST: f64 = f64::from_bits(1);
