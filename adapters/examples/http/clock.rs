//! Tokio's clock, moved forward by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use larder_tokio::{Clock, CurrentRuntime, Instant, TokioClock, parts::Hosted};

/// Tokio with this clock. A real server uses `Tokio` instead.
pub(crate) type SkippingTokio = Hosted<CurrentRuntime, Skipping>;

/// A clock that can be moved forward, so that the demonstration need not wait for lifetimes of minutes.
///
/// Clones share the time.
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

    /// Moves the clock forward. A task that sleeps already is not woken earlier.
    pub(crate) fn skip(&self, time: Duration) {
        self.skipped.fetch_add(time.as_nanos() as u64, Relaxed);
    }
}

impl Clock for Skipping {
    fn now(&self) -> Instant {
        self.tokio.now().saturating_add(Duration::from_nanos(self.skipped.load(Relaxed)))
    }
}
