//! A sleep until a deadline that may change.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Instant, Runtime};

/// A sleep, or none. It takes memory only while there is one.
pub(super) enum Sleep<R: Runtime> {
    None,
    Own(Box<Sleeping<R::Sleep>>),
    /// A call for many keys sleeps for each of them, and has slept until this deadline.
    OfCall(Instant),
}

/// A sleep until this deadline.
pub(super) struct Sleeping<S> {
    deadline: Instant,
    sleep: S,
    #[cfg(feature = "std")]
    wait: crate::blocked::Wait,
}

impl<R: Runtime> Sleep<R> {
    #[inline]
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// Sleeps until the deadline.
    // Apart, so that a caller that has no deadline saves fewer registers.
    #[inline(never)]
    pub(super) fn until(&mut self, runtime: &R, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleeping = match self {
            // Once, and only for that deadline: the clock may jump back, and another one may come.
            Self::OfCall(slept) if deadline == *slept => {
                *slept = Instant::ZERO;
                return Poll::Ready(());
            }
            Self::OfCall(_) => return Poll::Pending,
            Self::Own(sleeping) if sleeping.deadline == deadline => sleeping,
            _ => {
                let sleep = runtime.sleep_until(deadline);
                *self = Self::Own(Box::new(Sleeping {
                    deadline,
                    sleep,
                    #[cfg(feature = "std")]
                    wait: crate::blocked::Wait::new(),
                }));
                return self.until(runtime, deadline, cx);
            }
        };
        #[cfg(feature = "std")]
        let is_over = sleeping.wait.is_over(deadline, cx.waker(), || runtime.now());
        #[cfg(not(feature = "std"))]
        let is_over = false;
        if is_over || Pin::new(&mut sleeping.sleep).poll(cx).is_ready() {
            *self = Self::None;
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Drops its own sleep, which is not needed any more.
    #[inline]
    pub(super) fn end(&mut self) {
        if self.is_own() {
            self.wake_up();
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_up(&mut self) {
        *self = Self::None;
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
