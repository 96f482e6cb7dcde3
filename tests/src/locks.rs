//! A runtime that counts its locks and its sleeps, and lets a test step in.

use core::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::collections::BTreeSet;

use larder::{Clock, Instant, Lock, ManualClock, OneThread, Runtime, Timer, parts::Local};

std::thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static MADE: Cell<u64> = const { Cell::new(0) };
    /// The locks that are taken, while that is asked.
    static WHICH: RefCell<Option<BTreeSet<u64>>> = const { RefCell::new(None) };
    /// The number of the lock that cannot be made.
    static MISSING: Cell<u64> = const { Cell::new(0) };
    static WHEN_READ: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    static SLEEPS: Cell<Sleeps> = const { Cell::new(Sleeps { live: 0, most: 0 }) };
}

/// Runs `work` and returns how often it took a lock of a [`Counted`] runtime on this thread.
pub fn locks(work: impl FnOnce()) -> u64 {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}

/// Runs `work` and returns how many locks of [`Counted`] runtimes it took on this thread, however often.
pub fn distinct_locks(work: impl FnOnce()) -> usize {
    WHICH.set(Some(BTreeSet::new()));
    work();
    WHICH.take().map_or(0, |which| which.len())
}

/// The lock of a [`Counted`] runtime that is made after so many others panics.
pub fn miss_lock_after(others: u64) {
    MISSING.set(MADE.get() + others + 1);
}

/// Runs `work`, and `step` whenever a [`Counted`] clock is read meanwhile, but not by the step itself.
pub fn when_read(step: impl FnMut() + 'static, work: impl FnOnce()) {
    WHEN_READ.set(Some(Box::new(step)));
    work();
    WHEN_READ.take();
}

/// How many sleeps of [`Counted`] runtimes there are on this thread, and how many there were at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleeps {
    /// Those that there are now.
    pub live: usize,
    /// The most at once.
    pub most: usize,
}

impl Sleeps {
    /// Returns what there is, and begins to look for the most anew.
    pub fn take() -> Self {
        let sleeps = SLEEPS.get();
        SLEEPS.set(Self { most: sleeps.live, ..sleeps });
        sleeps
    }
}

/// A runtime on one thread that counts how often its locks are taken, and its sleeps.
#[derive(Clone, Debug)]
pub struct Counted(ManualClock);

impl Counted {
    /// A counting runtime that follows `clock`.
    pub const fn new(clock: ManualClock) -> Self {
        Self(clock)
    }
}

/// A lock that counts.
pub struct CountedLock<T>(u64, RefCell<T>);

/// A sleep that is counted as long as it is there.
pub struct CountedSleep(<ManualClock as Timer>::Sleep);

impl<T> Lock<T> for CountedLock<T> {
    fn new(value: T) -> Self {
        let number = MADE.get() + 1;
        MADE.set(number);
        assert!(number != MISSING.get(), "there is no lock");
        Self(number, RefCell::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        TAKEN.set(TAKEN.get() + 1);
        WHICH.with_borrow_mut(|which| which.iter_mut().for_each(|which| _ = which.insert(self.0)));
        let before = HANDLED.get();
        let done = f(&mut self.1.borrow_mut());
        MOST.set(MOST.get().max(HANDLED.get() - before));
        done
    }
}

impl Clock for Counted {
    fn now(&self) -> Instant {
        if let Some(mut step) = WHEN_READ.take() {
            step();
            WHEN_READ.set(Some(step));
        }
        self.0.now()
    }
}

impl Timer for Counted {
    type Sleep = CountedSleep;

    fn sleep_until(&self, deadline: Instant) -> CountedSleep {
        let Sleeps { live, most } = SLEEPS.get();
        SLEEPS.set(Sleeps { live: live + 1, most: most.max(live + 1) });
        CountedSleep(self.0.sleep_until(deadline))
    }
}

impl Future for CountedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Drop for CountedSleep {
    fn drop(&mut self) {
        let Sleeps { live, most } = SLEEPS.get();
        SLEEPS.set(Sleeps { live: live - 1, most });
    }
}

impl Runtime for Counted {
    type Lock<T> = CountedLock<T>;
    type Notify = <Local<ManualClock> as Runtime>::Notify;
    type Threads = OneThread;
}

std::thread_local! {
    static HANDLED: Cell<u64> = const { Cell::new(0) };
    static MOST: Cell<u64> = const { Cell::new(0) };
}

/// Notes that something was done with an entry: a clone, a comparison, a hash, a drop, a call of a closure.
pub fn handle() {
    HANDLED.set(HANDLED.get() + 1);
}

/// Runs `work` and tells how often an entry was [handled](handle) under one lock of a [`Counted`] runtime, at the most.
pub fn most_handled(work: impl FnOnce()) -> u64 {
    MOST.set(0);
    work();
    MOST.get()
}
