//! The parts of another runtime, on one thread.

use larder::{Clock, Instant, OneThread, Runtime, Timer};

/// The parts of another runtime with everything on one thread, as in the simulation: its loads need not be `Send`.
#[derive(Clone, Debug, Default)]
pub struct Here<P>(pub P);

impl<P: Clock> Clock for Here<P> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<P: Timer> Timer for Here<P> {
    type Sleep = P::Sleep;

    fn sleep_until(&self, deadline: Instant) -> P::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl<P: Runtime> Runtime for Here<P> {
    type Lock<T> = P::Lock<T>;
    type Notify = P::Notify;
    type Threads = OneThread;

    fn may_block(&self) -> bool {
        self.0.may_block()
    }
}
