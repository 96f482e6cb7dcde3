//! Random operations, each followed by a comparison with what should be held.

use alloc::collections::BTreeSet;

use super::shelf::{Inspect, Random, Shelf};
use crate::store::policy::{GatedFifo, Lru};

/// Runs operations on 60 keys with weights below `weights` and capacities below `capacities`.
fn run<P: Inspect>(seed: u64, capacities: u64, weights: u64) {
    let mut random = Random(seed);
    let mut capacity = capacities / 2;
    let mut shelf = Shelf::<P>::new(capacity);
    let mut held = BTreeSet::new();
    for _ in 0..4000 {
        let key = random.below(60);
        let weight = 1 + random.below(weights);
        let left = match random.below(100) {
            0 => {
                capacity = random.below(capacities);
                shelf.set_capacity(capacity)
            }
            1 if random.below(10) == 0 => {
                held.clear();
                shelf.clear();
                continue;
            }
            2 => shelf.evict().into_iter().collect(),
            3..10 if held.remove(&key) => {
                shelf.remove(key);
                continue;
            }
            10..20 if held.contains(&key) => shelf.reweigh(key, weight),
            _ if shelf.hit(key) => continue,
            _ => {
                let left = shelf.insert(key, weight);
                assert!(!left.contains(&key), "a newcomer leaves by its own insertion");
                if weight <= capacity {
                    held.insert(key);
                }
                left
            }
        };
        for key in left {
            assert!(held.remove(&key), "{key} leaves twice");
        }
        assert!(shelf.keys().iter().eq(&held));
        shelf.inspect();
    }
    while let Some(key) = shelf.evict() {
        assert!(held.remove(&key), "{key} leaves twice");
    }
    assert!(held.is_empty(), "everything leaves in the end");
}

fn run_all<P: Inspect>() {
    for seed in 1..4 {
        run::<P>(seed, 40, 1);
        run::<P>(seed, 100, 12);
        run::<P>(seed, 4, 3);
        run::<P>(seed, 1 << 20, 1 << 16);
        run::<P>(seed, u64::MAX, u64::MAX - 1);
    }
}

#[test]
fn lru_holds_what_was_inserted_and_has_not_left() {
    run_all::<Lru>();
}

#[test]
fn gated_fifo_holds_what_was_inserted_and_has_not_left() {
    run_all::<GatedFifo>();
}

#[test]
fn capacities_of_none_and_one() {
    fn run<P: Inspect>() {
        let mut shelf = Shelf::<P>::new(0);
        assert_eq!((shelf.insert(1, 1).len(), shelf.evict()), (0, None));
        shelf.set_capacity(1);
        shelf.insert(1, 1);
        for key in 2..100 {
            assert_eq!(shelf.insert(key, 1), [key - 1]);
            assert!(shelf.hit(key));
        }
        assert_eq!(shelf.set_capacity(0), [99]);
        assert_eq!(shelf.evict(), None);
    }
    run::<Lru>();
    run::<GatedFifo>();
}

#[test]
fn an_unbounded_cache_can_be_bounded_later() {
    fn run<P: Inspect>() {
        let mut shelf = Shelf::<P>::new(u64::MAX);
        for key in 0..500 {
            assert!(shelf.insert(key, 1).is_empty());
            shelf.access(key / 2);
        }
        assert_eq!(shelf.set_capacity(100).len(), 400);
        assert_eq!(shelf.inspect().len(), 100);
        shelf.set_capacity(u64::MAX);
        assert!(shelf.insert(1000, u64::MAX / 2).is_empty());
        assert_eq!(shelf.insert(1001, u64::MAX).len(), 101);
    }
    run::<Lru>();
    run::<GatedFifo>();
}
