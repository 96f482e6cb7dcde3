//! Which caller drives which load, and what happens to a load that was polled.

use super::*;

const KEPT: CheckedIn = CheckedIn { is_wanted: true, again: false, wakes_all: false };

#[test]
fn a_loader_is_asked_once_and_its_load_polled_from_then_on() {
    let (mut flight, mut caller) = claim(Start::Unmade);
    assert_eq!(look(&mut flight, &mut caller), Some(Work::Make(1)));
    assert_eq!(flight.running(), 1);
    assert_eq!(flight.check_in(1), KEPT);
    assert_eq!(look(&mut flight, &mut caller), Some(Work::Poll(1)));
    assert_eq!(flight.running(), 1, "however often it is polled");
}

/// D17: without a loader, no caller can make another's load.
#[test]
fn what_cannot_be_made_is_not_handed_out() {
    let (mut flight, mut caller) = claim(Start::Unmade);
    wait(&mut flight, &mut caller);
    assert_eq!(flight.check_out(1, 0, true, &mut 0, false, caller.by()), None);
    assert_eq!(flight.check_out(1, 0, true, &mut 0, true, caller.by()), Some((Work::Make(1), true)));
}

/// P3: the load rests in the flight, and any caller may drive it.
#[test]
fn whoever_is_polled_drives_and_nobody_drives_what_is_out() {
    for detached in [false, true] {
        let (mut flight, mut beginner, mut joined) = flight_of_two(detached);
        assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
        assert_eq!(look(&mut flight, &mut beginner), None);
        assert_eq!(flight.check_in(1), KEPT);
        wake_load(&flight);
        assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    }
}

/// P14, D15: a load with several waiters is polled once for each wake, and not for callers that join.
#[test]
fn a_load_that_was_not_woken_is_not_polled_for_many() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)), "it knows a waker that does not reach all callers");
    assert_eq!(flight.check_in(1), KEPT);
    let mut third = join(&mut flight);
    assert_eq!((look(&mut flight, &mut beginner), look(&mut flight, &mut third)), (None, None));
    for _ in 0..3 {
        wake_load(&flight);
        assert_eq!([&beginner, &joined, &third].map(Caller::woken), [1, 1, 1]);
        assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
        assert_eq!(flight.check_in(1), KEPT);
        assert_eq!((look(&mut flight, &mut joined), look(&mut flight, &mut third)), (None, None));
    }
}

/// P3: the load may be ready before its wake arrives, so a caller that is polled for another reason polls it.
#[test]
fn who_is_polled_though_no_load_has_woken_anybody_polls_each_load_once() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    let loads = [Some(Work::Poll(1)), Some(Work::Poll(2)), None];
    assert_eq!([look, look_on, look_on].map(|look| look(&mut flight, &mut joined)), loads);
    assert!([1, 2].iter().all(|number| flight.check_in(*number) == KEPT));
    assert_eq!(look(&mut flight, &mut beginner), None, "it has just come to look");
    for _ in 0..3 {
        for caller in [&mut beginner, &mut joined] {
            assert_eq!([look, look_on, look_on].map(|look| look(&mut flight, caller)), loads);
            assert!([1, 2].iter().all(|number| flight.check_in(*number) == KEPT));
        }
    }
}

/// A lone waiter polls the load whenever it is polled: its own waker does not show the reason.
#[test]
fn a_load_is_polled_in_each_poll_of_who_waits_alone_and_once() {
    let (mut flight, mut caller) = claim(Start::Made);
    assert_eq!(flight.check_in(1), KEPT);
    for _ in 0..3 {
        assert_eq!(look(&mut flight, &mut caller), Some(Work::Poll(1)));
        assert_eq!(flight.check_in(1), KEPT);
        assert_eq!(look_on(&mut flight, &mut caller), None);
    }
    assert!(!flight.waits.is_shared(), "nothing is allocated for waking");
}

