//! Waiting on a thread that has nothing else to do.

use core::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use super::StdClock;
use crate::{
    Clock, Instant, Timer,
    blocked::{Blocked, Wait},
};

/// The standard library's clock, and a timer for threads that block.
///
/// A sleep that is polled by [`block_on`] wakes its thread by itself. Polled by anything else, it is like the sleep of
/// [`NoTimer`](super::NoTimer): it ends when it is polled.
///
/// The thread that has polled a sleep last wakes it. When its own call ends before, it wakes those who wait for the rest:
/// a load that sleeps goes on in another thread that blocks for it.
///
/// ```
/// use core::time::Duration;
/// use larder::{Clock, Timer, parts::{ThreadTimer, block_on}};
///
/// let timer = ThreadTimer::new();
/// let deadline = timer.now().saturating_add(Duration::from_millis(1));
/// block_on(timer.sleep_until(deadline));
/// assert!(timer.now() >= deadline);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadTimer(StdClock);

impl ThreadTimer {
    /// Starts a clock at [`Instant::START`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::ThreadTimer};
    /// assert!(ThreadTimer::new().now().saturating_since(Instant::START) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(StdClock::new())
    }
}

impl Clock for ThreadTimer {
    #[inline]
    fn now(&self) -> Instant {
        self.0.now()
    }

    #[inline]
    fn about_now(&self) -> Option<Instant> {
        self.0.about_now()
    }
}

impl Timer for ThreadTimer {
    type Sleep = ThreadSleep;

    fn sleep_until(&self, deadline: Instant) -> ThreadSleep {
        ThreadSleep { clock: self.0, deadline, wait: Wait::new() }
    }
}

/// The sleep of a [`ThreadTimer`].
///
/// ```
/// use larder::{Instant, Timer, parts::{ThreadTimer, block_on}};
///
/// block_on(ThreadTimer::new().sleep_until(Instant::ZERO));
/// ```
#[derive(Debug)]
pub struct ThreadSleep {
    clock: StdClock,
    deadline: Instant,
    wait: Wait,
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.clock.now();
        if self.deadline.reached(now) {
            return Poll::Ready(());
        }
        let left = self.deadline.saturating_since(now);
        self.wait.poll_within(left, cx.waker());
        Poll::Pending
    }
}

/// Runs a future to its end on this thread, which sleeps meanwhile.
///
/// As any `block_on`, but it knows the deadlines of a cache's calls, so these hold without a timer, and it knows the
/// sleeps of a [`ThreadTimer`], and those of a [`Hosted`](super::Hosted) runtime whose executor is not at hand. With other
/// timers, any other `block_on` will do.
///
/// ```
/// use larder::parts::block_on;
///
/// assert_eq!(block_on(async { 7 }), 7);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let blocked = Blocked::begin();
    let waker = blocked.waker();
    loop {
        blocked.look();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        blocked.sleep();
    }
}

#[cfg(test)]
mod tests;
