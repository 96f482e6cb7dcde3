mod model;
#[cfg(feature = "std")]
mod refused;
#[cfg(feature = "std")]
mod split;
mod strict;
mod walking;

use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::store::{
    policy::{GatedFifo, Lru},
    tests::{at, crowded, holding},
};

impl<P: Policy> Values<u32, u32, P> {
    /// Changes the capacity; the excess leaves when room is made.
    fn set_capacity(&mut self, capacity: u64) {
        self.allowance.set_capacity(capacity);
        self.resize(capacity, capacity);
    }

    /// As if so many values had come.
    pub(crate) fn skip_generations(&mut self, count: u32) {
        self.generation = self.generation.wrapping_add(count);
    }
}

/// Puts a value that never expires; returns its generation and the keys that left.
fn put<P: Policy>(values: &mut Values<u32, u32, P>, key: u32, weight: u64) -> (Option<u32>, Vec<u32>) {
    let place = find(values, key);
    let new = New {
        hash: crowded(key),
        key,
        value: key,
        weight,
        now: at(0),
        end: Instant::NEVER,
        begun: at(0),
        former: None,
    };
    let mut leavers = Leavers::new();
    let generation = values.put(place, new, 0, &mut leavers);
    (generation, keys(leavers))
}

fn keys(mut leavers: Leavers<u32, u32>) -> Vec<u32> {
    leavers.iter_mut().map(|leaver| leaver.key).collect()
}

fn find<P: Policy>(values: &Values<u32, u32, P>, key: u32) -> Option<u32> {
    values.find(crowded(key), |k| *k == key)
}

fn filled(capacity: u32) -> Values<u32, u32, Lru> {
    let mut values = Values::new(Allowance::alone(capacity.into()), Keeping::default());
    for key in 1..=capacity {
        assert_eq!(put(&mut values, key, 1).1, []);
    }
    values
}

#[test]
fn a_newcomer_takes_the_place_of_the_last_victim_and_nobody_else_moves() {
    let mut values = filled(4);
    let places = [1, 3, 4].map(|key| find(&values, key));
    let gap = find(&values, 2);
    values.hit(0, at(0));
    assert_eq!(put(&mut values, 5, 1).1, [2], "1 was asked for, so 2 is the least recently used");
    assert_eq!((find(&values, 5), find(&values, 2)), (gap, None));
    assert_eq!([1, 3, 4].map(|key| find(&values, key)), places);
}

#[test]
fn several_victims_leave_for_one_and_the_rest_stay_findable() {
    let mut values = filled(6);
    assert_eq!(put(&mut values, 9, 4).1, [1, 2, 3, 4]);
    assert_eq!((values.len(), values.weight()), (3, 6));
    for (place, entry) in values.entries().iter().enumerate() {
        assert_eq!(find(&values, entry.key), Some(place as u32));
    }
    assert_eq!(put(&mut values, 10, 6).1.len(), 3, "even the last one");
}

/// D48.
#[test]
fn an_entry_that_grows_makes_others_leave_and_not_itself() {
    let mut values = filled(4);
    // It would be the next victim.
    assert_eq!(put(&mut values, 1, 3), (Some(5), [1, 2, 3].into()), "its former self, then others");
    assert_eq!((values.weight(), values.len()), (4, 2));
    assert_eq!((values.counts.replaced, values.counts.evicted), (1, 2));
    assert!(find(&values, 1).is_some());
    assert_eq!(put(&mut values, 1, 4).1, [1, 4], "up to all there is");
}

#[test]
fn an_entry_that_shrinks_stays_where_it_is() {
    let mut values = filled(3);
    assert_eq!(put(&mut values, 2, 2).1, [2, 1]);
    let place = find(&values, 2);
    assert_eq!(put(&mut values, 2, 1).1, [2]);
    assert_eq!((find(&values, 2), values.weight()), (place, 2));
    assert_eq!(put(&mut values, 4, 1).1, [], "what it gave up is free");
}

#[test]
fn a_replacement_counts_as_a_use() {
    let mut values = filled(3);
    assert_eq!(put(&mut values, 1, 1).1, [1]);
    assert_eq!(put(&mut values, 4, 1).1, [2]);
}

/// D47.
#[test]
fn what_is_too_heavy_is_refused_and_ends_what_was_stored_under_its_key() {
    fn run<P: Policy>() {
        let mut values = Values::<u32, u32, P>::new(Allowance::alone(5), Keeping::default());
        put(&mut values, 1, 2);
        put(&mut values, 2, 2);
        assert_eq!(put(&mut values, 1, 6), (None, [1, 1].into()), "the former one and the refused one");
        assert_eq!((values.len(), values.weight(), find(&values, 1)), (1, 2, None));
        assert_eq!((values.counts.refused, values.counts.replaced, values.counts.evicted), (1, 1, 0));
        assert_eq!(values.counts.stored, 2, "a refused value was never stored");
        assert_eq!(put(&mut values, 3, 5).1, [2], "as heavy as the capacity is not too heavy");
    }
    run::<Lru>();
    run::<GatedFifo>();
}

