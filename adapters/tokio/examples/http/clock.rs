//! Tokio's clock, set forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use larder_tokio::{Clock, Instant, Runtime, Spawn, Timer, Tokio};

/// Tokio with a clock that can be set forward, so that lifetimes of minutes end when the demonstration says so.
///
/// A clone shares the time. A server that has no need of this says `Tokio` in its place.
#[derive(Clone, Debug)]
pub(crate) struct Skipping {
    tokio: Tokio,
    /// Nanoseconds.
    skipped: Arc<AtomicU64>,
}

impl Skipping {
    pub(crate) fn new() -> Self {
        Self { tokio: Tokio::new(), skipped: Arc::default() }
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

impl Timer for Skipping {
    type Sleep = <Tokio as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        let skipped = self.skipped.load(Relaxed);
        self.tokio.sleep_until(Instant::from_nanos(deadline.as_nanos().saturating_sub(skipped)))
    }
}

impl Runtime for Skipping {
    type Lock<T> = <Tokio as Runtime>::Lock<T>;
    type Notify = <Tokio as Runtime>::Notify;
}

impl<F> Spawn<F> for Skipping
where
    Tokio: Spawn<F>,
{
    fn spawn(&self, future: F) -> Result<(), F> {
        self.tokio.spawn(future)
    }
}
