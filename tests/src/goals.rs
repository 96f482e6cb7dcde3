//! The goals of the replayed traces: the known hit ratios of LRU, and those of the best caches we know.

use std::collections::HashSet;

/// How many accesses of each trace count for the goal.
pub const HEAD: usize = 1_500_000;

/// The mean hit ratio that the default policy has to reach over the heads, in percent.
///
/// With the best cache for each trace and size, the mean is 44.27.
pub const LEAST_MEAN: f64 = 44.3;

/// How many points the default policy may be below the best cache for one trace and size.
pub const MOST_BEHIND: f64 = 1.0;

/// A recorded trace and its known figures; ratios are in percent.
#[derive(Debug)]
pub struct Recording {
    /// Its name, which is also the name of its file.
    pub name: &'static str,
    /// Distinct keys in the whole trace.
    pub keys: usize,
    /// LRU over the whole trace, at 0.1%, 1%, 10% and 25% of the keys.
    pub lru: [f64; 4],
    /// LRU over the head, at 1% and 10% of its keys.
    pub lru_head: [f64; 2],
    /// The best of seven other caches over the head, at 1% and 10% of its keys; not always the same cache.
    pub best: [f64; 2],
}

/// The recorded traces that have keys only.
pub const RECORDINGS: [Recording; 8] = [
    recording("oltp", 186_880, [13.77, 41.64, 66.52, 73.27], [41.6, 66.5], [45.5, 67.2]),
    recording("p2", 646_370, [2.16, 3.92, 29.70, 58.52], [5.2, 25.3], [5.2, 30.1]),
    recording("loop", 1_011, [0.0, 0.0, 0.0, 0.0], [0.0, 0.0], [6.3, 9.9]),
    recording("multi3", 7_454, [4.96, 5.17, 35.49, 44.51], [5.2, 35.5], [23.6, 48.5]),
    recording("corda", 90_468, [33.33, 33.33, 33.33, 33.33], [33.3, 33.3], [33.3, 33.3]),
    recording("scarab-recs", 258_368, [18.26, 34.71, 60.60, 72.06], [34.7, 60.6], [42.7, 61.9]),
    recording("web12", 13_756, [31.48, 39.79, 68.49, 77.69], [39.8, 68.5], [41.5, 71.7]),
    recording("twolf", 7_354, [85.36, 87.04, 98.06, 98.33], [87.0, 98.1], [89.5, 98.1]),
];

/// Returns the capacity for `per_mille` of this many keys, rounded to the nearest, and at least 64.
pub fn capacity(keys: usize, per_mille: usize) -> usize {
    ((keys * per_mille + 500) / 1000).max(64)
}

/// Returns how many different keys there are.
pub fn distinct(keys: &[u64]) -> usize {
    keys.iter().collect::<HashSet<_>>().len()
}

const fn recording(name: &'static str, keys: usize, lru: [f64; 4], lru_head: [f64; 2], best: [f64; 2]) -> Recording {
    Recording { name, keys, lru, lru_head, best }
}
