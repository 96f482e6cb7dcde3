//! What each event does to a flight: the rows of the table in the module's doc, attached and detached.

mod driving;
mod leaving;
mod model;

use alloc::{sync::Arc, vec};

use super::*;
use crate::{Cause, Failure, Instant};

/// Keys, loads and values are plain numbers; so is what a poll is known by, and so is a crowd.
type Sky = Flights<u32, u32, u32, &'static str, u8, u32>;

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Returns a hash that keys share, so that only the keys themselves tell them apart.
fn hash(key: u32) -> u64 {
    u64::from(key % 2)
}

fn failure(name: &'static str) -> Failure<&'static str> {
    Failure::new(Cause::Error(Arc::new(name)))
}

fn answer(value: u32) -> Answer<u32> {
    Answer { value, attempt: None, published: at(0), since: at(0), deadline: at(0), generation: None }
}

fn claim(sky: &mut Sky, key: u32, start: Start<u32>) -> Seat {
    sky.claim(hash(key), key, at(0), Terms::default(), start)
}

fn find(sky: &Sky, key: u32) -> Option<u32> {
    sky.find(hash(key), |k| *k == key)
}

/// Hands the first load there is to a seated caller; returns its attempt's number.
fn drive(sky: &mut Sky, seat: &Seat) -> u32 {
    sky.check_out(seat, 0, false, || 0).expect("something to drive").number
}

fn told(sky: &mut Sky, seat: &Seat) -> Option<Result<u32, &'static str>> {
    let verdict = match sky.seated(seat).verdict(seat)? {
        Ok(verdict) => verdict.as_ref().map(|answer| answer.value).map_err(Failure::clone),
        Err(mine) => Err(mine),
    };
    Some(verdict.map_err(|failure| *failure.error().expect("an error of the loader")))
}

/// Checks that every load that began is accounted for (D85).
fn check_sums(sky: &Sky) {
    let counts = sky.counts;
    let ended = counts.succeeded + counts.failed + counts.panicked + counts.dropped;
    assert_eq!(counts.begun, ended + sky.census().2, "{counts:?}");
}

/// Returns a flight of key 7 with load 10, its beginner and one who joined; a write may have come since.
fn flight_of_two(detached: bool) -> (Sky, Seat, Seat) {
    let mut sky = Sky::new();
    let beginner = claim(&mut sky, 7, Start::Ready(10));
    let joined = sky.join(beginner.place());
    sky.seated(&beginner).crowd = 99;
    if detached {
        assert!(sky.detach(beginner.place()));
    }
    (sky, beginner, joined)
}

#[test]
fn a_claim_makes_the_flight_with_attempt_1() {
    let mut sky = Sky::new();
    assert_eq!(find(&sky, 7), None);
    let seat = sky.claim(hash(7), 7, at(5), Terms::default(), Start::Fresh);
    assert_eq!((find(&sky, 7), seat.began()), (Some(seat.place()), Some(1)));
    let flight = sky.seated(&seat);
    assert_eq!((flight.seats(), flight.live(), flight.newest_begun()), (1, 1, at(5)));
    assert_eq!((flight.key(), flight.hash(), flight.is_attached()), (Some(&7), hash(7), true));
    assert_eq!(sky.census(), (1, 1, 0), "no load runs before somebody drives (D14)");
}

/// P9.
#[test]
fn flights_of_equal_hashes_are_told_apart_by_their_keys() {
    let mut sky = Sky::new();
    let seats = [1, 3, 5].map(|key| claim(&mut sky, key, Start::Fresh));
    for (key, seat) in [1, 3, 5].into_iter().zip(&seats) {
        assert_eq!(find(&sky, key), Some(seat.place()));
    }
    assert_eq!(find(&sky, 7), None);
    let [_, middle, _] = &seats;
    assert!(sky.detach(middle.place()));
    assert_eq!(find(&sky, 3), None);
    assert_eq!(find(&sky, 1).zip(find(&sky, 5)), Some((seats[0].place(), seats[2].place())));
}

