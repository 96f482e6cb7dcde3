//! How an upstream does: how long it takes, and whether it answers at all. Pure: what time it is, it is told.

use std::time::Duration;

use tokio::time::Instant;

/// What is known of one upstream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    /// The smoothed round trip and its deviation, as in RFC 6298; none before the first answer.
    trip: Option<(Duration, Duration)>,
    /// How many tries in a row had no answer in the time that is usual.
    unanswered: u32,
    probed: Option<Instant>,
}

impl Health {
    /// Notes an answer, however late.
    pub(crate) fn answered(&mut self, took: Duration) {
        self.unanswered = 0;
        self.trip = Some(match self.trip {
            None => (took, took / 2),
            Some((smoothed, deviation)) => ((smoothed * 7 + took) / 8, (deviation * 3 + smoothed.abs_diff(took)) / 4),
        });
    }

    /// Notes that a try has had no answer in its time.
    pub(crate) fn unanswered(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.unanswered >= SILENT
    }

    /// Tells whether a silent upstream should be asked whether it is back, and notes that it is.
    pub(crate) fn is_to_be_probed(&mut self, now: Instant) -> bool {
        let is_due = self.is_silent() && self.probed.is_none_or(|last| now - last >= PROBE);
        if is_due {
            self.probed = Some(now);
        }
        is_due
    }

    /// Returns the smoothed round trip.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.trip.map(|(smoothed, _)| smoothed)
    }

    /// Returns how long to wait after the `tries`-th try: doubled each time, up to `longest` or what is usual.
    ///
    /// Before the first answer `longest` is all there is to go by.
    pub(crate) fn patience(&self, tries: u32, longest: Duration) -> Duration {
        let Some((smoothed, deviation)) = self.trip else {
            return longest;
        };
        let first = (smoothed + deviation * 4).clamp(smoothed * 2, smoothed * 3).max(SHORTEST);
        first.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(longest).max(first)
    }
}

/// Returns in which order to ask: those that answer first, else as they were given.
pub(crate) fn order(upstreams: &[Health]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..upstreams.len()).collect();
    order.sort_by_key(|&index| upstreams[index].is_silent());
    order
}

/// So many tries in a row without an answer are no accident, even where every fifth packet is lost.
const SILENT: u32 = 5;

/// How often a silent upstream is tried.
const PROBE: Duration = Duration::from_secs(1);

/// A near upstream may be busy for so long.
const SHORTEST: Duration = Duration::from_millis(50);
