//! Tokio's clock, set forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use larder_tokio::{Clock, CurrentRuntime, Instant, TokioClock, parts::Hosted};

/// Tokio by this clock. A server that has no need of it says `Tokio` in its place.
pub(crate) type SkippingTokio = Hosted<CurrentRuntime, Skipping>;

/// A clock that can be set forward, so that lifetimes of minutes end when the demonstration says so.
///
/// A clone shares the time.
#[derive(Clone, Debug)]
pub(crate) struct Skipping {
    tokio: TokioClock,
    /// Nanoseconds.
    skipped: Arc<AtomicU64>,
}

impl Skipping {
    pub(crate) fn new() -> Self {
        Self { tokio: TokioClock::new(), skipped: Arc::default() }
    }

    /// Sets the clock forward. Who sleeps already is not woken any sooner.
    pub(crate) fn skip(&self, time: Duration) {
        self.skipped.fetch_add(time.as_nanos() as u64, Relaxed);
    }
}

impl Clock for Skipping {
    fn now(&self) -> Instant {
        self.tokio.now().saturating_add(Duration::from_nanos(self.skipped.load(Relaxed)))
    }
}
