//! Keys, values and a clock whose own code panics where that is armed.

use core::hash::{Hash, Hasher};

use larder::{Clock, Instant, ManualClock};
use larder_tests::*;

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
        strike_in_drop("drop of a key");
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
        // Only for an evicted value.
        if self.0 >= 1000 {
            strike_in_drop("drop");
        }
    }
}

/// A clock that strikes as it is read.
pub(super) type Hostile = Tells<fn(&ManualClock) -> Instant>;

pub(super) fn hostile(clock: ManualClock) -> Hostile {
    Tells(clock, |clock| {
        strike("now");
        clock.now()
    })
}
