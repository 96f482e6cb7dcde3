//! The upper bound for every policy: the one that knows the future (Belady, 1966), and may refuse keys that it cannot
//! use.

use std::collections::{BTreeSet, HashMap};

/// Returns the hits, in percent, of a cache for this many keys that knows the future.
pub fn hit_ratio(keys: &[u64], capacity: usize) -> f64 {
    let next = next_uses(keys);
    // The held keys, ordered by their next use.
    let mut held = BTreeSet::new();
    let mut hits = 0_u64;
    for (now, next) in next.into_iter().enumerate() {
        if held.remove(&now) {
            hits += 1;
        }
        // A key that is never used again needs no place.
        let Some(next) = next else { continue };
        held.insert(next);
        if held.len() > capacity {
            held.pop_last();
        }
    }
    100.0 * hits as f64 / keys.len().max(1) as f64
}

/// The next use of each access's key, if there is one.
fn next_uses(keys: &[u64]) -> Vec<Option<usize>> {
    let mut last = HashMap::new();
    let mut next: Vec<_> = keys.iter().enumerate().rev().map(|(place, key)| last.insert(*key, place)).collect();
    next.reverse();
    next
}

#[cfg(test)]
mod tests {
    use super::hit_ratio;
    use crate::traces;

    #[test]
    fn keeps_what_is_used_next() {
        // 2 is refused while 1 and 3 are used; with a cycle of three in two places, every second access hits.
        assert_eq!(hit_ratio(&[1, 3, 2, 1, 3, 2], 2), 100.0 / 3.0);
        assert_eq!(hit_ratio(&[1, 1, 1, 1], 1), 75.0);
        assert_eq!(hit_ratio(&[1, 2, 3], 8), 0.0);
        assert_eq!(hit_ratio(&[], 1), 0.0);
        assert_eq!(hit_ratio(&[1, 1], 0), 0.0);
    }

    #[test]
    fn is_as_known_for_a_cycle() {
        // A cycle over 1011 keys, 500 times: 6.32% in 64 entries, 9.97% in 101.
        let cycle = traces::cycle(1_011, 505_500);
        assert_eq!(format!("{:.2} {:.2}", hit_ratio(&cycle, 64), hit_ratio(&cycle, 101)), "6.32 9.97");
    }
}
