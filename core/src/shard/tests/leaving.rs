//! Callers leave: what goes with them, what stays for others, and what is dropped outside the lock.

use super::*;

/// P2: the first caller is not special.
#[test]
fn a_load_in_the_flight_stays_when_its_beginner_leaves() {
    for detached in [false, true] {
        let mut rig = Rig::new(rules());
        let (beginner, mut joined) = (rig.wait(7), rig.wait(7));
        if detached {
            rig.remove(7);
        }
        assert!(!rig.leave(beginner));
        assert!(rig.effects.old.is_some(), "its waker is dropped outside the lock");
        assert!(rig.effects.rest().loads.is_empty());
        assert_eq!((rig.census(), rig.shard.flights.counts.dropped), ((1, 1, 1), 0));
        rig.drive(&mut joined, 1);
        assert_eq!(joined.load, Some(7));
        rig.finish(&mut joined, 1, 5);
        let outcome = rig.outcome(&mut joined);
        assert_eq!((outcome.value, outcome.status), (5, Status::LockHit), "any caller may have polled it (D7)");
        assert_eq!(rig.contains(7), !detached);
    }
}

/// P2: nothing stays behind.
#[test]
fn with_the_last_caller_the_flight_and_its_loads_are_gone() {
    for detached in [false, true] {
        let mut rig = Rig::new(Rules { lock_age: Some(nanos(1)), ..rules() });
        let (beginner, mut joined) = (rig.wait(7), rig.wait(7));
        rig.now += 1;
        rig.poll(&mut joined);
        assert_eq!(joined.own(), 2);
        if detached {
            rig.remove(7);
        }
        assert!(!rig.leave(beginner));
        assert!(rig.leave(joined));
        assert!(!rig.wakes_somebody(), "no caller is there to be woken");
        let rest = rig.effects.rest();
        assert_eq!(rest.loads, [7, 77], "they go out to be dropped outside the lock (D13)");
        assert_eq!((&rest.keys, rest.unused.len()), (&vec![7], 1));
        assert_eq!((rig.census(), rig.shard.flights.counts.dropped), ((0, 0, 0), 2));
    }
}

/// D16: when the owner is dropped, another caller has to lead, with an attempt of the same flight.
#[test]
fn a_lent_load_leaves_with_its_owner_and_the_flight_is_vacant() {
    for detached in [false, true] {
        let mut rig = Rig::new(rules());
        let (owner, mut other) = (rig.lend(7), rig.wait(7));
        if detached {
            rig.remove(7);
        }
        assert!(!rig.leave(owner));
        assert!(rig.wakes_somebody());
        assert_eq!((rig.live(&other), rig.told(&other)), (0, None), "a cancellation is never a failure (P4)");
        assert_eq!((rig.shard.flights.counts.dropped, rig.census().2), (1, 0));
        assert_eq!(rig.visit(&mut other), if detached { Step::MakeAnew } else { Step::Make });
        assert_eq!(other.own(), 2);
        if detached {
            // Its load is one of the newer epoch as well (D11).
            rig.rest(&mut other);
            rig.answer_anew(&other, 5);
        } else {
            rig.finish(&mut other, 2, 5);
        }
        let outcome = rig.outcome(&mut other);
        assert_eq!((outcome.value, outcome.attempt, outcome.led), (5, Some(2), true));
        assert_eq!(rig.census(), (0, 0, 0));
        assert!(rig.contains(7));
    }
}

#[test]
fn a_lent_load_that_leaves_beside_another_leaves_no_vacancy() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(1)), ..rules() });
    let owner = rig.lend(7);
    rig.now += 1;
    let other = rig.wait(7);
    assert_eq!(other.own(), 2);
    assert!(!rig.leave(owner));
    assert!(!rig.wakes_somebody());
    assert_eq!((rig.live(&other), rig.shard.flights.counts.dropped), (1, 1));
    rig.check_sums(&[&other]);
}

