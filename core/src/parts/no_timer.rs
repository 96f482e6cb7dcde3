//! What stands in where there is no timer.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Clock, Instant, Timer};

/// A clock without a timer: deadlines are noticed when somebody is polled after them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer<C>(C);

/// The sleep of a [`NoTimer`]: nobody is woken at its end.
#[derive(Clone, Copy, Debug)]
pub struct Unwoken<C> {
    clock: C,
    deadline: Instant,
}

impl<C: Clock> NoTimer<C> {
    /// Wraps a clock; each sleep keeps a clone of it.
    pub const fn new(clock: C) -> Self {
        Self(clock)
    }
}

impl<C: Clock> Clock for NoTimer<C> {
    #[inline]
    fn now(&self) -> Instant {
        self.0.now()
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
