//! Smol with a clock that is moved forward by hand.

use std::{future::Future, time::Duration};

use larder_smol::{
    GlobalExecutor, ManualClock, Spawn,
    parts::{Host, Hosted},
};

/// Smol with the demonstration's clock. A real program uses `Smol` instead.
pub(crate) type SetForward = Hosted<Watchful, ManualClock>;

/// Smol's executor. Its waits look at the clock again and again, because it may have been moved forward.
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
