//! Wakers that count, record their order, panic, or end another task.

use core::any::Any;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, PoisonError};

use alloc::{sync::Arc, task::Wake};

use crate::Bang;

/// Counts how often it was woken.
#[derive(Default)]
pub struct Counting(AtomicUsize);

impl Counting {
    /// A counter and the waker that feeds it.
    pub fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        (counter.clone(), Waker::from(counter))
    }

    /// The number of wakes so far.
    pub fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Records the order in which a group of wakers was woken.
#[derive(Clone, Default)]
pub struct Order(Arc<Mutex<Vec<usize>>>);

impl Order {
    /// A waker that records `number`.
    pub fn waker(&self, number: usize) -> Waker {
        Waker::from(Arc::new(Recording { order: self.clone(), number }))
    }

    /// Takes the numbers recorded so far.
    pub fn take(&self) -> Vec<usize> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Recording {
    order: Order,
    number: usize,
}

impl Wake for Recording {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.order.0.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// Panics with `Bang(16)` when it is woken.
pub fn panicking() -> Waker {
    struct Panicking;

    impl Wake for Panicking {
        fn wake(self: Arc<Self>) {
            std::panic::panic_any(Bang(16));
        }
    }

    Waker::from(Arc::new(Panicking))
}

std::thread_local! {
    /// Wakers must be `Send`, but what they drop need not be: it is kept here.
    static STASH: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    /// The future that is polled within wakes; empty while it is being polled.
    static SPOT: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
    /// What is called within wakes; empty while it is being called.
    static CALL: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    /// Whether a wake arrived while the future was being polled.
    static WOKEN: Cell<bool> = const { Cell::new(false) };
}

/// Polls `future` within each wake, like an executor that runs a task where it is woken.
pub fn on_the_spot(future: impl Future<Output = ()> + 'static) -> Waker {
    struct Spot;

    impl Wake for Spot {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            WOKEN.set(true);
            let waker = Waker::from(self.clone());
            while let Some(mut future) = SPOT.take() {
                WOKEN.set(false);
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    return;
                }
                SPOT.set(Some(future));
                if !WOKEN.get() {
                    return;
                }
            }
        }
    }

    SPOT.set(Some(Box::pin(future)));
    Waker::from(Arc::new(Spot))
}

/// Runs `body` with a waker that calls `look` on each wake until `body` returns.
pub fn calling<R>(look: impl FnMut() + 'static, body: impl FnOnce(&Waker) -> R) -> R {
    struct Calling;

    impl Wake for Calling {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            if let Some(mut look) = CALL.take() {
                look();
                CALL.set(Some(look));
            }
        }
    }

    CALL.set(Some(Box::new(look)));
    let result = body(&Waker::from(Arc::new(Calling)));
    CALL.take();
    result
}

/// Drops `victim` on the first wake, like an executor that ends a task.
pub fn dropping(victim: impl Any) -> Waker {
    struct Dropping;

    impl Wake for Dropping {
        fn wake(self: Arc<Self>) {
            drop(STASH.take());
        }
    }

    STASH.set(Some(Box::new(victim)));
    Waker::from(Arc::new(Dropping))
}

/// Whether the victim of [`dropping`] is still there.
pub fn victim_is_alive() -> bool {
    STASH.with_borrow(Option::is_some)
}

/// Polls `future` once with `waker`.
pub fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls `future` once with a waker that does nothing.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

/// Polls `future` once and returns its output, which must be ready.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = core::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call should be ready at its first poll"),
    }
}
