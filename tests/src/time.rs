//! Virtual time in whole milliseconds, counted from the zero of each case.

use core::cell::Cell;
use core::time::Duration;

use alloc::rc::Rc;

use larder::{Clock, Instant, ManualClock, Timer};

/// A length of virtual time.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A manual clock, and the time since the case's `t=0`.
///
/// The harness counts time separately, so the clock's number of reads counts the cache's reads only.
#[derive(Clone, Default)]
pub struct Time {
    clock: ManualClock,
    zero: Rc<Cell<u64>>,
    now: Rc<Cell<u64>>,
}

impl Time {
    /// The clock itself, a handle that shares its time.
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Milliseconds since the case's zero.
    pub fn ms(&self) -> u64 {
        self.now.get() - self.zero.get()
    }

    /// The instant `t` milliseconds after the case's zero.
    pub fn instant(&self, t: u64) -> Instant {
        Instant::from_nanos((self.zero.get() + t) * 1_000_000)
    }

    /// Sets the clock to `t` milliseconds after zero, forward or back.
    pub fn set(&self, t: u64) {
        self.now.set(self.zero.get() + t);
        self.clock.set(self.instant(t));
    }

    /// Makes the current time the case's `t=0`.
    pub fn zero(&self) {
        self.zero.set(self.now.get());
    }

    /// The earliest deadline of all sleeps, in milliseconds after zero, rounded up.
    pub fn next_deadline(&self) -> Option<u64> {
        let at = self.clock.next_deadline().filter(|at| *at != Instant::NEVER)?;
        Some(at.as_nanos().div_ceil(1_000_000).saturating_sub(self.zero.get()).max(self.ms()))
    }
}

/// Ends `t` milliseconds after the call.
pub fn sleep(time: &Time, t: u64) -> <ManualClock as Timer>::Sleep {
    time.clock.sleep_until(time.instant(time.ms() + t))
}

/// A manual clock that a closure reads, which may do something else as well. Its sleeps are those of the manual clock.
pub struct Tells<F>(pub ManualClock, pub F);

impl<F: Fn(&ManualClock) -> Instant> Clock for Tells<F> {
    fn now(&self) -> Instant {
        (self.1)(&self.0)
    }
}

impl<F: Fn(&ManualClock) -> Instant> Timer for Tells<F> {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}
