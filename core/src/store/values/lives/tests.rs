use super::*;
use crate::store::{
    Allowance, Keeping, Leavers, New,
    policy::Lru,
    tests::{at, crowded, nanos},
};

type Plain = Values<u32, u32, Lru>;

/// Returns an empty store for values that live for 100 unless they are asked for, and are held for 30 more.
fn idle() -> Plain {
    Values::new(
        Allowance::alone(1 << 20),
        Keeping { hold: Some(nanos(30)), idle: Some(nanos(100)), ..Keeping::default() },
    )
}

/// Stores a value; returns its place.
fn put(values: &mut Plain, key: u32, now: u64, end: Instant) -> u32 {
    let new = New { hash: crowded(key), key, value: key, weight: 1, now: at(now), end, begun: at(7), former: None };
    values.put(find(values, key), new, 0, &mut Leavers::new());
    find(values, key).expect("it is stored")
}

fn find(values: &Plain, key: u32) -> Option<u32> {
    values.find(crowded(key), |k| *k == key)
}

fn deadline(values: &Plain, place: u32) -> u64 {
    values.ends(place).as_nanos()
}

/// D53.
#[test]
fn the_earlier_of_idle_time_and_lifetime_counts() {
    let mut values = idle();
    let place = put(&mut values, 1, 0, at(250));
    assert_eq!(deadline(&values, place), 100);
    values.hit(place, at(90));
    assert_eq!(deadline(&values, place), 190);
    values.touch(place);
    assert_eq!(deadline(&values, place), 190, "only a lookup prolongs");
    values.hit(place, at(189));
    assert_eq!(deadline(&values, place), 250);
    values.hit(place, at(249));
    assert_eq!(deadline(&values, place), 250);
    assert_eq!(put(&mut values, 1, 300, at(350)), place);
    assert_eq!(deadline(&values, place), 350, "a new value has a new life");
}

/// D53: limits of staleness count from the earlier of the two, and so does how long a value is held.
#[test]
fn what_was_idle_is_stale_from_then_on() {
    let mut values = idle();
    let place = put(&mut values, 1, 0, Instant::NEVER);
    values.hit(place, at(50));
    let stale = |now| values.ends(place).stale_within(at(now), Some(nanos(30)));
    assert_eq!((stale(149), stale(150), stale(180), stale(181)), (None, Some(nanos(0)), Some(nanos(30)), None));
    let reclaim = |values: &mut Plain, now| values.reclaim(at(now), 2, &mut Leavers::new());
    assert_eq!((reclaim(&mut values, 180), reclaim(&mut values, 181)), (0, 1));
}

/// D3, D4.
#[test]
fn clocks_that_jump_or_end_only_prolong() {
    let mut values = idle();
    let place = put(&mut values, 1, 1000, Instant::NEVER);
    values.hit(place, at(10));
    assert_eq!(deadline(&values, place), 1100, "back");
    values.hit(place, at(u64::MAX - 1));
    assert_eq!(values.ends(place), Instant::NEVER, "to the end");
    assert!(!values.settle(9));
    assert_eq!(values.first_due(), None);
    let place = put(&mut values, 2, u64::MAX - 1, at(u64::MAX - 1));
    assert_eq!(deadline(&values, place), u64::MAX - 1);
}

/// P14: a hit leaves the order of deadlines unchanged; the host still gets the exact time.
#[test]
fn the_next_deadline_is_exact_once_it_is_settled() {
    let mut values = idle();
    let places = [1, 2, 3].map(|key| put(&mut values, key, u64::from(key), Instant::NEVER));
    values.hit(places[0], at(60));
    values.hit(places[1], at(50));
    assert_eq!(values.first_due(), Some(at(132)), "the first one's idle time as it was, and the limit");
    assert!(!values.settle(9));
    assert_eq!(values.first_due(), Some(at(134)), "now it is the third one's turn");
    values.hit(places[2], at(90));
    assert!(!values.settle(9));
    assert_eq!(values.first_due(), Some(at(181)));
}

/// P12, D49: values that were asked for stand before those that were not, and the cost of each call is bounded.
#[test]
fn the_idle_are_found_among_many_that_are_not() {
    let mut values = idle();
    for key in 0..1024 {
        put(&mut values, key, 0, Instant::NEVER);
    }
    for key in (0..1024).filter(|key| key % 8 != 7) {
        values.hit(find(&values, key).expect("it is stored"), at(99));
    }
    let (mut calls, mut taken) = (0, 0);
    while taken < 128 {
        let mut leavers = Leavers::new();
        let now = values.reclaim(at(131), 2, &mut leavers);
        assert!(now <= 2 && leavers.iter_mut().all(|leaver| leaver.key % 8 == 7));
        (calls, taken) = (calls + 1, taken + now);
        assert!(calls <= 1024 / 16 + 64, "{taken} of 128 taken");
    }
    assert_eq!(values.reclaim(at(131), 2, &mut Leavers::new()), 0);
    assert_eq!(values.len(), 896);
}

/// P12: no call pays for all values that were asked for, though all are looked at in time.
#[test]
fn one_call_sets_few_things_right() {
    let mut values = idle();
    for key in 0..1024 {
        let place = put(&mut values, key, 0, Instant::NEVER);
        values.hit(place, at(99));
    }
    let mut calls = 0;
    while values.first_due() == Some(at(131)) {
        assert_eq!(values.reclaim(at(131), 2, &mut Leavers::new()), 0);
        calls += 1;
    }
    assert_eq!((calls, values.first_due()), (1024 / 16, Some(at(230))));
}

#[test]
fn a_life_moves_with_its_value_and_is_kept_only_where_it_is_needed() {
    let mut values = Values::new(Allowance::alone(3), Keeping { lives: true, ..Keeping::default() });
    for key in 1..=3 {
        put(&mut values, key, u64::from(key) * 10, Instant::NEVER);
    }
    let life = |since, end| Some(Life { since: at(since), end, begun: at(7) });
    let of = |values: &Plain, key| find(values, key).and_then(|place| values.life(place));
    assert_eq!(of(&values, 1), life(10, Instant::NEVER));
    values.discard(0, at(40), &mut Leavers::new());
    assert_eq!((of(&values, 2), of(&values, 3)), (life(20, Instant::NEVER), life(30, Instant::NEVER)));
    put(&mut values, 4, 40, at(99));
    put(&mut values, 5, 50, at(99));
    assert_eq!((of(&values, 2), of(&values, 5)), (None, life(50, at(99))), "in the place of a victim");
    let place = find(&values, 5).expect("it is stored");
    let again = Life { since: at(60), end: at(70), begun: at(8) };
    assert!(values.renew(place, again));
    assert_eq!((values.life(place), values.first_due()), (Some(again), Some(at(70))));
    drop(values.take_all(at(60)));
    assert_eq!((values.life(0), values.facts.memory_of_lives()), (None, 0));
    let mut without = Values::new(Allowance::alone(3), Keeping::default());
    let place = put(&mut without, 1, 0, at(99));
    assert_eq!((without.life(place), without.facts.memory_of_lives()), (None, 0));
}

/// P12.
#[test]
fn lives_give_their_memory_back() {
    let mut values = idle();
    for key in 0..1000 {
        put(&mut values, key, 0, Instant::NEVER);
    }
    while values.len() > 10 {
        values.discard(0, at(0), &mut Leavers::new());
    }
    assert!(values.facts.memory_of_lives() <= 40);
}
