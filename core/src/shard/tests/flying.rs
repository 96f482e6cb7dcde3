//! What each event does to a flight and to what it carries, attached and detached.

use super::*;

/// A flight of key 7 whose load rests, its beginner and a caller that joined; a write may have come since.
fn flight_of_two(detached: bool) -> (Rig, Caller, Caller) {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(1)), ..rules() });
    let (beginner, joined) = (rig.wait(7), rig.wait(7));
    if detached {
        rig.remove(7);
    }
    rig.effects = Effects::default();
    (rig, beginner, joined)
}

/// A write comes, or none.
fn write(rig: &mut Rig, comes: bool) {
    if comes {
        rig.remove(7);
    }
}

/// A seated caller takes over; its load rests.
fn take_over(rig: &mut Rig, caller: &mut Caller) {
    rig.now += 1;
    assert_eq!(rig.poll(caller), Step::Wait);
    assert_ne!(caller.own(), 0);
}

fn is_found(rig: &Rig) -> bool {
    rig.shard.flights.find_placed(hash(7), |k| *k == 7).is_some()
}

/// One more caller that waits in another's flight, attached or not.
fn idle(rig: &mut Rig, of: &Caller) -> Caller {
    let mut caller = Caller::new(7, rig.rules.call(), Some(Start::Made), rig.now);
    let place = rig.shard.flights.place(&of.waiting.seat);
    rig.shard.flights.join(place, &mut caller.waiting.seat);
    rig.poll(&mut caller);
    caller
}

#[test]
fn a_takeover_is_one_attempt_more_with_the_next_number() {
    for detached in [false, true] {
        let (mut rig, beginner, mut joined) = flight_of_two(detached);
        take_over(&mut rig, &mut joined);
        assert_eq!((beginner.own(), joined.own()), (1, 2));
        assert_eq!((rig.live(&joined), rig.is_attached(&joined)), (2, !detached));
        assert!(rig.wakes_somebody(), "the beginner looks at an age from now on");
        assert_eq!(rig.shard.flights.counts.takeovers, 1);
    }
}

/// D8, D40: the first success ends the wait of all; only an attached flight gives its key to be stored under.
#[test]
fn a_success_is_everybodys_verdict_and_only_an_attached_one_is_stored() {
    for detached in [false, true] {
        let (mut rig, mut beginner, mut joined) = flight_of_two(false);
        let mut idle = idle(&mut rig, &beginner);
        take_over(&mut rig, &mut joined);
        write(&mut rig, detached);
        rig.answer(&mut beginner, 1, 5);
        assert!(rig.wakes_somebody());
        let rest = rig.effects.rest();
        assert_eq!(rest.loads, [77], "the attempt that is not needed any more comes out");
        assert!(!is_found(&rig), "a finished flight is never joined (D15)");
        for caller in [&mut beginner, &mut joined, &mut idle] {
            assert_eq!(rig.outcome(caller).value, 5);
        }
        assert_eq!(rig.contains(7), !detached);
        assert_eq!((rig.shard.flights.counts.succeeded, rig.shard.flights.counts.dropped), (1, 1));
        assert_eq!(rig.census(), (0, 0, 0));
    }
}

/// D9: an answer beats an error, and the beginner of a failed attempt must not wait for another attempt.
#[test]
fn a_failure_with_others_in_flight_is_told_to_its_beginner_alone() {
    for detached in [false, true] {
        let (mut rig, mut beginner, mut joined) = flight_of_two(false);
        let mut idle = idle(&mut rig, &beginner);
        take_over(&mut rig, &mut joined);
        write(&mut rig, detached);
        rig.drive(&mut idle, 1);
        rig.finish_with_failure(&mut idle, 1, failure("first"));
        assert!(rig.wakes_somebody());
        rig.rest(&mut idle);
        assert_eq!(rig.told(&beginner), Some(Err("first")), "any caller may have polled it");
        assert_eq!((rig.told(&joined), rig.told(&idle)), (None, None));
        assert_eq!((is_found(&rig), rig.live(&joined), rig.shard.flights.counts.failed), (!detached, 1, 1));
        rig.check_sums(&[&beginner, &joined, &idle]);
        assert_eq!(rig.error(&mut beginner), Some("first"));
        rig.answer(&mut joined, 2, 6);
        assert_eq!((rig.outcome(&mut joined).value, rig.outcome(&mut idle).value), (6, 6));
    }
}

