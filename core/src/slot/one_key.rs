//! The hasher of the one key that a slot has.

use core::hash::{BuildHasher, Hasher};

/// Hashes the one key there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneKey;

impl BuildHasher for OneKey {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

impl Hasher for OneKey {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, _: &[u8]) {}
}
