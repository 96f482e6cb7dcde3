//! A load that says what the engine takes.

use alloc::boxed::Box;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Answered, Loaded};

/// Converts what a load returns; `X` is passed along with it. Public only to be named in bounds.
#[doc(hidden)]
pub trait Say<A, X, O> {
    fn say(&self, answer: A, extra: X) -> O;
}

impl<A, X, O> Say<A, X, O> for fn(A, X) -> O {
    fn say(&self, answer: A, extra: X) -> O {
        self(answer, extra)
    }
}

/// Says of a value, plain or with a lifetime, that it is a new one.
#[derive(Clone, Copy, Debug)]
pub struct NewValue;

impl<A: Into<Loaded<V>>, V, E> Say<Result<A, E>, (), Result<Answered<V, E>, E>> for NewValue {
    #[inline(always)]
    fn say(&self, answer: Result<A, E>, (): ()) -> Result<Answered<V, E>, E> {
        answer.map(|value| Answered::new(value.into()))
    }
}

pin_project! {
    /// A load, and how to convert what it returns, once the load is gone.
    #[project = Parts]
    pub(super) enum Told<F, X, S, O> {
        Load {
            #[pin]
            load: F,
            extra: Option<X>,
            say: S,
            told: PhantomData<fn() -> O>,
        },
        Over,
    }
}

impl<F, X, S, O> Default for Told<F, X, S, O> {
    #[inline(always)]
    fn default() -> Self {
        Self::Over
    }
}

impl<F, X, S, O> Told<F, X, S, O> {
    // Made where it stays (`default` is): to make it elsewhere and to move it directly after that takes longer than a small
    // load.
    #[inline(always)]
    pub(super) fn boxed(make: impl FnOnce() -> F, extra: X, say: S) -> Pin<Box<Self>> {
        let mut told = Box::<Self>::default();
        *told = Self::Load { load: make(), extra: Some(extra), say, told: PhantomData };
        Box::into_pin(told)
    }
}

impl<F: Future, X, S: Say<F::Output, X, O> + Copy, O> Future for Told<F, X, S, O> {
    type Output = O;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let Parts::Load { load, extra, say, .. } = self.as_mut().project() else { return Poll::Pending };
        match load.poll(cx) {
            Poll::Ready(answer) => {
                let (extra, say) = (extra.take(), *say);
                self.set(Self::Over);
                extra.map_or(Poll::Pending, |extra| Poll::Ready(say.say(answer, extra)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
