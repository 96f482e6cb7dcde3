mod gate;

use alloc::vec::Vec;

use super::*;
use crate::store::policy::tests::shelf::{Inspect, Random, Shelf, hash};

impl Inspect for GatedFifo {
    fn inspect(&self, entries: &mut impl Nodes<Node>) -> Vec<u32> {
        let mut all = Vec::new();
        for (home, queue) in [(Home::Probation, &self.probation), (Home::Main, &self.main)] {
            let places = queue.places(entries);
            assert_eq!(places.len(), queue.len as usize);
            let weights = places.iter().map(|&place| entries.weight(place));
            assert_eq!(weights.sum::<u64>(), queue.weight);
            let ages: Vec<u16> = places.iter().map(|&place| self.clock.age(entries.node(place).stamp)).collect();
            assert!(ages.is_sorted(), "the last is the oldest");
            let waits = |&place: &u32| entries.node(place).home == Home::Probation;
            assert!(places.iter().map(waits).all(|waits| waits == (home == Home::Probation)));
            all.extend(places);
        }
        all
    }
}

fn filled(capacity: u64) -> Shelf<GatedFifo> {
    let mut shelf = Shelf::new(capacity);
    for key in 0..capacity {
        shelf.insert(key, 1);
    }
    shelf
}

/// Returns the longest probation queue that is allowed.
fn target(shelf: &Shelf<GatedFifo>) -> u64 {
    (0..).find(|&len| shelf.policy.share.is_exceeded(len + 1)).expect("a bound")
}

#[test]
fn a_node_has_twelve_bytes() {
    assert_eq!(size_of::<<GatedFifo as Policy>::Node>(), 12);
}

#[test]
fn a_hit_touches_its_own_node_alone() {
    struct Only(u32, Node);

    impl Nodes<Node> for Only {
        fn node(&mut self, place: u32) -> &mut Node {
            assert_eq!(place, self.0);
            &mut self.1
        }

        fn hash(&self, _place: u32) -> u64 {
            unreachable!("a hit asks for no hash")
        }

        fn weight(&self, _place: u32) -> u64 {
            unreachable!("a hit asks for no weight")
        }
    }

    let mut only = Only(7, Node::default());
    let mut policy = GatedFifo::new(10);
    for uses in [1, 2, 3, 3, 3] {
        policy.hit(&mut only, 7);
        assert_eq!(only.1.uses, uses);
    }
}

#[test]
fn a_full_cache_is_mostly_the_main_queue() {
    let shelf = filled(1000);
    // One more than the 6% with which it starts: the newcomer.
    assert_eq!((shelf.policy.probation.len, shelf.policy.main.len), (60, 940));
}

#[test]
fn two_uses_carry_a_newcomer_through_a_scan() {
    let mut shelf = filled(100);
    shelf.policy.share.widen(15);
    (1000..1003).for_each(|key| drop(shelf.insert(key, 1)));
    // Not before they are out of the newest part.
    (1500..1512).for_each(|key| drop(shelf.insert(key, 1)));
    for (key, uses) in [(1000, 0), (1001, 1), (1002, 2)] {
        (0..uses).for_each(|_| assert!(shelf.hit(key)));
    }
    (2000..2100).for_each(|key| drop(shelf.insert(key, 1)));
    assert_eq!([1000, 1001, 1002].map(|key| shelf.hit(key)), [false, false, true]);
}

#[test]
fn uses_of_what_has_just_come_do_not_count() {
    let mut shelf = filled(1000);
    shelf.insert(5000, 1);
    (0..9).for_each(|_| assert!(shelf.hit(5000)));
    let uses = |shelf: &mut Shelf<GatedFifo>| {
        let place = shelf.policy.probation.places(&mut shelf.entries)[0];
        shelf.entries.node(place).uses
    };
    assert_eq!(uses(&mut shelf), 0);
    (6000..6055).for_each(|key| drop(shelf.insert(key, 1)));
    assert!(shelf.hit(5000) && shelf.hit(5000));
    (7000..7100).for_each(|key| drop(shelf.insert(key, 1)));
    assert!(shelf.hit(5000), "two uses later on have carried it through");
}

