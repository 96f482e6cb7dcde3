//! Smol by a clock that is set forward by hand.

use std::{future::Future, time::Duration};

use larder_smol::{
    GlobalExecutor, ManualClock, Spawn,
    parts::{Host, Hosted},
};

/// Smol by the demonstration's clock. A program that has no need of it says `Smol` in its place.
pub(crate) type SetForward = Hosted<Watchful, ManualClock>;

/// Smol's executor, whose waits look at the clock again and again: it may have been set forward.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watchful;

impl Host for Watchful {
    type Delay = smol::Timer;

    fn delay(&self, time: Duration) -> Option<smol::Timer> {
        GlobalExecutor.delay(time.min(LOOK))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Watchful {
    fn spawn(&self, future: F) -> Result<(), F> {
        GlobalExecutor.spawn(future)
    }
}

/// How often a wait looks at the clock.
const LOOK: Duration = Duration::from_millis(2);
