//! What a caller does whose patience ends.

use super::*;

fn times_out(rig: &mut Rig, caller: &mut Caller) -> bool {
    assert_eq!(rig.poll(caller), Step::Told);
    matches!(rig.hear(caller), Err(LoadError::LockTimeout))
}

/// D22.
#[test]
fn a_timeout_of_zero_polls_the_load_once_and_then_acts() {
    let mut rig = Rig::new(patient(rules(), 0, OnTimeout::Fail));
    let mut caller = rig.seat(1);
    assert_eq!(caller.step, Step::Make);
    assert_eq!(rig.pend(&mut caller), Step::Told);
    assert!(matches!(rig.hear(&mut caller), Err(LoadError::LockTimeout)));
    assert_eq!((rig.shard.counts.timeouts, rig.shard.counts.errors), (1, 1));
}

/// D22: nor does a caller that joins leave without a poll of the load.
#[test]
fn a_timeout_of_zero_polls_the_load_of_another_once_and_then_acts() {
    let mut rig = Rig::new(rules());
    let mut leader = rig.wait(1);
    let hurried = Call { lock_timeout: Some((Duration::ZERO, OnTimeout::Fail)), ..rig.rules.call() };
    for _ in 0..2 {
        let mut caller = rig.seat_with(1, hurried, Some(Start::Made));
        assert_eq!(caller.step, Step::Poll);
        assert_eq!(rig.pend(&mut caller), Step::Told);
    }
    let mut caller = rig.seat_with(1, hurried, Some(Start::Made));
    rig.finish(&mut caller, 1, 6);
    assert_eq!((rig.outcome(&mut caller).value, rig.outcome(&mut leader).value), (6, 6));
}

/// D22.
#[test]
fn a_timeout_without_end_waits() {
    let rules = Rules { lock_timeout: Some((Duration::MAX, OnTimeout::Fail)), ..rules() };
    let mut rig = Rig::new(rules);
    let mut caller = rig.wait(1);
    rig.now = u64::MAX;
    assert_eq!(sleeps_until(&mut rig, &mut caller), u64::MAX);
}

/// D21, P7.
#[test]
fn who_has_waited_too_long_begins_an_attempt_of_its_own_and_then_waits_on() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Load));
    let mut first = rig.wait(1);
    rig.now += 3;
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(&mut rig, &mut first), u64::MAX, "the beginner is not bounded");
    assert_eq!(sleeps_until(&mut rig, &mut second), 1008, "it counts from its own first poll");
    rig.now = 1008;
    assert_eq!(sleeps_until(&mut rig, &mut second), u64::MAX, "no second timeout");
    assert_eq!((second.own(), rig.shard.counts.timeouts), (2, 1));
    rig.answer(&mut first, 1, 6);
    let outcome = rig.outcome(&mut second);
    assert_eq!((outcome.status, outcome.attempt), (Status::Miss, Some(1)), "the first success ends both waits (D8)");
}

/// D10.
#[test]
fn who_has_waited_too_long_at_the_bound_fails() {
    let mut rig = Rig::new(Rules { attempts: 1, ..patient(rules(), 5, OnTimeout::Load) });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert!(times_out(&mut rig, &mut second));
}

/// D21, D24: these bound the wait of every caller.
#[test]
fn who_asked_for_a_bound_fails_at_it_though_it_began_the_load() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Fail));
    let mut first = rig.wait(1);
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(&mut rig, &mut first), 1005);
    rig.now += 5;
    assert!(times_out(&mut rig, &mut first));
    rig.now -= 1;
    rig.drive(&mut second, 1);
    assert_eq!(second.step, Step::Poll, "the load is left to the others");
}

/// D23.
#[test]
fn a_stale_value_ends_the_wait_if_it_is_within_the_limit_for_refreshing() {
    let rules = Rules { stale_while_refresh: Some(nanos(50)), ..patient(rules(), 5, OnTimeout::Stale) };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 55;
    let mut caller = rig.wait(1);
    rig.now += 5;
    assert_eq!(rig.poll(&mut caller), Step::Told);
    let outcome = rig.outcome(&mut caller);
    assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(50))));
    assert_eq!((outcome.waited, outcome.led), (nanos(5), true));
    assert_eq!((rig.shard.counts.stale, rig.shard.counts.timeouts, rig.shard.counts.errors), (1, 1, 0));
    let mut late = rig.wait(1);
    rig.now += 5;
    assert!(times_out(&mut rig, &mut late), "and else no load");
}

