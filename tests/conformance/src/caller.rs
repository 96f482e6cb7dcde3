//! A call of the cache, as its own task.

use core::future::Future;
use core::marker::PhantomData;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use alloc::sync::Arc;

use crate::{Answer, Bang};

/// A task that makes one call and records its result.
pub struct Caller<F, V> {
    call: Option<F>,
    seat: Seat,
    value: PhantomData<fn() -> V>,
}

/// The test's handle on a [`Caller`].
#[derive(Clone, Default)]
pub struct Seat(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    saw: Option<String>,
    leaves: bool,
    waker: Option<Waker>,
    /// Its call is pending, and not being polled.
    waits: bool,
}

impl<F, V> Caller<F, V> {
    /// A task that makes this call, and the test's handle on it.
    pub fn new(call: F) -> (Self, Seat) {
        let seat = Seat::default();
        (Self { call: Some(call), seat: seat.clone(), value: PhantomData }, seat)
    }
}

impl Seat {
    /// The result of the call once it has ended: an answer as [`Answer`] prints it, `unwound`, or `left`.
    pub fn saw(&self) -> Option<String> {
        self.with(|state| state.saw.clone())
    }

    /// Whether its call is pending, and not being polled.
    pub fn waits(&self) -> bool {
        self.with(|state| state.waits)
    }

    /// Makes the task drop its call.
    pub fn leave(&self) {
        let waker = self.with(|state| {
            state.leaves = true;
            state.waker.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Unpin, V> Unpin for Caller<F, V> {}

impl<F: Future + Unpin, V> Future for Caller<F, V>
where
    Answer<V>: From<F::Output> + ToString,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(mut call) = self.call.take() else { return Poll::Ready(()) };
        let leaves = self.seat.with(|state| {
            (state.waker, state.waits) = (Some(context.waker().clone()), false);
            state.leaves
        });
        let saw = if leaves {
            String::from("left")
        } else {
            // Caught here, because each runtime treats a panicking task in its own way.
            match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut call).poll(context))) {
                Ok(Poll::Pending) => {
                    self.call = Some(call);
                    self.seat.with(|state| state.waits = true);
                    return Poll::Pending;
                }
                Ok(Poll::Ready(answer)) => Answer::from(answer).to_string(),
                Err(payload) if payload.is::<Bang>() => String::from("unwound"),
                Err(_) => String::from("a panic of its own"),
            }
        };
        drop(call);
        self.seat.with(|state| *state = State { saw: Some(saw), ..State::default() });
        Poll::Ready(())
    }
}
