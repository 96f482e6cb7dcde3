//! Hit ratios for access patterns that tell policies apart.

use alloc::vec::Vec;

use super::shelf::{Inspect, Random, Shelf};
use crate::store::policy::{GatedFifo, Lru};

const CAPACITY: u64 = 200;

/// Returns the hits in percent.
fn hit_ratio<P: Inspect>(keys: &[u64]) -> usize {
    let mut shelf = Shelf::<P>::new(CAPACITY);
    keys.iter().filter(|&&key| shelf.access(key)).count() * 100 / keys.len()
}

/// Returns accesses to 2000 keys, mostly to the first ones.
fn skewed(accesses: usize) -> Vec<u64> {
    let mut random = Random(11);
    let draw = |_| {
        let range = 2 << random.below(11);
        random.below(range)
    };
    (0..accesses).map(draw).collect()
}

#[test]
fn a_loop_slightly_too_long_is_held_in_part() {
    let keys: Vec<u64> = (0..CAPACITY * 5 / 4).cycle().take(20_000).collect();
    assert_eq!(hit_ratio::<Lru>(&keys), 0);
    let ratio = hit_ratio::<GatedFifo>(&keys);
    assert!(ratio > 70, "{ratio}% of at most 80%");
}

#[test]
fn a_long_loop_is_held_in_part() {
    let keys: Vec<u64> = (0..CAPACITY * 5).cycle().take(50_000).collect();
    assert_eq!(hit_ratio::<Lru>(&keys), 0);
    let ratio = hit_ratio::<GatedFifo>(&keys);
    assert!(ratio > 16, "{ratio}% of at most 20%");
}

#[test]
fn scans_do_not_push_out_what_is_popular() {
    let mut keys = Vec::new();
    for (round, part) in skewed(20_000).chunks(500).enumerate() {
        let start = 10_000 * (round as u64 + 1);
        keys.extend_from_slice(part);
        keys.extend(start..start + 500);
    }
    let (lru, gated) = (hit_ratio::<Lru>(&keys), hit_ratio::<GatedFifo>(&keys));
    // Half of the accesses are part of a scan and cannot hit.
    assert!(gated >= lru + 5 && gated >= 35, "{gated}%, and {lru}% by recency");
}

#[test]
fn what_is_popular_stays() {
    let keys = skewed(40_000);
    let (lru, gated) = (hit_ratio::<Lru>(&keys), hit_ratio::<GatedFifo>(&keys));
    assert!(gated >= lru + 2, "{gated}%, and {lru}% by recency");
}

#[test]
fn what_was_just_used_is_held() {
    // Every key twice, at a distance that probation holds.
    let lag = CAPACITY / 20;
    let keys: Vec<u64> = (lag..20_000).flat_map(|key| [key, key - lag]).collect();
    let ratio = hit_ratio::<GatedFifo>(&keys);
    assert!(ratio >= 45, "{ratio}% of at most 50%");
}