#[test]
fn attempts_are_driven_by_number_and_each_once_in_a_poll() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    begin(&mut flight, &mut beginner, 2, Start::Unmade);
    let works = [look(&mut flight, &mut joined), look_on(&mut flight, &mut joined), look_on(&mut flight, &mut joined)];
    assert_eq!(works, [Some(Work::Poll(1)), Some(Work::Poll(2)), Some(Work::Make(3))]);
    for number in 1..=3 {
        assert_eq!(flight.check_in(number), KEPT);
    }
    assert_eq!(look_on(&mut flight, &mut joined), None);
    assert_eq!(flight.running(), 3);
}

/// D15: a load that wakes itself in each poll must not keep its caller from ending.
#[test]
fn a_load_that_is_woken_while_it_is_polled_is_polled_again_in_the_next_poll() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    let mut third = join(&mut flight);
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
    wait(&mut flight, &mut third);
    wake_load(&flight);
    assert_eq!(check_in(&mut flight, &mut joined, 1), CheckedIn { wakes_all: true, ..KEPT });
    assert_eq!(look_on(&mut flight, &mut joined), None);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)), "by the first caller that comes");
    assert_eq!(flight.check_in(1), KEPT);
    assert_eq!(look(&mut flight, &mut third), None);
    // It saw the wake when it went on, so it cannot know that it was polled for that.
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
    assert_eq!(flight.check_in(1), KEPT);
}

/// P3: callers that were woken and looked while the load was out must not have looked in vain.
#[test]
fn a_load_whose_wake_another_has_seen_while_it_was_out_wakes_all_and_is_polled_by_the_first() {
    for first in [0, 1] {
        let (mut flight, beginner, joined) = flight_of_two(false);
        let mut callers = [beginner, joined];
        assert_eq!(look(&mut flight, &mut callers[1]), Some(Work::Poll(1)));
        wake_load(&flight);
        assert_eq!(look(&mut flight, &mut callers[0]), None);
        assert_eq!(check_in(&mut flight, &mut callers[1], 1), CheckedIn { wakes_all: true, ..KEPT });
        assert_eq!(look_on(&mut flight, &mut callers[1]), None, "not in the same poll (D15)");
        assert_eq!(look(&mut flight, &mut callers[first]), Some(Work::Poll(1)));
        assert_eq!(flight.check_in(1), KEPT);
    }
}

/// P3: the lone waiter's waker wakes one caller; with more callers, the load has to be polled with the shared waker.
#[test]
fn a_load_is_polled_again_when_others_have_joined_meanwhile() {
    let (mut flight, mut caller) = claim(Start::Made);
    let mut joined = join(&mut flight);
    assert_eq!(look(&mut flight, &mut joined), None, "it is still out");
    // (What makes it due counts as a wake that a caller has seen, so all are woken as well.)
    assert_eq!(check_in(&mut flight, &mut caller, 1), CheckedIn { again: true, wakes_all: true, ..KEPT });
    assert_eq!(look_on(&mut flight, &mut caller), Some(Work::Poll(1)));
    assert!(flight.waits.is_shared());
    assert_eq!(check_in(&mut flight, &mut caller, 1), KEPT, "once is enough");
    assert_eq!(look_on(&mut flight, &mut caller), None);
}

#[test]
fn a_load_that_was_polled_with_the_waker_of_all_is_not_polled_again() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    assert_eq!(look(&mut flight, &mut joined), None);
    assert_eq!(flight.check_in(1), KEPT);
}

/// D8, D19.
#[test]
fn a_load_whose_flight_ended_meanwhile_comes_back_to_be_dropped() {
    for detached in [false, true] {
        let (mut flight, mut beginner, mut joined) = flight_of_two(detached);
        begin(&mut flight, &mut joined, 1, Start::Made);
        assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
        flight.forget(2);
        assert_eq!(flight.settle().1, 1, "the load that is out is with the caller that polls it");
        assert!(!flight.check_in(1).is_wanted);
        assert_eq!(flight.check_out(beginner.own, 0, true, &mut 0, true, beginner.by()), None);
    }
}

