use alloc::vec::Vec;

use super::*;
use crate::store::policy::tests::shelf::{Inspect, Random, Shelf};

impl Inspect for Lru {
    fn inspect(&self, entries: &mut impl Nodes<Link>) -> Vec<u32> {
        self.order.places(entries)
    }
}

#[test]
fn the_longest_unused_leaves_first() {
    let mut shelf = Shelf::<Lru>::new(3);
    for key in [1, 2, 3] {
        assert!(shelf.insert(key, 1).is_empty());
    }
    assert!(shelf.hit(1));
    assert_eq!(shelf.insert(4, 1), [2]);
    assert!(shelf.hit(3) && shelf.hit(3));
    assert_eq!(shelf.inspect(), [3, 4, 1]);
    assert_eq!(shelf.insert(5, 2), [1, 4]);
    assert_eq!(shelf.inspect(), [5, 3]);
}

#[test]
fn the_order_is_that_of_the_latest_uses() {
    let mut random = Random(3);
    let mut shelf = Shelf::<Lru>::new(20);
    let mut order: Vec<u64> = Vec::new();
    for _ in 0..5000 {
        let key = random.below(40);
        let known = order.iter().position(|&other| other == key).map(|index| order.remove(index)).is_some();
        if known && random.below(10) == 0 {
            shelf.remove(key);
        } else {
            assert_eq!(shelf.access(key), known);
            order.insert(0, key);
            order.truncate(20);
        }
        assert_eq!(shelf.inspect(), order);
    }
}

#[test]
fn weights_do_not_change_the_order() {
    let mut shelf = Shelf::<Lru>::new(10);
    for key in 0..5 {
        shelf.insert(key, 2);
    }
    assert_eq!(shelf.reweigh(0, 5), [0]);
    assert_eq!(shelf.reweigh(4, 5), [1]);
    assert_eq!(shelf.inspect(), [4, 3, 2]);
}

#[test]
fn a_node_has_eight_bytes() {
    assert_eq!(size_of::<<Lru as Policy>::Node>(), 8);
}
