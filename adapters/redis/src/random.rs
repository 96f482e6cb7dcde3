//! Randomness: tokens that nobody else has, and numbers to spread what would come at once.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Keyed hashes, whose keys come from the operating system, of a counter.
fn numbers() -> (u64, u64) {
    static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Relaxed);
    (KEYS.0.hash_one(count), KEYS.1.hash_one(!count))
}

/// Returns 128 random bits, as text.
pub(crate) fn token() -> String {
    let (one, other) = numbers();
    format!("{one:016x}{other:016x}")
}

/// Returns a number from 0 to 1.
pub(crate) fn share() -> f64 {
    (numbers().0 >> 11) as f64 / (1_u64 << 53) as f64
}
