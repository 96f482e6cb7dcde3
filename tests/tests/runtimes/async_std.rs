//! Async-std, by an adapter as its users would write it.

use async_std::task;
use larder::{
    Clock, Instant, Runtime, Spawn, Timer,
    parts::{NoTimer, Std, StdClock},
};
use larder_tests::{Arc, Future, Pin, suite::Executor};

/// Async-std as a runtime for caches.
#[derive(Clone, Copy)]
struct AsyncStd(StdClock);

impl Clock for AsyncStd {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for AsyncStd {
    /// Async-std's own has no name.
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        Box::pin(task::sleep(deadline.saturating_since(self.now())))
    }
}

impl Runtime for AsyncStd {
    type Lock<T> = <Std<NoTimer<StdClock>> as Runtime>::Lock<T>;
    type Notify = <Std<NoTimer<StdClock>> as Runtime>::Notify;
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for AsyncStd {
    fn spawn(&self, future: F) -> Result<(), F> {
        task::spawn(future);
        Ok(())
    }
}

impl Executor for AsyncStd {
    type Runtime = Self;
    type Value = Arc<u32>;

    fn run<F: Future<Output = ()>>(check: impl FnOnce(Self) -> F) {
        task::block_on(check(Self(StdClock::new())));
    }
}

larder_tests::suite!(AsyncStd);