/// D23, C103: a value that has come meanwhile is taken, fresh or just expired.
#[test]
fn a_wait_that_may_end_by_a_stale_value_ends_by_a_fresh_one_that_has_come_meanwhile() {
    for (ttl, status) in [(nanos(400), Status::Hit), (nanos(5), Status::Stale(nanos(5)))] {
        let mut rig = Rig::new(patient(rules(), 100, OnTimeout::Stale));
        rig.rules.stale_while_refresh = Some(nanos(500));
        rig = Rig { now: 0, ..Rig::new(rig.rules) };
        let (mut first, mut second) = (rig.wait(1), rig.wait(1));
        rig.now = 50;
        rig.remove(1);
        let mut third = rig.wait(1);
        rig.now = 90;
        rig.answer(&mut third, 1, Loaded::new(9).ttl(ttl));
        rig.now = 100;
        for (caller, led) in [(&mut first, true), (&mut second, false)] {
            assert_eq!(rig.poll(caller), Step::Told);
            let outcome = rig.outcome(caller);
            assert_eq!((outcome.value, outcome.status, outcome.led, outcome.waited), (9, status, led, nanos(100)));
        }
        assert_eq!((rig.shard.counts.timeouts, rig.shard.counts.errors), (2, 0));
        assert_eq!(rig.census(), (0, 0, 0), "the load that no caller waits for any more is dropped (D24)");
    }
}

/// D23: not a caller that asked to fail.
#[test]
fn a_wait_that_may_not_end_by_a_value_fails_whatever_has_come_meanwhile() {
    let rules = Rules { stale_while_refresh: Some(nanos(500)), ..patient(rules(), 10, OnTimeout::Fail) };
    let mut rig = Rig::new(rules);
    let mut first = rig.wait(1);
    rig.remove(1);
    rig.load(1, 9);
    rig.now += 10;
    assert!(times_out(&mut rig, &mut first));
}

/// D25, D21.
#[test]
fn who_may_load_alone_does_so_unless_it_began_the_load() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::LoadAlone));
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert_eq!(sleeps_until(&mut rig, &mut first), u64::MAX);
    rig.visit(&mut second);
    while second.step == Step::Poll {
        rig.pend(&mut second);
    }
    assert_eq!((second.step, second.waiting.is_alone), (Step::Make, true));
    assert_eq!(rig.live(&first), 1, "outside the flight");
    assert_eq!(rig.shard.flights.slot(&first.waiting.seat).flight.seats(), 1);
    rig.now += 2;
    assert_eq!(rig.rest(&mut second), Step::Wait);
    rig.answer(&mut second, 1, 6);
    let outcome = rig.outcome(&mut second);
    assert_eq!((outcome.status, outcome.led, outcome.waited), (Status::Miss, true, nanos(7)), "since its first poll");
    assert_eq!((outcome.attempt, outcome.generation, rig.peek(1).is_none()), (None, None, true));
    assert_eq!((rig.shard.counts.timeouts, rig.shard.counts.misses), (1, 1));
}

/// D25: alone, it has no second timeout, and no caller overtakes it.
#[test]
fn who_loads_alone_waits_for_its_load_and_its_budget() {
    let rules =
        Rules { lock_age: Some(nanos(50)), budget: Some(nanos(20)), ..patient(rules(), 5, OnTimeout::LoadAlone) };
    let mut rig = Rig::new(rules);
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert_eq!(sleeps_until(&mut rig, &mut second), 1025, "of its own load");
    assert!(second.waiting.is_alone);
    rig.now += 20;
    assert_eq!(rig.poll(&mut second), Step::Told);
    assert!(rig.hear(&mut second).is_err_and(|error| error.is_budget_exceeded()));
}
