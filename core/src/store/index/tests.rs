use alloc::{collections::BTreeSet, vec::Vec};
use core::cell::Cell;

use super::*;
use crate::store::{policy::tests::shelf::Random, tests::crowded};

impl Index {
    pub(in crate::store) fn len(&self) -> usize {
        self.places.len() + self.former.len()
    }

    pub(in crate::store) fn capacity(&self) -> usize {
        self.places.capacity() + self.former.capacity()
    }
}

/// An index, its rows, and how many hashes it has asked for.
struct Rows {
    index: Index,
    keys: Vec<u32>,
    asked: Cell<u64>,
}

impl Rows {
    fn new() -> Self {
        Self { index: Index::new(), keys: Vec::new(), asked: Cell::new(0) }
    }

    fn find(&self, key: u32) -> Option<u32> {
        self.index.find(crowded(key), |place| self.keys[place as usize] == key)
    }

    fn push(&mut self, key: u32) {
        let Self { index, keys, asked } = self;
        index.insert(crowded(key), keys.len() as u32, keys.len() as u32, &|place| {
            asked.set(asked.get() + 1);
            keys.get(place as usize).copied().map(crowded)
        });
        keys.push(key);
    }

    fn remove(&mut self, place: u32) -> u32 {
        let Self { index, keys, asked } = self;
        index.remove(crowded(keys[place as usize]), place);
        let key = keys.swap_remove(place as usize);
        let from = keys.len() as u32;
        if from != place {
            index.relocate(crowded(keys[place as usize]), from, place);
        }
        index.tidy(true, &|place| {
            asked.set(asked.get() + 1);
            keys.get(place as usize).copied().map(crowded)
        });
        key
    }
}

/// P9, D49: whatever comes, goes and moves meanwhile, each row is found at its place.
#[test]
fn rows_are_found_while_the_index_takes_another_size() {
    let (mut moving, mut random) = (0, Random(5));
    let mut rows = Rows::new();
    for round in 0..12 {
        for step in 0..3000 {
            let grows = random.below(8) < if round % 2 == 0 { 6 } else { 2 };
            if grows || rows.keys.is_empty() {
                rows.push(round * 3000 + step);
            } else {
                let place = random.below(rows.keys.len() as u64) as u32;
                let gone = rows.remove(place);
                assert_eq!(rows.find(gone), None);
            }
            moving += u32::from(!rows.index.former.is_empty());
            assert_eq!(rows.index.len(), rows.keys.len());
            if step % 64 == 0 {
                let found = (0..).zip(&rows.keys).all(|(place, key)| rows.find(*key) == Some(place));
                assert!(found, "{round}: {step}");
            }
        }
    }
    assert!(moving > 500, "{moving}");
    let places: BTreeSet<_> = rows.index.places.iter().chain(&rows.index.former).copied().collect();
    assert_eq!(places.len(), rows.keys.len());
}

/// C113: no change of a large index moves more than a constant number of places.
#[test]
fn c113_no_change_moves_many_places() {
    let mut rows = Rows::new();
    let mut most = 0;
    let mut count = |rows: &mut Rows| most = rows.asked.take().max(most);
    for key in 0..100_000 {
        rows.push(key);
        count(&mut rows);
    }
    assert!(rows.index.capacity() >= 100_000);
    for _ in 0..99_900 {
        rows.remove(0);
        count(&mut rows);
    }
    assert!(rows.index.capacity() < 1000, "{}", rows.index.capacity());
    assert!(most <= AT_ONCE as u64 + STEP as u64, "{most}");
}

/// D49: the same if rows come and go in an index that keeps its size.
#[test]
fn places_that_were_left_are_cleared_away_in_steps() {
    let mut rows = Rows::new();
    let full = HashTable::<u32>::with_capacity(3000).capacity() as u32;
    (0..full - 8).for_each(|key| rows.push(key));
    rows.asked.take();
    let mut random = Random(9);
    for key in full..20 * full {
        let place = random.below(rows.keys.len() as u64) as u32;
        rows.remove(place);
        rows.push(key);
        assert!(rows.asked.take() <= 2 * STEP as u64 + 2);
    }
    assert!(rows.index.capacity() <= 4 * full as usize);
    assert!((0..).zip(&rows.keys).all(|(place, key)| rows.find(*key) == Some(place)));
}