/// P4.
#[test]
fn the_last_failure_is_told_to_all() {
    for detached in [false, true] {
        let (mut rig, mut beginner, mut joined) = flight_of_two(false);
        let mut idle = idle(&mut rig, &beginner);
        take_over(&mut rig, &mut joined);
        write(&mut rig, detached);
        rig.fail_unheard(&idle, 2, failure("second"));
        rig.fail_unheard(&idle, 1, failure("first"));
        assert!(rig.wakes_somebody());
        for caller in [&mut beginner, &mut joined, &mut idle] {
            assert_eq!(rig.error(caller), Some("first"));
        }
        assert_eq!((is_found(&rig), rig.shard.flights.counts.failed, rig.census()), (false, 2, (0, 0, 0)));
    }
}

/// P5: a panic is a failure by another name.
#[test]
fn a_panic_is_told_to_all_and_counted_by_itself() {
    let (mut rig, mut beginner, mut joined) = flight_of_two(false);
    rig.fail_unheard(&joined, 1, Failure::new(Cause::Panicked));
    for caller in [&mut beginner, &mut joined] {
        assert!(rig.hear(caller).is_err_and(|error| error.is_panicked()));
    }
    assert_eq!((rig.shard.flights.counts.panicked, rig.shard.flights.counts.failed, rig.census().2), (1, 0, 0));
}

/// D39.
#[test]
fn an_insert_is_everybodys_verdict_and_takes_the_loads_out() {
    let (mut rig, mut beginner, mut joined) = flight_of_two(false);
    take_over(&mut rig, &mut joined);
    rig.insert(7, 3);
    assert!(rig.wakes_somebody());
    assert_eq!(rig.effects.rest().loads, [7, 77]);
    assert_eq!((rig.outcome(&mut beginner).value, rig.outcome(&mut joined).value), (3, 3));
    assert_eq!((is_found(&rig), rig.shard.flights.counts.dropped, rig.census()), (false, 2, (0, 0, 0)));
}

/// D39, D19: a load that is out comes back to be dropped, or its answer to be discarded.
#[test]
fn what_is_out_when_a_value_is_inserted_comes_back_to_be_dropped() {
    let (mut rig, mut beginner, mut joined) = flight_of_two(false);
    rig.drive(&mut joined, 1);
    rig.insert(7, 3);
    assert!(rig.effects.rest().loads.is_empty());
    assert_eq!(rig.pend(&mut joined), Step::Told);
    assert_eq!(rig.effects.rest().loads, [7]);
    assert_eq!((rig.outcome(&mut joined).value, rig.outcome(&mut beginner).value), (3, 3));

    let (mut rig, mut beginner, mut joined) = flight_of_two(false);
    rig.drive(&mut joined, 1);
    rig.insert(7, 3);
    assert_eq!(rig.finish(&mut joined, 1, 4), Step::Told);
    assert_eq!((rig.outcome(&mut joined).value, rig.outcome(&mut beginner).value), (3, 3));
    assert_eq!(rig.served(7).value, 3);
    assert_eq!(rig.shard.flights.counts.succeeded, 0);
}

/// D11: numbers and the age continue after an attempt that is over.
#[test]
fn numbers_go_on_whatever_became_of_the_attempts_before() {
    let (mut rig, beginner, mut joined) = flight_of_two(false);
    let mut third = idle(&mut rig, &beginner);
    take_over(&mut rig, &mut joined);
    rig.fail(&mut joined, 2, "second");
    assert_eq!(rig.error(&mut joined), Some("second"));
    rig.now += 1;
    rig.poll(&mut third);
    assert_eq!(third.own(), 3);
    let mut newcomer = rig.wait(7);
    assert_eq!(newcomer.own(), 0);
    rig.answer(&mut newcomer, 3, 5);
    assert_eq!((rig.outcome(&mut third).attempt, rig.outcome(&mut newcomer).attempt), (Some(3), Some(3)));
}

/// D7: the number is that of the attempt that answered, be it a flight's first or third.
#[test]
fn an_outcome_tells_the_number_of_the_attempt_that_answered() {
    let mut rig = Rig::new(Rules { ttl: Ttl::NotStored, lock_age: Some(nanos(1)), ..rules() });
    for answers in 1..=3 {
        let mut callers = [1; 3].map(|key| {
            rig.now += 1;
            rig.wait(key)
        });
        assert_eq!(callers.each_ref().map(Caller::own), [1, 2, 3], "each flight counts anew");
        rig.answer(&mut callers[0], answers, 6);
        for caller in &mut callers {
            assert_eq!(rig.outcome(caller).attempt, Some(answers));
        }
    }
}