#[test]
fn a_load_whose_attempt_was_overdue_meanwhile_comes_back_to_be_dropped() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 9);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    assert_eq!(flight.overdue(|begun| begun < at(5)), Some(1));
    assert_eq!(flight.fail(1), Failing::Beginner);
    assert_eq!(flight.overdue(|begun| begun < at(5)), None);
    assert!(!flight.check_in(1).is_wanted);
    assert_eq!(look_on(&mut flight, &mut beginner), Some(Work::Poll(2)), "the other one goes on");
}

/// D16: only its own caller can poll a lent load.
#[test]
fn a_lent_load_is_driven_by_its_owner_alone() {
    let (mut flight, mut owner) = claim(Start::Lent);
    let mut other = join(&mut flight);
    assert_eq!(flight.running(), 1, "it runs wherever it is");
    assert!(flight.is_inside(&owner.by()), "it is polled at once");
    assert!(flight.check_in(1).is_wanted);
    assert_eq!(look(&mut flight, &mut other), None);
    assert_eq!(look(&mut flight, &mut owner), Some(Work::Lent(1)));
    assert_eq!(look(&mut flight, &mut owner), None, "not while it is polled");
    assert!(flight.is_inside(&owner.by()));
    assert!(!flight.is_inside(&other.by()));
    assert!(flight.check_in(1).is_wanted);
    assert!(!flight.is_inside(&owner.by()));
    assert_eq!(look(&mut flight, &mut owner), Some(Work::Lent(1)));
}

/// D16: it knows its owner's waker only, so nothing shows whether it was woken.
#[test]
fn a_lent_load_is_polled_whenever_its_owner_is_though_others_have_joined() {
    let (mut flight, mut owner) = claim(Start::Lent);
    assert_eq!(flight.check_in(1), KEPT);
    let mut other = join(&mut flight);
    assert_eq!(look(&mut flight, &mut other), None);
    for _ in 0..3 {
        assert_eq!(look(&mut flight, &mut owner), Some(Work::Lent(1)));
        assert_eq!(flight.check_in(1), KEPT);
        assert_eq!(look_on(&mut flight, &mut owner), None, "once in a poll");
    }
}

/// D66: the flight knows which caller polls a load.
#[test]
fn a_flight_knows_how_its_loads_are_being_polled() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    let others = Caller::new();
    let inside = |flight: &Plain| [&beginner, &joined, &others].map(|caller| flight.is_inside(&caller.by()));
    assert_eq!(inside(&flight), [false, false, false]);
    let by = beginner.by();
    flight.all_due(0);
    assert_eq!(flight.check_out(1, 0, true, &mut 0, true, by), Some((Work::Poll(1), false)));
    assert_eq!(inside(&flight), [true, false, false]);
    wait(&mut flight, &mut joined);
    let all = PolledBy::here(&flight.waits.waker().expect("it is shared"));
    assert!(!flight.is_inside(&all));
    assert_eq!(flight.check_out(2, 0, true, &mut 0, true, all), Some((Work::Poll(2), false)));
    assert!(flight.is_inside(&all) && flight.is_inside(&by));
    // Another joined while it polled the load, so it polls once more, with the shared waker; then no caller polls.
    assert!(flight.check_in(1).again);
    assert!(!flight.is_inside(&by) && flight.is_inside(&all));
    wait(&mut flight, &mut beginner);
    assert_eq!(flight.check_out(1, 0, true, &mut 0, true, all), Some((Work::Poll(1), false)));
    assert_eq!(flight.check_in(1), KEPT);
    assert!(flight.is_inside(&all), "the other one");
    assert!(flight.check_in(2).is_wanted);
    assert!(!flight.is_inside(&all));
}

/// D62, D66: several callers drive a load of many keys, so only its own waker shows who polls.
#[test]
fn a_load_of_many_keys_stays_where_it_is_and_is_driven_by_any_caller() {
    let (mut flight, mut caller) = claim(Start::Batch);
    assert_eq!((flight.running(), flight.live()), (1, 1));
    let mut other = join(&mut flight);
    assert_eq!(look(&mut flight, &mut other), Some(Work::Batch(1)));
    assert_eq!(look(&mut flight, &mut caller), None, "it is not due");
    wake_load(&flight);
    assert_eq!(look(&mut flight, &mut caller), Some(Work::Batch(1)), "though another is at it");
    assert!(!flight.check_in(1).is_wanted, "it was never taken out");
    assert!(flight.is_inside(&caller.by()));
    assert_eq!(flight.fail(1), Failing::Last);
}

