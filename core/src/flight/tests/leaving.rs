//! Callers leave: what is dropped with them, and what stays for the others.

use super::*;

fn leave(flight: &mut Plain, mut caller: Caller) -> Left {
    let _waker = flight.waits.withdraw(&mut caller.registration);
    flight.leave(caller.own)
}

fn lent_with_others(detached: bool) -> (Plain, Caller, Caller) {
    let (mut flight, owner) = claim(Start::Lent);
    assert!(flight.check_in(1).is_wanted);
    let other = join(&mut flight);
    assert!(!detached || flight.detach());
    (flight, owner, other)
}

/// P2: the first caller is not special.
#[test]
fn a_load_in_the_flight_stays_when_its_beginner_leaves() {
    for detached in [false, true] {
        let (mut flight, beginner, mut joined) = flight_of_two(detached);
        assert_eq!(leave(&mut flight, beginner), Left::Others);
        assert_eq!((flight.seats(), flight.is_attached()), (1, !detached));
        assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
    }
}

/// P2: its load knows only the waker of the caller that has left.
#[test]
fn a_load_that_was_polled_by_who_has_left_is_polled_by_the_next() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    assert!(flight.check_in(1).is_wanted);
    assert_eq!(leave(&mut flight, beginner), Left::Others);
    wake_load(&flight);
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)), "it is woken through the flight");
}

/// P2: nothing stays behind.
#[test]
fn with_the_last_caller_the_flight_and_its_loads_are_gone() {
    for detached in [false, true] {
        let (mut flight, beginner, mut joined) = flight_of_two(detached);
        begin(&mut flight, &mut joined, 1, Start::Unmade);
        assert_eq!(leave(&mut flight, beginner), Left::Others);
        assert_eq!(leave(&mut flight, joined), Left::Last);
        assert_eq!((flight.close(), flight.live(), flight.seats()), (1, 0, 0), "the second was never made");
    }
}

/// D16: when the owner is dropped, another caller has to lead.
#[test]
fn a_lent_load_leaves_with_its_owner_and_the_flight_is_vacant() {
    for detached in [false, true] {
        let (mut flight, owner, mut other) = lent_with_others(detached);
        assert_eq!(leave(&mut flight, owner), Left::Lent);
        assert_eq!((flight.live(), flight.newest_begun(), flight.oldest_begun()), (0, at(0), None));
        assert_eq!(look(&mut flight, &mut other), None);
        assert_eq!(told(&flight, &other), None, "a caller's cancellation is never a failure (P4)");
        assert!(!begin(&mut flight, &mut other, 4, Start::Made));
        assert_eq!(other.own, 2);
        assert!(flight.check_in(2).is_wanted);
        assert_eq!(look(&mut flight, &mut other), Some(Work::Poll(2)));
        assert_eq!(flight.is_attached(), !detached);
    }
}

#[test]
fn a_lent_load_that_leaves_beside_another_leaves_no_vacancy() {
    let (mut flight, owner, mut other) = lent_with_others(false);
    begin(&mut flight, &mut other, 1, Start::Made);
    assert_eq!(leave(&mut flight, owner), Left::Lent);
    assert_eq!(flight.live(), 1);
}

#[test]
fn a_lent_load_that_leaves_when_all_is_told_leaves_no_vacancy() {
    let (mut flight, owner, other) = lent_with_others(false);
    assert_eq!(flight.settle().1, 1);
    assert_eq!(flight.leave(owner.own), Left::Others, "dropped once, by the insert");
    assert_eq!(told(&flight, &other), Some(Told::All));
}

#[test]
fn the_second_to_leave_a_vacant_flight_does_not_vacate_it_again() {
    let (mut flight, owner, first) = lent_with_others(false);
    let second = join(&mut flight);
    assert_eq!(leave(&mut flight, owner), Left::Lent);
    assert_eq!(leave(&mut flight, first), Left::Others);
    assert_eq!(leave(&mut flight, second), Left::Last);
    assert_eq!(flight.close(), 0);
}

