//! Keys, values and a clock whose own code panics where that is armed.

use core::hash::{Hash, Hasher};

use larder::{Clock, Instant, ManualClock, Timer};
use larder_tests::*;

std::thread_local! {
    pub(super) static ARMED: Cell<&'static str> = const { Cell::new("") };
    pub(super) static PASSES: Cell<u32> = const { Cell::new(0) };
}

/// Panics if this point is armed, once, when it is met for the last time of those to be passed.
pub(super) fn strike(point: &'static str) {
    if ARMED.get() == point && PASSES.replace(PASSES.get().saturating_sub(1)) == 0 {
        ARMED.set("");
        std::panic::panic_any(Bang(17));
    }
}

/// A key that strikes as it is hashed, compared and dropped.
#[derive(Clone)]
pub(super) struct Key(pub(super) u32);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        strike("hash");
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        strike("eq");
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            strike("drop of a key");
        }
    }
}

/// A value that strikes as it is cloned and, from 1000 on, dropped.
pub(super) struct Value(pub(super) u32);

impl Clone for Value {
    fn clone(&self) -> Self {
        strike("clone");
        Self(self.0)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // Only for an evicted value, and never during a panic.
        if self.0 >= 1000 && !std::thread::panicking() {
            strike("drop");
        }
    }
}

/// A clock that strikes as it is read.
pub(super) struct Hostile(pub(super) ManualClock);

impl Clock for Hostile {
    fn now(&self) -> Instant {
        strike("now");
        self.0.now()
    }
}

impl Timer for Hostile {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}
