use alloc::{vec, vec::Vec};

use super::*;
use crate::store::policy::tests::shelf::Random;

fn noted(column: &mut Column, place: u32, fact: u64) {
    assert!(column.has_memory(fact, place as usize + 1, u64::MAX));
    column.set(place, fact);
}

/// P12: what is the same for all takes no memory.
#[test]
fn what_is_usual_takes_no_memory() {
    let mut column = Column::new();
    for place in 0..1_000 {
        noted(&mut column, place, 0);
        assert_eq!(column.get(place), 0);
    }
    column.close_gap(3, 999);
    column.shift(900, 5);
    assert_eq!(column.capacity(), 0);
    noted(&mut column, 2, 7);
    assert_eq!((column.get(1), column.get(2), column.get(3)), (0, 7, 0));
}

/// P14: where facts are unusual now and then only, memory for them is not taken anew for each of them.
#[test]
fn memory_is_taken_in_few_steps() {
    let (mut column, mut steps) = (Column::new(), 0);
    for place in 0..100_000 {
        let memory = column.capacity();
        noted(&mut column, place, u64::from(place % 10 == 9));
        steps += usize::from(column.capacity() != memory);
    }
    assert!(steps <= 20, "{steps}");
    let mut unused = Column::new();
    let reserved: alloc::collections::BTreeSet<_> =
        (1..100_000).map(|places| (unused.has_room(places, u64::MAX), unused.capacity())).collect();
    assert!(reserved.len() <= 20, "{}", reserved.len());
}

/// Whatever comes and goes, each value keeps its own fact, and no step but `has_memory` takes memory.
#[test]
fn facts_go_with_their_values() {
    let mut random = Random(3);
    let (mut column, mut model) = (Column::new(), Vec::new());
    for _ in 0..20_000 {
        // Mostly usual, so that the column often ends before the values do.
        let fact = if random.below(4) == 0 { 1 + random.below(50) } else { 0 };
        let (len, place) = (model.len() as u32, random.below(model.len().max(1) as u64) as u32);
        match random.below(5) {
            0 | 1 if len < 60 => {
                noted(&mut column, len, fact);
                model.push(fact);
            }
            2 if len > 0 => {
                noted(&mut column, place, fact);
                model[place as usize] = fact;
            }
            3 if len > 0 => {
                // A value moves into a gap below it, and then the last one into its place.
                let gap = random.below(u64::from(place) + 1) as u32;
                let memory = column.capacity();
                if gap != place {
                    column.shift(place, gap);
                    model[gap as usize] = model[place as usize];
                }
                column.close_gap(place, len - 1);
                model.swap_remove(place as usize);
                assert!(column.capacity() <= memory);
            }
            _ => {}
        }
        let facts: Vec<_> = (0..model.len() as u32).map(|place| column.get(place)).collect();
        assert_eq!(facts, model);
        assert_eq!(column.get(model.len() as u32), 0, "nothing is left of what was there");
    }
}

/// P12: memory follows what is held, unless it is to be kept.
#[test]
fn memory_is_given_back_when_most_values_have_left() {
    for is_fixed in [false, true] {
        let mut column = Column::new();
        assert!(!is_fixed || column.preallocate(1_000));
        (0..1_000).for_each(|place| noted(&mut column, place, 5));
        let whole = column.capacity();
        (10..1_000).rev().for_each(|last| column.close_gap(0, last));
        assert_eq!(column.capacity() <= 40, !is_fixed, "{} of {whole}", column.capacity());
        assert_eq!((0..10).map(|place| column.get(place)).collect::<Vec<_>>(), vec![5; 10]);
    }
}

#[test]
fn what_is_taken_out_leaves_nothing_and_stays_fixed() {
    let mut column = Column::new();
    assert!(column.preallocate(4));
    noted(&mut column, 3, 9);
    let mut taken = column.take();
    assert_eq!((taken.get(3), column.get(3), column.capacity()), (9, 0, 0));
    taken.clear();
    assert_eq!((taken.get(3), taken.capacity()), (0, 4));
}
