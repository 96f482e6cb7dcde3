//! From when on a value is refreshed ahead of its end.

use core::time::Duration;

use crate::{Instant, jitter::Jitter, store::Life};

/// When a value is refreshed although it is fresh.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Early {
    /// After this part of its lifetime.
    pub(crate) share: Option<f64>,
    /// By chance, ahead of its end by this many times what the load took.
    pub(crate) beta: Option<f64>,
    /// Ahead of its end by this much.
    pub(crate) margin: Option<Margin>,
    /// Whether it is refreshed by the one who finds that it is time, instead of being handed out as a ticket.
    pub(crate) inline: bool,
}

/// How long before the end of a lifetime it is time for a refresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    pub(crate) length: Duration,
    /// Makes it longer, and never shorter.
    pub(crate) jitter: Option<Jitter>,
}

impl Early {
    pub(crate) const fn is_set(&self) -> bool {
        self.share.is_some() || self.beta.is_some() || self.margin.is_some()
    }

    /// Tells whether a value of this life should be refreshed at `now`; `random` is in (0, 1].
    pub(super) fn is_due(&self, life: Life, now: Instant, random: Option<f64>) -> bool {
        if life.end == Instant::NEVER {
            return false;
        }
        let Life { since, end, begun } = life;
        let by_share = |share| since.nanos_to(now) >= since.nanos_to(end) * share;
        // Whatever is not above zero, or not a number, counts as the smallest there is.
        let random = random.map(|random| if random > 0.0 { random.min(1.0) } else { SMALLEST });
        let by_chance = |(beta, random)| begun.nanos_to(since) * beta * -libm::log(random) >= now.nanos_to(end);
        self.share.is_some_and(by_share)
            || self.beta.zip(random).is_some_and(by_chance)
            || self.margin.is_some_and(|margin| margin.start(life).reached(now))
    }
}

impl Margin {
    /// Returns when it is time to refresh a value of this life.
    pub(crate) fn start(&self, Life { since, end, .. }: Life) -> Instant {
        if end == Instant::NEVER {
            return end;
        }
        let (lives, length) = (end.saturating_since(since), self.length);
        // A life that is no longer than the margin would be refreshed as soon as it begins, and again.
        let ahead = if length < lives { length } else { lives / 2 };
        // Nor may the jitter bring it near that: it takes away half of what is left before the margin, at the most.
        let extra =
            self.jitter.map_or(0.0, |jitter| jitter.part(&since) * ahead.min((lives - ahead) / 2).as_nanos() as f64);
        Instant::from_nanos(end.as_nanos().saturating_sub(ahead.as_nanos() as u64).saturating_sub(extra as u64))
    }
}

/// The smallest number above zero.
const SMALLEST: f64 = f64::from_bits(1);
