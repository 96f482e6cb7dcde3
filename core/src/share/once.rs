//! A call that is over stays over, and one that has unwound begins again.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A future that is made when it is polled, and dropped once it is ready or has unwound; what makes it stays.
///
/// Polled again, it is pending; but if it has unwound, it is made again, if possible.
pub(crate) struct Once<M, F> {
    make: M,
    future: Option<Pin<Box<F>>>,
    is_over: bool,
}

impl<M: FnMut() -> Option<F>, F: Future> Once<M, F> {
    pub(crate) const fn new(make: M) -> Self {
        Self { make, future: None, is_over: false }
    }
}

impl<M, F> Unpin for Once<M, F> {}

impl<M: FnMut() -> Option<F>, F: Future> Future for Once<M, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.is_over {
            return Poll::Pending;
        }
        // Taken out while it is polled, because a future that has unwound must not be polled again.
        let future = self.future.take();
        let Some(mut future) = future.or_else(|| (self.make)().map(Box::pin)) else { return Poll::Pending };
        let poll = future.as_mut().poll(cx);
        if poll.is_pending() {
            self.future = Some(future);
        } else {
            // (What makes it may hold user values, whose drops must not cost the result.)
            self.is_over = true;
        }
        poll
    }
}
