//! Smol, by an adapter as its users would write it.

use larder::{
    Clock, Instant, Runtime, Spawn, Timer,
    parts::{NoTimer, Std, StdClock},
};
use larder_tests::{Arc, Context, Future, Pin, Poll, suite::Executor};

/// Smol as a runtime for caches.
#[derive(Clone, Copy)]
struct Smol(StdClock);

impl Clock for Smol {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

/// Smol's timers give the time at which they ended.
struct Sleep(smol::Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

impl Timer for Smol {
    type Sleep = Sleep;

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep(smol::Timer::after(deadline.saturating_since(self.now())))
    }
}

impl Runtime for Smol {
    type Lock<T> = <Std<NoTimer<StdClock>> as Runtime>::Lock<T>;
    type Notify = <Std<NoTimer<StdClock>> as Runtime>::Notify;
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Smol {
    fn spawn(&self, future: F) -> Result<(), F> {
        smol::spawn(future).detach();
        Ok(())
    }
}

impl Executor for Smol {
    type Runtime = Self;
    type Value = Arc<u32>;

    fn run<F: Future<Output = ()>>(check: impl FnOnce(Self) -> F) {
        smol::block_on(check(Self(StdClock::new())));
    }
}

larder_tests::suite!(Smol);
