//! Waiting on a thread that has nothing else to do.

use alloc::{sync::Arc, task::Wake};
use core::{
    cell::Cell,
    future::Future,
    mem,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    thread::{self, Thread},
    thread_local,
};

use super::StdClock;
use crate::{Clock, Instant, Timer};

/// The standard library's clock, and a timer for threads that block.
///
/// A sleep that is polled by [`block_on`] wakes its thread by itself. Polled by anything else, it is as that of
/// [`NoTimer`](super::NoTimer): it ends when somebody polls it. A combinator that polls only what was woken is something
/// else, too.
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
    /// Starts a clock at zero.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::ThreadTimer};
    /// assert!(ThreadTimer::new().now().saturating_since(Instant::ZERO) < Duration::from_secs(60));
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
}

impl Timer for ThreadTimer {
    type Sleep = ThreadSleep;

    fn sleep_until(&self, deadline: Instant) -> ThreadSleep {
        ThreadSleep { clock: self.0, deadline }
    }
}

/// The sleep of a [`ThreadTimer`].
///
/// ```
/// use larder::{Instant, Timer, parts::{ThreadTimer, block_on}};
///
/// block_on(ThreadTimer::new().sleep_until(Instant::ZERO));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ThreadSleep {
    clock: StdClock,
    deadline: Instant,
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let now = self.clock.now();
        if self.deadline.reached(now) {
            return Poll::Ready(());
        }
        let left = self.deadline.saturating_since(now);
        PATIENCE.with(|patience| patience.set(Some(patience.get().map_or(left, |other| other.min(left)))));
        Poll::Pending
    }
}

thread_local! {
    /// How long the future that is being polled may wait before it has to be polled again.
    static PATIENCE: Cell<Option<Duration>> = const { Cell::new(None) };
    /// What wakes this thread. The same one each time, so that a load which asks for itself is recognised.
    static PARKED: Arc<Parked> = Arc::new(Parked { thread: thread::current(), is_woken: AtomicBool::new(false) });
    /// Whether a future is being polled here.
    static IS_POLLING: Cell<bool> = const { Cell::new(false) };
}

struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Runs a future to its end on this thread, which sleeps meanwhile.
///
/// As any such function, and it knows of the sleeps of a [`ThreadTimer`]. Any other may be used with any other timer.
///
/// ```
/// use larder::parts::block_on;
///
/// assert_eq!(block_on(async { 7 }), 7);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parked = PARKED.with(Arc::clone);
    let waker = Waker::from(Arc::clone(&parked));
    let _outer = Outer { is_polling: IS_POLLING.replace(true), patience: PATIENCE.take(), parked: &parked };
    loop {
        parked.is_woken.store(false, Ordering::SeqCst);
        PATIENCE.set(None);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let began = std::time::Instant::now();
        while !parked.is_woken.load(Ordering::SeqCst) {
            match PATIENCE.get().map(|patience| patience.checked_sub(began.elapsed())) {
                None => thread::park(),
                Some(Some(left)) if !left.is_zero() => thread::park_timeout(left),
                Some(_) => break,
            }
        }
    }
}

/// What a call from inside another one's future has to leave as it was.
struct Outer<'a> {
    is_polling: bool,
    patience: Option<Duration>,
    parked: &'a Arc<Parked>,
}

impl Drop for Outer<'_> {
    fn drop(&mut self) {
        IS_POLLING.set(self.is_polling);
        PATIENCE.set(mem::take(&mut self.patience));
        if self.is_polling {
            // Some of the wakes that were taken here may have been for the one outside.
            self.parked.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests;