/// D93: it is a failed attempt like any other.
#[test]
fn the_last_attempt_that_is_overdue_ends_the_flight_and_is_told_to_all() {
    for detached in [false, true] {
        let (mut flight, _beginner, mut joined) = flight_of_two(detached);
        begin(&mut flight, &mut joined, 3, Start::Unmade);
        let is_overdue = |begun| begun <= at(3);
        assert_eq!(flight.overdue(is_overdue), Some(1));
        assert_eq!(flight.fail(1), Failing::Beginner);
        assert_eq!(flight.overdue(is_overdue), Some(2));
        assert!(!flight.attempt(2).expect("it is live").is_running(), "the loader was never asked for the second");
        assert_eq!(flight.fail(2), Failing::Last);
        assert_eq!(flight.overdue(is_overdue), None);
    }
}

#[test]
fn an_attempt_that_is_overdue_beside_another_is_told_to_its_beginner_alone() {
    let (mut flight, beginner, mut joined) = flight_of_two(false);
    begin(&mut flight, &mut joined, 9, Start::Made);
    assert_eq!(flight.overdue(|begun| begun < at(9)), Some(1));
    assert_eq!(flight.fail(1), Failing::Beginner);
    assert_eq!((told(&flight, &beginner), told(&flight, &joined)), (Some(Told::Own), None));
    assert_eq!(flight.oldest_begun(), Some(at(9)));
    assert_eq!(flight.overdue(|begun| begun < at(9)), None, "nothing is overdue twice");
}

/// D57: a passer-by polls a claimed refresh if it was never polled, or was woken since.
#[test]
fn a_passer_by_sees_whether_a_load_wants_a_poll() {
    let (mut flight, mut ticket) = claim(Start::Unmade);
    let passer_by = Caller::new();
    assert!(flight.wants_a_poll(&mut None), "it was never polled");
    assert_eq!(flight.check_out(0, 0, true, &mut 0, true, passer_by.by()), Some((Work::Make(1), true)));
    assert!(!flight.wants_a_poll(&mut None), "it is out");
    assert_eq!(flight.check_in(1), KEPT);
    assert!(!flight.wants_a_poll(&mut None), "it was not woken");
    wake_load(&flight);
    assert!(flight.wants_a_poll(&mut None));
    assert!(flight.wants_a_poll(&mut None), "until a caller polls it");
    assert_eq!(look(&mut flight, &mut ticket), Some(Work::Poll(1)));
    assert_eq!(flight.check_in(1), KEPT);
    assert!(!flight.wants_a_poll(&mut None));
}

/// D57: if it is unknown whether the load was woken, it is polled, with a waker that shows it from then on.
#[test]
fn a_passer_by_polls_a_load_that_only_its_lone_waiter_would_hear_of() {
    let (mut flight, mut ticket) = claim(Start::Made);
    assert_eq!(flight.check_in(1), KEPT);
    wait(&mut flight, &mut ticket);
    let mut old = None;
    assert!(flight.wants_a_poll(&mut old));
    assert!(old.is_some(), "the waker that is not needed any more");
    assert_eq!(flight.check_out(0, 0, true, &mut 0, true, ticket.by()), Some((Work::Poll(1), false)));
    assert_eq!(flight.check_in(1), KEPT);
    assert!(!flight.wants_a_poll(&mut None));
    wake_load(&flight);
    assert_eq!(ticket.woken(), 1, "it is woken as before");
}

/// D18, P3: polls that come before a deadline counts are in addition to those that are due anyway.
#[test]
fn a_load_that_is_due_stays_due_when_later_ones_become_so() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin_resting(&mut flight, &mut joined, 1);
    wait(&mut flight, &mut beginner);
    flight.all_due(1);
    let works = [1, 2].map(|_| flight.check_out(1, 0, false, &mut 0, true, beginner.by()));
    assert_eq!(works, [Some((Work::Poll(1), false)), Some((Work::Poll(2), false))]);
}