#[test]
fn a_join_is_one_seat_more_and_no_attempt() {
    let (mut sky, beginner, joined) = flight_of_two(false);
    assert_eq!((joined.place(), joined.began()), (beginner.place(), None));
    assert_eq!((sky.seated(&joined).seats(), sky.seated(&joined).live()), (2, 1));
}

/// P8: who comes after a write leads a load of his own, beside the one that the write has voided.
#[test]
fn a_detached_flight_is_not_found_and_stands_beside_a_new_one() {
    let (mut sky, old, joined) = flight_of_two(true);
    assert_eq!(find(&sky, 7), None);
    let new = claim(&mut sky, 7, Start::Ready(20));
    assert_ne!(new.place(), old.place());
    assert_eq!(find(&sky, 7), Some(new.place()));
    let number = drive(&mut sky, &old);
    assert_eq!(sky.succeed(&old, number).key, None);
    sky.seated(&old).tell(Ok(answer(1)));
    assert_eq!((told(&mut sky, &joined), told(&mut sky, &new)), (Some(Ok(1)), None));
    assert_eq!(find(&sky, 7), Some(new.place()), "the end of the old flight leaves the new one in its place");
}

#[test]
fn a_takeover_is_one_attempt_more_with_the_next_number() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        sky.begin(&mut joined, at(8), Terms::default(), Start::Ready(20));
        assert_eq!((beginner.began(), joined.began()), (Some(1), Some(2)));
        let flight = sky.seated(&joined);
        assert_eq!((flight.live(), flight.newest_begun(), flight.oldest_begun()), (2, at(8), Some(at(0))));
        assert!(flight.is_newest(&joined) && !flight.is_newest(&beginner));
        assert_eq!(flight.is_attached(), !detached);
    }
}

/// D11: numbers and the age go on from an attempt that is over.
#[test]
fn numbers_go_on_whatever_became_of_the_attempts_before() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    let mut third = sky.join(beginner.place());
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    sky.fail(&joined, 2, &failure("second"));
    assert_eq!(sky.seated(&joined).newest_begun(), at(1), "ended or not");
    sky.begin(&mut third, at(2), Terms::default(), Start::Ready(30));
    assert_eq!(third.began(), Some(3));
}

/// D8, D40: the first success ends the wait of all; only an attached flight gives its key to be stored under.
#[test]
fn a_success_is_everybodys_verdict_and_only_an_attached_one_is_stored() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        let idle = sky.join(beginner.place());
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
        let number = drive(&mut sky, &beginner);
        assert_eq!(number, 1);
        let ended = sky.succeed(&beginner, number);
        assert_eq!((ended.key, ended.hash, ended.crowd), ((!detached).then_some(7), hash(7), 99));
        assert_eq!(ended.loads, [20], "the attempt that is not needed any more comes out");
        sky.seated(&beginner).tell(Ok(answer(5)));
        for seat in [&beginner, &joined, &idle] {
            assert_eq!(told(&mut sky, seat), Some(Ok(5)));
        }
        assert_eq!((find(&sky, 7), sky.seated(&idle).live()), (None, 0), "a finished flight is never joined (D15)");
        assert_eq!((sky.counts.succeeded, sky.counts.dropped), (1, 0), "what was never polled was not begun");
        check_sums(&sky);
    }
}

/// D9: an answer beats an error, and the beginner of what failed must not hang on another's attempt.
#[test]
fn a_failure_with_others_in_flight_is_told_to_its_beginner_alone() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        let idle = sky.join(beginner.place());
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
        let number = drive(&mut sky, &idle);
        assert!(sky.fail(&idle, number, &failure("first")).is_none());
        assert_eq!(told(&mut sky, &beginner), Some(Err("first")), "whoever polled it");
        assert_eq!((told(&mut sky, &joined), told(&mut sky, &idle)), (None, None));
        assert_eq!(find(&sky, 7).is_some(), !detached);
        assert_eq!((sky.seated(&idle).live(), sky.counts.failed), (1, 1));
        check_sums(&sky);
    }
}

