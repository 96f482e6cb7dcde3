//! A cache that grows with a policy that panics.

use core::{cell::Cell, panic::AssertUnwindSafe};
use std::panic::catch_unwind;

use larder::{
    Cache, ManualClock, Tuned,
    policy::{Lru, Nodes, Policy},
};
use larder_tests::{Boom, Counted, assert_clean};

std::thread_local! {
    /// The policy panics at the call that counts this down to zero.
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

fn step() {
    let left = LEFT.get();
    LEFT.set(left.saturating_sub(1));
    assert!(left != 1, "the policy panics");
}

struct Faulty(Lru);

impl Policy for Faulty {
    type Node = <Lru as Policy>::Node;
    type Admission = ();

    fn new(capacity: u64) -> Self {
        step();
        Self(Lru::new(capacity))
    }

    fn set_capacity(&mut self, capacity: u64) {
        step();
        self.0.set_capacity(capacity);
    }

    fn hit<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32) {
        step();
        self.0.hit(entries, place);
    }

    fn admit<E: Nodes<Self::Node>>(&mut self, entries: &mut E, hash: u64, weight: u64) {
        step();
        self.0.admit(entries, hash, weight);
    }

    fn evict<E: Nodes<Self::Node>>(&mut self, entries: &mut E) -> Option<u32> {
        step();
        self.0.evict(entries)
    }

    fn insert<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32, (): ()) {
        step();
        self.0.insert(entries, place, ());
    }

    fn remove<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32) {
        step();
        self.0.remove(entries, place);
    }

    fn reweigh<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32, old: u64) {
        step();
        self.0.reweigh(entries, place, old);
    }

    fn relocate<E: Nodes<Self::Node>>(&mut self, entries: &mut E, from: u32, to: u32) {
        step();
        self.0.relocate(entries, from, to);
    }

    fn clear(&mut self) {
        step();
        self.0.clear();
    }
}

/// C111, P12: wherever in a growth the policy panics, it knows all values that are there after it, and no room is lost.
#[test]
fn c111_a_policy_that_panics() {
    let mut unwound = 0;
    loop {
        let builder =
            Cache::<u32, u32, Boom, _, _>::builder_with(Counted::new(ManualClock::new()), Tuned::<Faulty>::new());
        let cache = builder.capacity(90).processors(1).hash_seed(1).build().expect("valid");
        (0..90).for_each(|key| _ = cache.insert(key, key));
        LEFT.set(1 + 13 * unwound);
        let end = catch_unwind(AssertUnwindSafe(|| cache.set_capacity(100_000)));
        LEFT.set(0);
        if end.is_ok() {
            break;
        }
        unwound += 1;
        assert!(cache.weight() <= 90 && cache.capacity() == 90, "{unwound}");
        for key in 0..1000 {
            assert!(cache.insert(key, key).is_some());
            assert_eq!(cache.get_if_present(&key), Some(key), "{unwound}");
            assert!(cache.weight() <= 90, "{unwound}: {} after {key}", cache.weight());
        }
        cache.set_capacity(10);
        assert!(cache.weight() <= 10, "{unwound}");
        assert_clean(&cache.stats());
        cache.set_capacity(5000);
        (0..4500).for_each(|key| _ = cache.insert(key, key));
        assert_eq!(cache.len(), 4500, "{unwound}: no room was lost");
        assert_clean(&cache.stats());
    }
    assert!(unwound > 20, "{unwound}");
}
