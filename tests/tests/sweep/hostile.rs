//! Keys and values whose own code panics on demand.

use core::hash::{Hash, Hasher};

use larder_tests::*;

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
        strike("clone of a key");
        Self(self.0.clone())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        strike("eq");
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        strike("hash");
        // Keys are compared often.
        (*self.0 % 2).hash(state);
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        strike_in_drop("drop of a key");
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
        strike("clone");
        Self(self.0.clone())
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        strike_in_drop("drop");
    }
}
