//! A load that says what the engine takes.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

pin_project! {
    /// A load, and how to convert what it returns.
    pub(super) struct Told<F: Future, X, O> {
        #[pin]
        load: F,
        extra: Option<X>,
        say: fn(F::Output, X) -> O,
    }
}

impl<F: Future, X, O> Told<F, X, O> {
    #[inline]
    pub(super) const fn new(load: F, extra: X, say: fn(F::Output, X) -> O) -> Self {
        Self { load, extra: Some(extra), say }
    }
}

impl<F: Future, X, O> Future for Told<F, X, O> {
    type Output = O;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        match this.load.poll(cx) {
            Poll::Ready(answer) => {
                this.extra.take().map_or(Poll::Pending, |extra| Poll::Ready((this.say)(answer, extra)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
