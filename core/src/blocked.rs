//! What a thread that blocks for a future knows: what wakes it, and when it looks again without being woken.

use alloc::{sync::Arc, task::Wake, vec::Vec};
use core::{
    cell::Cell,
    mem,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
    time::Duration,
};
use std::{
    thread::{self, Thread},
    thread_local, time,
};

use crate::Instant;

thread_local! {
    /// What is to be woken when, if nothing else has: a combinator polls only those futures that were.
    static PATIENCE: Cell<Vec<(time::Instant, Waker)>> = const { Cell::new(Vec::new()) };
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
pub(crate) fn is_over(deadline: Instant, waker: &Waker, now: impl FnOnce() -> Instant) -> bool {
    if !is_polling() {
        return false;
    }
    let now = now().told();
    let is_reached = deadline.reached(now);
    if !is_reached {
        poll_within(deadline.saturating_since(now).max(LEAST), waker);
    }
    is_reached
}

/// A thread that blocks sleeps for so long at least: a clock may stand still.
const LEAST: Duration = Duration::from_millis(1);

/// What is being polled here with this waker is to be polled again within this time, woken or not.
pub(crate) fn poll_within(time: Duration, waker: &Waker) {
    let Some(end) = time::Instant::now().checked_add(time) else { return };
    let waker = waker.clone();
    let _gone = PATIENCE.try_with(|patience| {
        let mut all = patience.take();
        match all.iter_mut().find(|(_, other)| other.will_wake(&waker)) {
            Some(present) => present.0 = present.0.min(end),
            None => all.push((end, waker)),
        }
        patience.set(all);
    });
}

/// Is this address that of the waker of this thread's blocking call?
pub(crate) fn is_by(waker: usize) -> bool {
    // (A waker that does nothing may have no address at all.)
    waker != 0 && MARK.try_with(|mark| mark.get() == waker).unwrap_or(false)
}

/// This thread blocks for a future. A call from inside another future that is blocked for leaves that state as it was.
pub(crate) struct Blocked {
    was_polling: bool,
    patience: Vec<(time::Instant, Waker)>,
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
        // What has this waker itself is polled now, and says anew how long it waits.
        let (mut all, own) = (PATIENCE.take(), self.waker());
        all.retain(|(_, waker)| !waker.will_wake(&own));
        PATIENCE.set(all);
    }

    /// Sleeps until it is to be polled again.
    pub(crate) fn sleep(&self) {
        while !self.parked.is_woken.load(Ordering::SeqCst) {
            let now = time::Instant::now();
            let (due, later): (Vec<_>, Vec<_>) = PATIENCE.take().into_iter().partition(|(end, _)| *end <= now);
            let next = later.iter().map(|(end, _)| *end).min();
            PATIENCE.set(later);
            match next {
                _ if !due.is_empty() => due.into_iter().for_each(|(_, waker)| waker.wake()),
                Some(end) => thread::park_timeout(end.saturating_duration_since(now)),
                None => thread::park(),
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