/// P4.
#[test]
fn the_last_failure_is_told_to_all() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        let idle = sky.join(beginner.place());
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
        assert_eq!((drive(&mut sky, &idle), drive(&mut sky, &idle)), (1, 2));
        assert!(sky.fail(&idle, 2, &failure("second")).is_none());
        let ended = sky.fail(&idle, 1, &failure("first")).expect("the last in flight ends it");
        assert_eq!((ended.key, ended.crowd, ended.loads), ((!detached).then_some(7), 99, vec![]));
        for seat in [&beginner, &joined, &idle] {
            assert_eq!(told(&mut sky, seat), Some(Err("first")));
        }
        assert_eq!(find(&sky, 7), None);
        assert_eq!(sky.counts.failed, 2);
        check_sums(&sky);
    }
}

/// P5: a panic is a failure in all but its name.
#[test]
fn a_panic_is_told_to_all_and_counted_by_itself() {
    let (mut sky, beginner, joined) = flight_of_two(false);
    let number = drive(&mut sky, &joined);
    assert!(sky.fail(&joined, number, &Failure::new(Cause::Panicked)).is_some());
    for seat in [&beginner, &joined] {
        let verdict = sky.seated(seat).verdict(seat).expect("a verdict").expect("everybody's");
        assert!(verdict.as_ref().is_err_and(Failure::is_panicked));
    }
    assert_eq!((sky.counts.panicked, sky.counts.failed), (1, 0));
    check_sums(&sky);
}

/// D39.
#[test]
fn an_insert_is_everybodys_verdict_and_takes_the_loads_out() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    assert_eq!(drive(&mut sky, &beginner), 1);
    assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Kept));
    let ended = sky.end(beginner.place());
    assert_eq!((ended.key, ended.crowd, ended.loads), (Some(7), 99, vec![10, 20]));
    sky.seated(&beginner).tell(Ok(answer(3)));
    assert_eq!((told(&mut sky, &beginner), told(&mut sky, &joined)), (Some(Ok(3)), Some(Ok(3))));
    assert_eq!((find(&sky, 7), sky.counts.dropped), (None, 1));
    check_sums(&sky);
}

/// D40, D41.
#[test]
fn a_removal_detaches_one_flight_and_a_clear_all_of_them() {
    let mut sky = Sky::new();
    let seats = [1, 2, 3].map(|key| claim(&mut sky, key, Start::Fresh));
    assert!(sky.detach(seats[0].place()));
    assert!(!sky.detach(seats[0].place()), "only once");
    assert_eq!([1, 2, 3].map(|key| find(&sky, key).is_some()), [false, true, true]);
    sky.detach_all();
    assert_eq!([1, 2, 3].map(|key| find(&sky, key).is_some()), [false; 3]);
    assert_eq!(sky.census(), (3, 3, 0), "those who wait go on waiting");
    assert!(seats.iter().all(|seat| !sky.seated(seat).is_attached()));
}

#[test]
fn an_attempt_that_is_over_cannot_answer_and_one_in_flight_says_on_what_terms() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    let terms = Terms { weight: Some(4), ..Terms::default() };
    sky.begin(&mut joined, at(6), terms, Start::Ready(20));
    let of_second = sky.may_answer(&beginner, 2).map(|(terms, begun)| (terms.weight, begun));
    assert_eq!(of_second, Some((Some(4), at(6))), "D20");
    assert!(sky.may_answer(&beginner, 3).is_none());
    assert_eq!(drive(&mut sky, &beginner), 1);
    sky.fail(&beginner, 1, &failure("first"));
    assert!(sky.may_answer(&beginner, 1).is_none());
    sky.end(beginner.place());
    sky.seated(&beginner).tell(Ok(answer(1)));
    assert!(sky.may_answer(&beginner, 2).is_none(), "D19");
}
