//! What a thread that blocks for a future knows: what wakes it, and when it looks again without being woken.

use alloc::{collections::BTreeMap, sync::Arc, task::Wake};
use core::{
    cell::{Cell, RefCell},
    mem,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
    time::Duration,
};
use std::{
    thread::{self, Thread},
    thread_local, time,
};

use crate::{
    Instant,
    contain::{contain, each},
};

thread_local! {
    /// What is to be woken when, if nothing else has: a combinator polls only those futures that were. A number tells
    /// waits of one end apart.
    static PATIENCE: RefCell<BTreeMap<(time::Instant, u64), Waker>> = const { RefCell::new(BTreeMap::new()) };
    static LAST: Cell<u64> = const { Cell::new(0) };
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

/// A wait in a thread that is about to block, which looks again in time, whatever happens to the runtime's timer.
#[derive(Debug)]
pub(crate) struct Wait(Option<(time::Instant, u64)>);

impl Wait {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Returns whether this deadline is reached; if not yet, it is looked at again in time.
    pub(crate) fn is_over(&mut self, deadline: Instant, waker: &Waker, now: impl FnOnce() -> Instant) -> bool {
        if !is_polling() {
            return false;
        }
        let now = now().told();
        let is_reached = deadline.reached(now);
        if !is_reached {
            self.poll_within(deadline.saturating_since(now).max(LEAST), waker);
        }
        is_reached
    }

    /// What is being polled here with this waker is to be polled again within this time, woken or not.
    pub(crate) fn poll_within(&mut self, time: Duration, waker: &Waker) {
        self.end();
        let Some(end) = time::Instant::now().checked_add(time).filter(|_| is_polling()) else { return };
        let waker = waker.clone();
        self.0 = PATIENCE
            .try_with(|patience| {
                let number = LAST.get() + 1;
                LAST.set(number);
                patience.borrow_mut().insert((end, number), waker);
                (end, number)
            })
            .ok();
    }

    /// (On another thread there is no such wait; the one that it had woken looks once in vain.)
    #[cold]
    #[inline(never)]
    fn end(&mut self) {
        let Some(place) = self.0.take() else { return };
        drop(PATIENCE.try_with(|patience| patience.borrow_mut().remove(&place)));
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        contain(|| self.end());
    }
}

/// A thread that blocks sleeps for so long at least: a clock may stand still.
const LEAST: Duration = Duration::from_millis(1);

/// Is this address that of the waker of this thread's blocking call?
pub(crate) fn is_by(waker: usize) -> bool {
    // (A waker that does nothing may have no address at all.)
    waker != 0 && MARK.try_with(|mark| mark.get() == waker).unwrap_or(false)
}

/// This thread blocks for a future. A call from inside another future that is blocked for leaves that state as it was.
pub(crate) struct Blocked {
    was_polling: bool,
    patience: BTreeMap<(time::Instant, u64), Waker>,
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
    }

    /// Sleeps until it is to be polled again.
    pub(crate) fn sleep(&self) {
        while !self.parked.is_woken.load(Ordering::SeqCst) {
            let first = PATIENCE.with_borrow(|patience| patience.first_key_value().map(|(place, _)| *place));
            match first.map(|place| (place, place.0.saturating_duration_since(time::Instant::now()))) {
                None => thread::park(),
                Some((_, left)) if !left.is_zero() => thread::park_timeout(left),
                Some((place, _)) => {
                    let due = PATIENCE.with_borrow_mut(|patience| patience.remove(&place));
                    due.into_iter().for_each(Waker::wake);
                }
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        IS_POLLING.set(self.was_polling);
        if self.was_polling {
            // Some of the wakes that were taken here may have been for the outer call.
            self.parked.wake_by_ref();
        }
        // What others wait for as well, such as a load that sleeps, they take over.
        let left = PATIENCE.replace(mem::take(&mut self.patience));
        contain(|| each(left.into_values(), Waker::wake));
    }
}
