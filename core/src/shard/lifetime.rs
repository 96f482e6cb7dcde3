//! When a value is refreshed ahead of its end.

use core::time::Duration;

use crate::{Instant, jitter::Jitter, store::Life};

/// When a value is refreshed although it is fresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Early {
    /// After this part of its lifetime.
    pub(crate) share: Option<f64>,
    /// By chance, ahead of its end by this many times the duration of the load.
    pub(crate) beta: Option<f64>,
    /// Ahead of its end by this much.
    pub(crate) margin: Option<Margin>,
    /// Whether the caller that finds it due refreshes it, instead of a ticket.
    pub(crate) inline: bool,
    /// The functions that decide by these. Set with each, so that unused ones are not linked.
    due_by: [Option<IsDue>; 3],
}

type IsDue = fn(&Early, Life, Instant, Option<f64>) -> bool;

/// How long before the end of a lifetime it is time for a refresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    pub(crate) length: Duration,
    /// Makes it longer, never shorter.
    pub(crate) jitter: Option<Jitter>,
}

impl Early {
    /// Never refreshes early.
    pub(crate) const fn new() -> Self {
        Self { share: None, beta: None, margin: None, inline: false, due_by: [None; 3] }
    }

    /// After this part of its lifetime.
    pub(crate) const fn by_share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self.due_by[0] = Some(Self::is_due_by_share);
        self
    }

    /// By chance, ahead of its end by this many times the duration of the load.
    pub(crate) const fn by_chance(mut self, beta: f64) -> Self {
        self.beta = Some(beta);
        self.due_by[1] = Some(Self::is_due_by_chance);
        self
    }

    /// Ahead of its end by this much.
    pub(crate) const fn by_margin(mut self, margin: Margin) -> Self {
        self.margin = Some(margin);
        self.due_by[2] = Some(Self::is_due_by_margin);
        self
    }

    pub(crate) const fn is_set(&self) -> bool {
        self.share.is_some() || self.beta.is_some() || self.margin.is_some()
    }

    /// Returns whether a value of this life should be refreshed at `now`; `random` is in (0, 1].
    pub(super) fn is_due(&self, life: Life, now: Instant, random: Option<f64>) -> bool {
        life.end != Instant::NEVER && self.due_by.iter().flatten().any(|is_due| is_due(self, life, now, random))
    }

    fn is_due_by_share(&self, Life { since, end, .. }: Life, now: Instant, _: Option<f64>) -> bool {
        self.share.is_some_and(|share| since.nanos_to(now) >= since.nanos_to(end) * share * ALMOST)
    }

    fn is_due_by_chance(&self, Life { since, end, begun }: Life, now: Instant, random: Option<f64>) -> bool {
        let Some((beta, random)) = self.beta.zip(random) else { return false };
        // A number that is not above zero, or not a number at all, counts as the smallest one.
        let random = if random > 0.0 { random.min(1.0) } else { SMALLEST };
        begun.nanos_to(since) * beta * -libm::log(random) >= now.nanos_to(end)
    }

    fn is_due_by_margin(&self, life: Life, now: Instant, _: Option<f64>) -> bool {
        self.margin.is_some_and(|margin| margin.start(life).reached(now))
    }
}

impl Margin {
    /// Returns when it is time to refresh a value of this life.
    pub(crate) fn start(&self, Life { since, end, .. }: Life) -> Instant {
        if end == Instant::NEVER {
            return end;
        }
        let (lives, length) = (end.saturating_since(since), self.length);
        // A life no longer than the margin would be due for a refresh as soon as it begins, again and again.
        let ahead = if length < lives { length } else { lives / 2 };
        // The jitter must not cause that either: it takes at most half of what is left before the margin.
        let most = ahead.min((lives - ahead) / 2).as_nanos() as u64;
        let extra = self.jitter.map_or(0, |jitter| jitter.cut(most, &since));
        Instant::from_nanos(end.as_nanos().saturating_sub(ahead.as_nanos() as u64).saturating_sub(extra))
    }
}

/// A little less than one: by so much a product may be rounded up, of a share that was rounded itself.
const ALMOST: f64 = 1.0 - 2.0 * f64::EPSILON;

/// The smallest number above zero.
const SMALLEST: f64 = f64::from_bits(1);
