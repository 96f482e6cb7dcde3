//! A runtime that counts its locks, its sleeps and the readings of its clock, and lets a test step in.

use core::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::{collections::BTreeSet, sync::Mutex};

use larder::{
    Clock, Instant, Lock, ManualClock, OneThread, Runtime, Timer,
    parts::{WakerList, Wakers},
};

use crate::memory;

std::thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    /// The same with the locks of lists of wakers.
    static IN_ALL: Cell<u64> = const { Cell::new(0) };
    static READINGS: Cell<u64> = const { Cell::new(0) };
    /// The most bytes that were moved under one lock, while that is asked.
    static MOVED: Cell<Option<u64>> = const { Cell::new(None) };
    static MADE: Cell<u64> = const { Cell::new(0) };
    /// The locks that are taken, while that is asked.
    static WHICH: RefCell<Option<BTreeSet<u64>>> = const { RefCell::new(None) };
    /// The number of the lock that cannot be made.
    static MISSING: Cell<u64> = const { Cell::new(0) };
    static WHEN_READ: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    static SLEEPS: Cell<Sleeps> = const { Cell::new(Sleeps { live: 0, most: 0 }) };
}

/// Runs `work` and returns how often it took a lock of a [`Counted`] runtime on this thread, but those of lists of wakers.
pub fn locks(work: impl FnOnce()) -> u64 {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}

/// What was done with [`Counted`] runtimes on this thread.
///
/// The lock of the graph of write-back caches is the core's own, and is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// How often a lock was taken, those of lists of wakers among them.
    pub locks: u64,
    /// How often the clock was read.
    pub readings: u64,
}

impl Steps {
    /// Those since the thread began.
    pub(crate) fn so_far() -> Self {
        Self { locks: IN_ALL.get(), readings: READINGS.get() }
    }

    /// Runs `work` and counts its steps.
    pub fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let before = Self::so_far();
        let done = work();
        let Self { locks, readings } = Self::so_far();
        (done, Self { locks: locks - before.locks, readings: readings - before.readings })
    }
}

/// Runs `work` and returns the most bytes that it allocated, or gave back, under one lock of a [`Counted`] runtime.
pub fn most_moved(work: impl FnOnce()) -> u64 {
    MOVED.set(Some(0));
    work();
    MOVED.take().unwrap_or(0)
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

/// A runtime on one thread that counts how often its locks are taken and its clock is read, and its sleeps.
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

/// The same around a list of wakers, which may be called from any thread.
pub struct CountedList(Mutex<Wakers>);

/// Does what is done under a lock.
fn locked<R>(f: impl FnOnce() -> R) -> R {
    IN_ALL.set(IN_ALL.get() + 1);
    let Some(most) = MOVED.get() else { return f() };
    let mut done = None;
    let moved = memory::moved(|| done = Some(f()));
    MOVED.set(Some(most.max(moved)));
    done.expect("it was called")
}

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
        let done = locked(|| f(&mut self.1.borrow_mut()));
        MOST.set(MOST.get().max(HANDLED.get() - before));
        done
    }
}

impl Lock<Wakers> for CountedList {
    fn new(value: Wakers) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Wakers) -> R) -> R {
        locked(|| Lock::with(&self.0, f))
    }
}

impl Clock for Counted {
    fn now(&self) -> Instant {
        if let Some(mut step) = WHEN_READ.take() {
            step();
            WHEN_READ.set(Some(step));
        }
        READINGS.set(READINGS.get() + 1);
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
    type Notify = WakerList<CountedList>;
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
