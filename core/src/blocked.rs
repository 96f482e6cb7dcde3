//! What a thread that blocks for a future knows: what wakes it, and when it looks again without being woken.

use alloc::{sync::Arc, task::Wake};
use core::{
    cell::Cell,
    mem,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
    time::Duration,
};
use std::{
    thread::{self, Thread},
    thread_local,
};

use crate::Instant;

thread_local! {
    /// How long the future that is being polled may wait before it has to be polled again.
    static PATIENCE: Cell<Option<Duration>> = const { Cell::new(None) };
    /// What wakes this thread. The same one each time, so that a load which asks for itself is recognised.
    static PARKED: Arc<Parked> = Arc::new(Parked { thread: thread::current(), is_woken: AtomicBool::new(false) });
    /// The address of that, once there is one: looking for it must not create it.
    static MARK: Cell<usize> = const { Cell::new(0) };
    /// Whether a future is being polled here.
    static IS_POLLING: Cell<bool> = const { Cell::new(false) };
}

/// Wakes a thread that blocks.
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

/// Is this thread about to block for what is being polled?
fn is_polling() -> bool {
    IS_POLLING.try_with(Cell::get).unwrap_or(false)
}

/// Returns whether the thread is about to block and this deadline is reached; if not yet, the thread looks again in time,
/// whatever happens to the runtime's timer.
pub(crate) fn is_over(deadline: Instant, now: impl FnOnce() -> Instant) -> bool {
    if !is_polling() {
        return false;
    }
    let now = now().told();
    let is_reached = deadline.reached(now);
    if !is_reached {
        poll_within(deadline.saturating_since(now).max(LEAST));
    }
    is_reached
}

/// A thread that blocks sleeps for so long at least: a clock may stand still.
const LEAST: Duration = Duration::from_millis(1);

/// What is being polled here is to be polled again within this time, woken or not.
pub(crate) fn poll_within(time: Duration) {
    let _gone = PATIENCE.try_with(|patience| patience.set(Some(patience.get().map_or(time, |other| other.min(time)))));
}

/// Is this address that of the waker of this thread's blocking call?
pub(crate) fn is_by(waker: usize) -> bool {
    // (A waker that does nothing may have no address at all.)
    waker != 0 && MARK.try_with(|mark| mark.get() == waker).unwrap_or(false)
}

/// This thread blocks for a future. A call from inside another future that is blocked for leaves that state as it was.
pub(crate) struct Blocked {
    was_polling: bool,
    patience: Option<Duration>,
    parked: Arc<Parked>,
}

impl Blocked {
    pub(crate) fn begin() -> Self {
        let parked = PARKED.with(Arc::clone);
        MARK.set(Arc::as_ptr(&parked).addr());
        Self { was_polling: IS_POLLING.replace(true), patience: PATIENCE.take(), parked }
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.parked))
    }

    /// The future is about to be polled.
    pub(crate) fn look(&self) {
        self.parked.is_woken.store(false, Ordering::SeqCst);
        PATIENCE.set(None);
    }

    /// Sleeps until it is to be polled again.
    pub(crate) fn sleep(&self) {
        let began = std::time::Instant::now();
        while !self.parked.is_woken.load(Ordering::SeqCst) {
            match PATIENCE.get().map(|patience| patience.checked_sub(began.elapsed())) {
                None => thread::park(),
                Some(Some(left)) if !left.is_zero() => thread::park_timeout(left),
                Some(_) => break,
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        IS_POLLING.set(self.was_polling);
        PATIENCE.set(mem::take(&mut self.patience));
        if self.was_polling {
            // Some of the wakes that were taken here may have been for the outer call.
            self.parked.wake_by_ref();
        }
    }
}
