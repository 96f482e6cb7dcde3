//! Keys and values whose own code panics on demand.

use core::hash::{Hash, Hasher};

use larder_tests::*;

std::thread_local! {
    /// What panics next, and after how many calls that do not.
    static TRAP: Cell<Option<(Spot, u64)>> = const { Cell::new(None) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    Hash,
    Eq,
    CloneKey,
    CloneValue,
    DropKey,
    DropValue,
}

/// Makes the code at this spot panic once, after `left` calls that do not.
pub(crate) fn arm(spot: Spot, left: u64) {
    TRAP.set(Some((spot, left)));
}

/// Makes nothing panic any more.
pub(crate) fn calm() {
    TRAP.set(None);
}

fn reach(spot: Spot) {
    if let Some((trap, left)) = TRAP.get().filter(|(trap, _)| *trap == spot) {
        TRAP.set(left.checked_sub(1).map(|left| (trap, left)));
        if left == 0 {
            std::panic::panic_any(Bang(17));
        }
    }
}

fn reach_in_drop(spot: Spot) {
    if !std::thread::panicking() {
        reach(spot);
    }
}

/// A key that allocates, so that leaks are noticed.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) Box<u32>);

impl Key {
    pub(crate) fn new(key: u32) -> Self {
        Self(Box::new(key))
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        reach(Spot::CloneKey);
        Self(self.0.clone())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        reach(Spot::Eq);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        reach(Spot::Hash);
        // Keys are compared often.
        (*self.0 % 2).hash(state);
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        reach_in_drop(Spot::DropKey);
    }
}

/// A value that knows its key.
#[derive(Debug)]
pub(crate) struct Value(pub(crate) Box<u32>);

impl Value {
    pub(crate) fn new(key: u32) -> Self {
        Self(Box::new(key))
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        reach(Spot::CloneValue);
        Self(self.0.clone())
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        reach_in_drop(Spot::DropValue);
    }
}
