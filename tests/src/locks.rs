//! A runtime that counts how often its locks are taken.

use core::cell::{Cell, RefCell};

use larder::{Clock, Instant, Lock, ManualClock, OneThread, Runtime, Timer, parts::Local};

std::thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// Runs `work` and tells how many locks of a [`Counted`] runtime it made on this thread.
pub fn locks_made(work: impl FnOnce()) -> u64 {
    let before = MADE.get();
    work();
    MADE.get() - before
}

/// Runs `work` and returns how often it took a lock of a [`Counted`] runtime on this thread.
pub fn locks(work: impl FnOnce()) -> u64 {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}

/// A runtime on one thread that counts how often its locks are taken.
#[derive(Clone, Debug)]
pub struct Counted(ManualClock);

impl Counted {
    /// A counting runtime that follows `clock`.
    pub const fn new(clock: ManualClock) -> Self {
        Self(clock)
    }
}

/// A lock that counts.
pub struct CountedLock<T>(RefCell<T>);

impl<T> Lock<T> for CountedLock<T> {
    fn new(value: T) -> Self {
        MADE.set(MADE.get() + 1);
        Self(RefCell::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        TAKEN.set(TAKEN.get() + 1);
        let before = HANDLED.get();
        let done = f(&mut self.0.borrow_mut());
        MOST.set(MOST.get().max(HANDLED.get() - before));
        done
    }
}

impl Clock for Counted {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Counted {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
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