#[test]
fn what_comes_back_soon_goes_to_the_main_queue() {
    let mut shelf = filled(100);
    (1000..1100).for_each(|key| drop(shelf.insert(key, 1)));
    shelf.insert(1080, 1);
    let place = shelf.inspect().iter().position(|&key| key == 1080);
    assert!(place >= Some(shelf.policy.probation.len as usize));
}

/// A full cache whose main queue has to give, because probation may have more than it has.
fn with_main_to_give(scan: u64) -> Shelf<GatedFifo> {
    let mut shelf = filled(100);
    (1000..1000 + scan).for_each(|key| drop(shelf.insert(key, 1)));
    shelf.policy.share.widen(1000);
    shelf
}

#[test]
fn what_left_the_main_queue_starts_again_in_probation() {
    // Once with a main queue so old that ages are cut.
    for scan in [0, 20, 1000] {
        let mut shelf = with_main_to_give(scan);
        assert_eq!(shelf.insert(5000, 1), [0]);
        shelf.insert(0, 1);
        assert_eq!(shelf.inspect()[0], 0);
    }
}

#[test]
fn what_comes_back_to_the_main_queue_narrows_probation() {
    let mut shelf = with_main_to_give(100);
    assert_eq!(shelf.insert(5000, 1), [0]);
    assert_eq!(target(&shelf), 90);
    shelf.insert(0, 1);
    assert_eq!(target(&shelf), 88);
}

#[test]
fn a_scan_slowly_narrows_probation() {
    let mut shelf = filled(1000);
    assert_eq!(target(&shelf), 59);
    (1000..3000).for_each(|key| drop(shelf.insert(key, 1)));
    assert_eq!(target(&shelf), 55);
}

#[test]
fn each_use_is_worth_another_round_in_the_main_queue() {
    let mut shelf = with_main_to_give(0);
    (0..3).for_each(|_| assert!(shelf.hit(0)));
    assert_eq!(shelf.insert(5000, 1), [1]);
    let last = shelf.policy.probation.len as usize;
    assert_eq!(shelf.inspect()[last], 0, "it went to the other end");
    let place = shelf.policy.main.places(&mut shelf.entries)[0];
    assert_eq!(shelf.entries.node(place).uses, 2);
}

#[test]
fn the_share_follows_what_comes_back() {
    // Every key twice, slightly too far apart for a probation queue of 6%.
    let mut shelf = filled(300);
    let mut hits = 0;
    for key in 1000..6000 {
        shelf.insert(key, 1);
        hits += u32::from(shelf.access(key - 25));
    }
    assert!(shelf.policy.probation.len > 25, "{}", shelf.policy.probation.len);
    assert!(hits > 4000, "{hits}");
}

#[test]
fn an_idle_main_queue_gives_way_to_what_comes_back_late() {
    // Every key twice, half a capacity apart: far more than probation holds at first.
    let mut shelf = filled(400);
    let mut hits = 0;
    for key in 1000..21_000 {
        shelf.insert(key, 1);
        hits += u32::from(shelf.access(key - 200));
    }
    assert!(hits > 17_500, "{hits} of at most 19800");
}

#[test]
fn ghosts_come_with_evictions_and_go_with_all_else() {
    let mut shelf = filled(1000);
    assert_eq!(shelf.policy.ghosts.places(), 0);
    for key in 1000..5000 {
        shelf.insert(key, 1);
        assert_eq!(shelf.policy.ghosts.places(), 2000);
    }
    shelf.set_capacity(100);
    assert_eq!(shelf.policy.ghosts.places(), 200);
    shelf.clear();
    assert_eq!(shelf.policy.ghosts.places(), 0);
}

/// P12: what was taken beforehand is neither given back nor taken again, and remembers nothing after a clear.
#[test]
fn p12_preallocated_ghosts_stay() {
    let mut shelf = Shelf::<GatedFifo>::new(100);
    assert!(shelf.policy.preallocate(100));
    let places = shelf.policy.ghosts.places();
    (0..100).for_each(|key| drop(shelf.insert(key, 1)));
    for capacity in [50, 100, 0, 50] {
        shelf.set_capacity(capacity);
        (200..400).for_each(|key| drop(shelf.insert(key, 1)));
        (0..300).for_each(|_| _ = shelf.evict());
        assert_eq!(shelf.policy.ghosts.places(), places, "{capacity}");
    }
    shelf.clear();
    assert_eq!(shelf.policy.ghosts.places(), places);
    assert!((200..400).all(|key| shelf.policy.ghosts.take(hash(key), 0).is_none()));
}