/// D9: a failure is forgotten if no caller is left to be told.
#[test]
fn a_failure_of_one_who_has_left_is_told_to_nobody() {
    let (mut flight, beginner, mut joined) = flight_of_two(false);
    let mut idle = join(&mut flight);
    begin_resting(&mut flight, &mut joined, 1);
    assert_eq!(leave(&mut flight, beginner), Left::Others);
    assert_eq!(look(&mut flight, &mut idle), Some(Work::Poll(1)));
    assert_eq!(flight.fail(1), Failing::Nobody);
    assert_eq!((told(&flight, &joined), told(&flight, &idle)), (None, None));
}

#[test]
fn a_failure_that_its_beginner_was_not_told_leaves_with_it() {
    let (mut flight, beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    assert_eq!(flight.fail(1), Failing::Beginner);
    assert_eq!(leave(&mut flight, beginner), Left::Others);
    assert!(!flight.has_ended(1));
}

/// P12: a flight remembers only attempts that are in flight or have yet to be told.
#[test]
fn attempts_that_nobody_asks_for_any_more_are_forgotten() {
    let (mut flight, _beginner, mut joined) = flight_of_two(false);
    for _ in 2..100 {
        begin(&mut flight, &mut joined, 1, Start::Made);
        begin(&mut flight, &mut joined, 1, Start::Made);
        let abandoned = joined.own - 1;
        assert_eq!(flight.fail(abandoned), Failing::Nobody);
        assert_eq!(flight.fail(abandoned + 1), Failing::Beginner);
    }
    let remembered = flight.attempts.iter().count();
    assert!(remembered <= 4, "{remembered}");
}

#[test]
fn who_begins_anew_is_not_told_of_what_it_began_before() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin(&mut flight, &mut joined, 1, Start::Made);
    begin(&mut flight, &mut beginner, 2, Start::Made);
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
    assert_eq!(flight.fail(1), Failing::Nobody);
    assert_eq!(told(&flight, &beginner), None);
    assert_eq!(flight.fail(3), Failing::Beginner);
    assert_eq!((told(&flight, &beginner), told(&flight, &joined)), (Some(Told::Own), None));
}

/// D94: the spawner takes over loads that have begun, can be polled and will be stored.
#[test]
fn a_load_is_worth_finishing_if_it_runs_in_an_attached_flight_that_all_others_have_left() {
    let (mut flight, _beginner, joined) = flight_of_two(false);
    assert!(!flight.worth_finishing(), "another one waits");
    assert_eq!(leave(&mut flight, joined), Left::Others);
    assert!(flight.worth_finishing());
    flight.detach();
    assert!(!flight.worth_finishing(), "nothing of it would be stored");

    let (flight, _asked) = claim(Start::Unmade);
    assert!(!flight.worth_finishing(), "it has not begun");
    let (mut flight, _owner) = claim(Start::Lent);
    assert!(flight.check_in(1).is_wanted);
    assert!(!flight.worth_finishing(), "its load goes with it");
}

/// D94: the spawner gets the seat of a caller that began nothing, and no load that borrows from it.
#[test]
fn who_hands_over_is_nobodys_beginner_and_takes_its_own_load_away() {
    let (mut flight, beginner, mut joined) = flight_of_two(false);
    begin(&mut flight, &mut joined, 1, Start::Lent);
    assert!(flight.check_in(2).is_wanted);
    assert_eq!(leave(&mut flight, beginner), Left::Others);
    assert!(flight.worth_finishing());
    assert!(flight.release(joined.own), "a lent load is dropped");
    joined.own = 0;
    assert_eq!(flight.live(), 1);
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
    assert_eq!(flight.fail(1), Failing::Last);

    let (mut flight, beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    assert_eq!(flight.fail(1), Failing::Beginner);
    assert!(!flight.release(beginner.own));
    assert!(!flight.has_ended(1), "the other attempt goes on");
    assert!(!flight.release(0), "a caller that began nothing has nothing to give up");
}