/// D46.
#[test]
fn a_capacity_of_zero_stores_nothing() {
    fn run<P: Policy>() {
        let mut values = Values::<u32, u32, P>::new(Allowance::alone(0), Keeping::default());
        assert_eq!(put(&mut values, 1, 1), (None, [1].into()));
        assert_eq!((values.len(), values.weight(), values.first_due()), (0, 0, None));
        values.make_room(0, None, at(0), &mut Leavers::new());
    }
    run::<Lru>();
    run::<GatedFifo>();
}

/// D38.
#[test]
fn what_had_expired_when_it_left_left_for_that_reason() {
    let mut values = Values::<u32, u32, Lru>::new(Allowance::alone(2), holding(Duration::from_secs(1)));
    let put_at = |values: &mut Values<u32, u32, Lru>, key: u32, weight, now, deadline| {
        let (now, end) = (at(now), at(deadline));
        let new = New { hash: crowded(key), key, value: key, weight, now, end, begun: now, former: None };
        values.put(find(values, key), new, 0, &mut Leavers::new());
    };
    put_at(&mut values, 1, 1, 0, 10);
    put_at(&mut values, 1, 1, 10, 20);
    assert_eq!((values.counts.expired, values.counts.replaced), (1, 0), "replaced");
    put_at(&mut values, 2, 1, 11, 99);
    put_at(&mut values, 3, 1, 20, 99);
    assert_eq!((values.counts.expired, values.counts.evicted), (2, 0), "evicted");
    put_at(&mut values, 2, 3, 99, 200);
    assert_eq!((values.counts.expired, values.counts.refused), (3, 1), "refused");
    values.discard(find(&values, 3).expect("a place"), at(99), &mut Leavers::new());
    assert_eq!((values.counts.expired, values.counts.removed), (4, 0), "removed");
    put_at(&mut values, 4, 1, 99, 100);
    let cleared = values.take_all(at(100));
    values.count_cleared(cleared.counts());
    assert_eq!((values.counts.expired, values.counts.removed), (5, 0), "cleared");
}

/// D98: even a clear does not begin the generations again.
#[test]
fn generations_go_on_after_everything_was_taken_out() {
    let mut values = filled(3);
    drop(values.take_all(at(0)));
    assert_eq!((values.len(), values.weight()), (0, 0));
    assert_eq!(put(&mut values, 1, 1), (Some(4), [].into()));
}

/// D30: what is reserved for failures is room that values do not have.
#[test]
fn room_is_made_beside_what_is_reserved() {
    let mut values = filled(4);
    let mut leavers = Leavers::new();
    values.make_room(1, None, at(0), &mut leavers);
    assert_eq!((keys(leavers), values.weight()), ([1].into(), 3));
    let new = New {
        hash: crowded(9),
        key: 9,
        value: 9,
        weight: 2,
        now: at(0),
        end: Instant::NEVER,
        begun: at(0),
        former: None,
    };
    let mut leavers = Leavers::new();
    assert!(values.put(None, new, 1, &mut leavers).is_some());
    assert_eq!((keys(leavers), values.weight()), ([2, 3].into(), 3));
}

/// D46.
#[test]
fn a_smaller_capacity_holds_once_room_is_made_and_a_larger_one_at_once() {
    fn run<P: Policy>() {
        let mut values = Values::<u32, u32, P>::new(Allowance::alone(6), Keeping::default());
        for key in 1..=6 {
            put(&mut values, key, 1);
        }
        let mut leavers = Leavers::new();
        values.set_capacity(2);
        values.make_room(0, None, at(0), &mut leavers);
        assert_eq!((keys(leavers).len(), values.weight(), values.counts.evicted), (4, 2, 4));
        assert_eq!(put(&mut values, 7, 3).0, None, "too heavy by now");
        values.set_capacity(5);
        assert_eq!(put(&mut values, 8, 3).1, [], "there is room again");
        values.set_capacity(0);
        values.make_room(0, None, at(0), &mut Leavers::new());
        assert_eq!((values.weight(), values.len()), (0, 0));
    }
    run::<Lru>();
    run::<GatedFifo>();
}

/// P12, P14: the memory of an entry beyond its key and value; growth must be deliberate.
#[cfg(target_pointer_width = "64")]
#[test]
fn a_row_takes_no_more_than_twenty_four_bytes_of_its_own() {
    use crate::store::policy::{GatedFifo, Policy};

    let own = |entry: usize| entry - 2 * size_of::<u64>();
    assert_eq!(own(size_of::<Entry<u64, u64, <GatedFifo as Policy>::Node>>()), 24);
    assert_eq!(own(size_of::<Entry<u64, u64, <Lru as Policy>::Node>>()), 24);
}

/// D96: where only an expiry by name has ever ended anything, its end goes with its value.
#[test]
fn the_end_of_what_has_left_is_nobody_elses() {
    let mut values = filled(4);
    let place = find(&values, 2).expect("it is there");
    values.expire(place, at(7), &mut Leavers::new());
    values.discard(place, at(9), &mut Leavers::new());
    assert!((0..values.len() as u32).all(|place| values.ends(place) == Instant::NEVER));
    assert_eq!((values.first_due(), values.counts.expired), (None, 1));
}