#[test]
fn a_lent_load_that_leaves_when_all_is_told_leaves_no_vacancy() {
    let mut rig = Rig::new(rules());
    let (owner, mut other) = (rig.lend(7), rig.wait(7));
    rig.insert(7, 1);
    assert!(!rig.leave(owner));
    assert!(!rig.wakes_somebody());
    assert_eq!(rig.shard.flights.counts.dropped, 1, "dropped once, by the insert");
    assert_eq!((rig.outcome(&mut other).value, rig.census()), (1, (0, 0, 0)));
}

#[test]
fn the_second_to_leave_a_vacant_flight_does_not_vacate_it_again() {
    let mut rig = Rig::new(rules());
    let (owner, first, second) = (rig.lend(7), rig.wait(7), rig.wait(7));
    assert!(!rig.leave(owner));
    assert!(rig.wakes_somebody());
    assert!(!rig.leave(first));
    assert!(!rig.wakes_somebody());
    assert!(rig.leave(second));
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D9: a failure that no caller is left to hear is forgotten, and there is room for an attempt again.
#[test]
fn a_failure_of_one_who_has_left_is_told_to_nobody() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(1)), attempts: 2, ..rules() });
    let (beginner, mut idle) = (rig.wait(7), rig.wait(7));
    rig.now += 1;
    let joined = rig.wait(7);
    assert_eq!(joined.own(), 2);
    assert!(!rig.leave(beginner));
    rig.drive(&mut idle, 1);
    rig.finish_with_failure(&mut idle, 1, failure("first"));
    assert!(rig.wakes_somebody());
    assert_eq!((rig.told(&joined), rig.told(&idle)), (None, None));
    rig.check_sums(&[&joined, &idle]);
}

/// D94: the load of the last caller may be worth finishing; then its seat goes to the spawner.
#[test]
fn who_takes_over_the_last_seat_goes_on_with_the_load() {
    let mut rig = Rig::new(rules());
    let mut caller = rig.wait(7);
    assert!(rig.shard.flights.slot(&caller.waiting.seat).flight.worth_finishing());
    caller.waiting.make_quiet();
    rig.now += 3;
    assert_eq!(rig.visit_with(&mut caller, None), Step::Poll);
    rig.finish(&mut caller, 1, 5);
    assert_eq!((rig.outcome(&mut caller).value, rig.served(7).value), (5, 5));
    assert_eq!((rig.shard.counts.misses, rig.shard.flights.counts.succeeded), (0, 1), "it is no lookup");
}

/// P10: the last caller to leave takes the answer itself; an answer that it does not take is dropped outside the lock.
#[test]
fn the_last_one_takes_the_answer_or_leaves_it_to_be_dropped() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second) = (rig.wait(7), rig.wait(7));
    rig.answer(&mut first, 1, Loaded::new(5).ttl(Ttl::NotStored));
    assert_eq!(rig.outcome(&mut second).value, 5);
    let (mut first, second) = (rig.wait(7), rig.wait(7));
    rig.answer(&mut first, 1, Loaded::new(6).ttl(Ttl::NotStored));
    assert!(rig.leave(second));
    assert_eq!(rig.effects.rest().values, [6]);
}

/// D49, P2: seats still find their flights after a burst, and their waits end as usual.
#[test]
fn one_flight_of_a_burst_hangs_and_ends_well() {
    let mut rig = Rig::new(rules());
    let mut hanging = rig.wait(500);
    let mut joined = rig.wait(500);
    let mut callers: Vec<Caller> = (0..400).map(|key| rig.wait(key)).collect();
    let mut last = rig.wait(999);
    while let Some(caller) = callers.pop() {
        assert!(rig.leave(caller));
    }
    rig.answer(&mut last, 1, 9);
    rig.answer(&mut joined, 1, 5);
    assert_eq!((rig.outcome(&mut last).value, rig.outcome(&mut hanging).value), (9, 5));
    assert_eq!((rig.outcome(&mut joined).value, rig.census()), (5, (0, 0, 0)));
    assert_eq!(rig.served(500).value, 5);
}