#[test]
fn ghosts_are_counted_by_entries_and_not_by_weight() {
    let mut shelf = Shelf::<GatedFifo>::new(1 << 60);
    for key in 0..1000 {
        shelf.insert(key, 1 << 54);
    }
    let places = shelf.policy.ghosts.places();
    assert!((128..=136).contains(&places), "{places} for 64 entries");
}

#[test]
fn an_eviction_takes_a_bounded_number_of_steps() {
    let mut shelf = Shelf::<GatedFifo>::new(5000);
    (0..5000).for_each(|key| drop(shelf.insert(key, 1)));
    for round in 0..20 {
        for key in shelf.keys() {
            (0..3).for_each(|_| assert!(shelf.hit(key)));
        }
        shelf.entries.touches = 0;
        shelf.insert(10_000 + round, 1);
        // Taking an entry out and putting it in elsewhere touches less than ten nodes.
        assert!(shelf.entries.touches < 10 * 2 * PATIENCE, "{}", shelf.entries.touches);
    }
}

#[test]
fn shrinking_far_takes_a_bounded_number_of_steps_an_eviction() {
    let mut shelf = Shelf::<GatedFifo>::new(u64::MAX);
    (0..5000).for_each(|key| drop(shelf.insert(key, 1)));
    for key in 0..5000 {
        (0..3).for_each(|_| assert!(shelf.hit(key)));
    }
    shelf.policy.set_capacity(10);
    for _ in 0..4990 {
        shelf.entries.touches = 0;
        assert!(shelf.evict().is_some());
        assert!(shelf.entries.touches < 10 * 2 * PATIENCE, "{}", shelf.entries.touches);
    }
}

#[test]
fn a_main_queue_at_rest_wears_off() {
    let mut shelf = filled(64);
    (0..64 * 3).for_each(|access| assert!(shelf.hit(access % 64)));
    // Nothing comes back: probation alone feeds the evictions.
    (1000..1000 + 64 * 150).for_each(|key| drop(shelf.insert(key, 1)));
    assert!((0..64).all(|key| !shelf.hit(key)));
}

#[test]
fn entries_of_unequal_weight_are_held_like_others() {
    // A loop a quarter too long, of entries that weigh from 1 to 100.
    let mut random = Random(5);
    let weights: Vec<u64> = (0..400).map(|_| 1 + random.below(100)).collect();
    let mut shelf = Shelf::<GatedFifo>::new(weights.iter().sum::<u64>() * 4 / 5);
    let mut hits = 0;
    for _ in 0..50 {
        for (key, &weight) in (0..).zip(&weights) {
            if shelf.hit(key) {
                hits += 1;
            } else {
                shelf.insert(key, weight);
            }
        }
    }
    assert!(hits * 100 / (50 * 400) > 60, "{}%", hits * 100 / (50 * 400));
}

#[test]
fn one_weight_for_all_is_the_same_as_a_count() {
    fn accesses(scale: u64) -> Vec<bool> {
        let mut random = Random(9);
        let mut shelf = Shelf::<GatedFifo>::new(128 * scale);
        let access = |_| {
            let range = 2 << random.below(10);
            let key = random.below(range);
            let found = shelf.hit(key);
            if !found {
                shelf.insert(key, scale);
            }
            found
        };
        (0..10_000).map(access).collect()
    }
    let count = accesses(1);
    let same = accesses(1024).iter().zip(&count).filter(|(one, other)| one == other).count();
    // Not all, because shares and windows are rounded to a weight of one.
    assert!(same > 9800, "{same} of {}", count.len());
}

/// The more entries there are, the longer the row of returns that shows that the main queue is not in use.
#[test]
fn a_row_of_idle_returns_is_as_long_as_there_are_entries() {
    for (residents, row) in [(0, 16), (8, 17), (12, 17), (80, 26), (800, 116)] {
        let mut shelf = filled(residents.max(1));
        if residents == 0 {
            shelf.evict();
        }
        let rows = (0..).take_while(|_| !shelf.policy.main_lies_idle(&mut shelf.entries)).count();
        assert_eq!(rows, row, "of {residents}");
    }
}
