//! What to use without a timer.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Clock, Instant, Timer};

/// A clock without a timer.
///
/// Deadlines are noticed when a waiting call is polled after them: a lock timeout, a load budget or a lock age ends a
/// wait at the next poll and wakes no caller by itself. Expiry needs no timer.
///
/// ```
/// use larder::{Cache, parts::{NoTimer, Std, StdClock}};
///
/// let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
///     .build()?;
/// assert_eq!(futures_lite::future::block_on(cache.get(&21))?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer<C>(C);

/// The sleep of a [`NoTimer`]: it wakes no task at its end.
///
/// ```
/// use futures_lite::future::{block_on, poll_once};
/// use larder::{Instant, ManualClock, Timer, parts::NoTimer};
///
/// let clock = ManualClock::new();
/// let mut sleep = NoTimer::new(clock.clone()).sleep_until(Instant::from_nanos(5));
/// assert!(block_on(poll_once(&mut sleep)).is_none());
/// clock.set(Instant::from_nanos(5));
/// assert!(block_on(poll_once(&mut sleep)).is_some()); // noticed at the next poll
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unwoken<C> {
    clock: C,
    deadline: Instant,
}

impl<C: Clock> NoTimer<C> {
    /// Wraps a clock; each sleep keeps a clone of it.
    ///
    /// ```
    /// # use larder::{Clock, Instant, ManualClock, parts::NoTimer};
    /// assert_eq!(NoTimer::new(ManualClock::new()).now(), Instant::ZERO);
    /// ```
    pub const fn new(clock: C) -> Self {
        Self(clock)
    }
}

impl<C: Clock> Clock for NoTimer<C> {
    #[inline]
    fn now(&self) -> Instant {
        self.0.now()
    }

    #[inline]
    fn about_now(&self) -> Option<Instant> {
        self.0.about_now()
    }
}

impl<C: Clock + Clone + Unpin> Timer for NoTimer<C> {
    type Sleep = Unwoken<C>;

    fn sleep_until(&self, deadline: Instant) -> Unwoken<C> {
        Unwoken { clock: self.0.clone(), deadline }
    }
}

impl<C: Clock + Unpin> Future for Unwoken<C> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.deadline.reached(self.clock.now()) { Poll::Ready(()) } else { Poll::Pending }
    }
}
