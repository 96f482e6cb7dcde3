//! A load that says what the engine takes.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

pin_project! {
    /// A load, and how to convert what it returns, once the load is gone.
    pub(super) struct Told<F: Future, X, O> {
        #[pin]
        load: Option<F>,
        extra: Option<X>,
        say: fn(F::Output, X) -> O,
    }
}

impl<F: Future, X, O> Told<F, X, O> {
    #[inline]
    pub(super) const fn new(load: F, extra: X, say: fn(F::Output, X) -> O) -> Self {
        Self { load: Some(load), extra: Some(extra), say }
    }
}

impl<F: Future, X, O> Future for Told<F, X, O> {
    type Output = O;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let mut this = self.project();
        match this.load.as_mut().as_pin_mut().map_or(Poll::Pending, |load| load.poll(cx)) {
            Poll::Ready(answer) => {
                this.load.set(None);
                this.extra.take().map_or(Poll::Pending, |extra| Poll::Ready((this.say)(answer, extra)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
