//! What a caller is told, and what it does when a deadline passes.

use super::*;

/// Polls a caller, who has to wait; returns until when.
fn sleeps_until(rig: &mut Rig, caller: &mut Caller) -> u64 {
    assert_eq!(rig.poll(caller), Step::Wait);
    rig.effects.until.as_nanos()
}

fn patient(rules: Rules, patience: u64, then: OnTimeout) -> Rules {
    Rules { lock_timeout: Some((nanos(patience), then)), ..rules }
}

fn times_out(rig: &mut Rig, caller: &mut Caller) -> bool {
    assert_eq!(rig.poll(caller), Step::Told);
    matches!(rig.hear(caller), Err(LoadError::LockTimeout))
}

/// D7.
#[test]
fn who_began_has_the_status_of_its_first_look_and_all_others_lock_hit() {
    let rules = Rules { lock_age: Some(nanos(5)), stale_if_error: Some(nanos(99)), ..rules() };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    let mut first = rig.wait(1);
    rig.now += 3;
    let mut joined = rig.wait(1);
    rig.now += 2;
    let mut second = rig.wait(1);
    rig.now += 4;
    rig.answer(&mut first, 2, Loaded::new(6).ttl(nanos(100)));
    rig.now += 50;
    let told = [&mut first, &mut second, &mut joined].map(|caller| rig.outcome(caller));
    assert_eq!(told.each_ref().map(|outcome| outcome.status), [Status::Expired, Status::Expired, Status::LockHit]);
    assert_eq!(told.each_ref().map(|outcome| outcome.led), [true, true, false]);
    assert_eq!(told.each_ref().map(|outcome| outcome.waited.as_nanos()), [9, 4, 6], "each from its own first poll");
    for outcome in &told {
        assert_eq!((outcome.value, outcome.attempt, outcome.age), (6, Some(2), Duration::ZERO));
        assert_eq!(outcome.time_left, TimeLeft::For(nanos(100)));
    }
    let counts = rig.shard.counts;
    assert_eq!((counts.expired, counts.joined, counts.misses), (2, 1, 0));
}

/// The quick way out for most who joined tells the same, as long as others are still to hear of it.
#[test]
fn who_collects_is_told_what_all_are_told() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    assert!(rig.shard.collect(&mut second.waiting).is_none(), "it is not there");
    rig.now += 4;
    rig.answer(&mut first, 1, Loaded::new(6).ttl(nanos(100)));
    let outcome = rig.shard.collect(&mut second.waiting).expect("it is there");
    assert_eq!((outcome.value, outcome.status, outcome.led, outcome.attempt), (6, Status::LockHit, false, Some(1)));
    assert_eq!((outcome.waited, outcome.time_left), (nanos(4), TimeLeft::For(nanos(100))));
    assert!(!second.is_seated());
    assert!(rig.shard.collect(&mut third.waiting).is_none(), "the last one takes it along");
    assert!(third.is_seated());
    assert_eq!(rig.outcome(&mut third).value, 6);
    assert_eq!((rig.census(), rig.shard.counts.joined, rig.shard.counts.misses), ((0, 0, 0), 2, 1));

    let (mut first, mut second, mut third) = (rig.wait(2), rig.wait(2), rig.wait(2));
    rig.fail(&mut first, 1, "down");
    assert!(rig.shard.collect(&mut second.waiting).is_none(), "nor is a failure told so");
    assert_eq!((rig.error(&mut second), rig.error(&mut third)), (Some("down"), Some("down")));
}

/// D18: an answer beats a timeout of the same instant.
#[test]
fn the_load_is_driven_before_any_deadline_is_looked_at() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..patient(rules(), 5, OnTimeout::Fail) });
    let mut caller = rig.wait(1);
    rig.now += 5;
    assert_eq!(rig.visit(&mut caller), Step::Poll);
    rig.land(&mut caller, 1, 6);
    assert_eq!(rig.told(&caller), Some(Ok(6)));
}

/// D18: also where several wait, though nobody was woken.
#[test]
fn each_load_is_polled_once_before_a_deadline_counts_woken_or_not() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(3)), ..patient(rules(), 5, OnTimeout::Fail) });
    let mut first = rig.wait(1);
    rig.now += 3;
    let (_second, mut third) = (rig.wait(1), rig.wait(1));
    rig.now += 1;
    assert_eq!(rig.visit(&mut first), Step::Wait, "nothing was woken");
    rig.now += 1;
    assert_eq!((rig.visit(&mut first), rig.effects.number), (Step::Poll, 1));
    assert_eq!((rig.pend(&mut first), rig.effects.number), (Step::Poll, 2));
    assert_eq!(rig.pend(&mut first), Step::Told);
    assert!(matches!(rig.hear(&mut first), Err(LoadError::LockTimeout)));
    rig.now += 3;
    assert_eq!(rig.visit(&mut third), Step::Poll);
    rig.land(&mut third, 1, 6);
    assert_eq!(rig.outcome(&mut third).value, 6, "an answer beats it");
}

/// P11, D5: a deadline that seems to have passed is looked at with the present time, and no other is.
#[test]
fn the_clock_is_read_again_when_a_deadline_may_have_passed() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Fail));
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    let look = |rig: &mut Rig, caller: &mut Caller, now| {
        let mut waiting = core::mem::replace(&mut caller.waiting, Waiting::new(0, at(0)));
        let visit = Visit { is_present: false, after: 1, ..visit_of(caller, &rig.rules, now, false) };
        let step = rig.shard.visit(&mut waiting, &visit, &mut rig.effects);
        caller.waiting = waiting;
        step
    };
    assert_eq!(look(&mut rig, &mut second, 1004), Step::Wait);
    assert_eq!(look(&mut rig, &mut second, 1005), Step::ReadClock);
    rig.now = 1002;
    assert_eq!(sleeps_until(&mut rig, &mut second), 1005, "the clock has jumped back");
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

/// D22: nor does who joins leave without a poll of the load.
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
    rig.land(&mut caller, 1, 6);
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

/// D21, D24: these bound everyone's wait.
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

/// D23, C103: what has come meanwhile is taken, fresh or just expired.
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
        assert_eq!(rig.census(), (0, 0, 0), "the load that nobody waits for any more is dropped (D24)");
    }
}

/// D23: not who asked to fail.
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

/// D25: alone it has no second timeout, and nobody overtakes it.
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

/// D12.
#[test]
fn one_queued_waiter_takes_over_when_the_age_passes_and_not_the_beginner() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    assert_eq!(sleeps_until(&mut rig, &mut first), u64::MAX, "a beginner does not take over from itself");
    assert_eq!(sleeps_until(&mut rig, &mut second), 1005);
    rig.now += 5;
    assert_eq!(sleeps_until(&mut rig, &mut first), u64::MAX);
    assert_eq!(sleeps_until(&mut rig, &mut second), u64::MAX);
    assert_eq!(sleeps_until(&mut rig, &mut third), 1010);
    assert_eq!([&first, &second, &third].map(Caller::own), [1, 2, 0]);
    assert_eq!(sleeps_until(&mut rig, &mut first), 1010, "from another it does");
    assert_eq!(rig.shard.flights.counts.takeovers, 1);
}

/// D10, D12.
#[test]
fn at_the_bound_nobody_takes_over_and_nobody_wakes_for_it() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 1, ..rules() });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert_eq!(sleeps_until(&mut rig, &mut second), u64::MAX);
    assert_eq!(second.own(), 0);
}

#[test]
fn who_has_no_means_does_not_wait_for_the_age() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let _first = rig.lend(1);
    let mut second = rig.seat_with(1, rig.rules.call(), None);
    rig.now += 5;
    for _ in 0..2 {
        assert_eq!(rig.visit_with(&mut second, None), Step::Wait);
        assert_eq!(rig.effects.until, Instant::NEVER);
    }
}

/// D16.
#[test]
fn when_a_lent_load_has_left_the_next_one_polled_leads_with_its_own() {
    let mut rig = Rig::new(rules());
    let owner = rig.lend(1);
    let (mut second, mut third) = (rig.wait(1), rig.wait(1));
    assert!(!rig.leave(owner));
    assert!(rig.wakes_somebody());
    assert_eq!(rig.visit(&mut second), Step::Make);
    assert_eq!((rig.effects.number, second.own(), second.load), (2, 2, Some(77)));
    assert_eq!(rig.visit(&mut third), Step::Wait, "a load is there");
    rig.land(&mut second, 2, 6);
    assert_eq!((rig.outcome(&mut second).status, rig.outcome(&mut third).status), (Status::Miss, Status::LockHit));
    assert_eq!(rig.shard.flights.counts.takeovers, 0, "nobody was overtaken");
}

/// D17: one after the other fails who cannot lead, and one who can does.
#[test]
fn when_a_lent_load_has_left_who_cannot_lead_fails() {
    let mut rig = Rig::new(Rules { has_loader: false, ..rules() });
    let owner = rig.lend(1);
    let (mut second, mut third) = (rig.seat_with(1, rig.rules.call(), None), rig.wait(1));
    rig.leave(owner);
    assert_eq!(rig.visit_with(&mut second, None), Step::Told);
    assert!(matches!(rig.hear(&mut second), Err(LoadError::NoLoader)));
    assert_eq!(rig.shard.counts.errors, 1);
    assert_eq!(rig.visit(&mut third), Step::Make);
}

/// D93, D1.
#[test]
fn an_attempt_fails_when_its_budget_is_used_up_from_its_claim() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    assert_eq!(sleeps_until(&mut rig, &mut first), 1005);
    rig.now += 4;
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(&mut rig, &mut second), 1005, "the budget is the attempt's, not the caller's");
    rig.now += 1;
    assert_eq!(rig.visit(&mut second), Step::Poll, "an answer would beat it (D18)");
    assert_eq!(rig.pend(&mut second), Step::Again);
    assert!(rig.wakes_somebody());
    assert_eq!(rig.effects.rest().loads, [1], "the load is dropped outside the lock");
    rig.rest(&mut second);
    for caller in [&mut first, &mut second] {
        assert!(rig.hear(caller).is_err_and(|error| error.is_budget_exceeded()));
    }
    assert_eq!(rig.shard.flights.counts.failed, 1);
}

/// D93, D9.
#[test]
fn an_attempt_over_its_budget_beside_a_newer_one_ends_its_beginners_call_alone() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(9)), lock_age: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    assert_eq!(second.own(), 2);
    rig.now += 4;
    assert_eq!(sleeps_until(&mut rig, &mut second), 1014, "the next budget");
    assert!(rig.wakes_somebody(), "its beginner");
    assert_eq!((rig.told(&first), rig.told(&second)), (Some(Err("over budget")), None));
    assert_eq!((rig.visit(&mut first), rig.error(&mut first)), (Step::Told, Some("over budget")));
}

/// D93, D14, D85: a load that was never made is over its budget, too, but none that has failed.
#[test]
fn an_attempt_over_its_budget_whose_load_was_never_made_is_no_load_that_failed() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), stale_while_refresh: Some(nanos(500)), ..rules() });
    rig.rules.has_loader = false;
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    assert_eq!(sleeps_until(&mut rig, &mut ticket), 1025);
    rig.now += 5;
    rig.poll(&mut ticket);
    assert_eq!(rig.error(&mut ticket), Some("over budget"));
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.begun, counts.failed, counts.in_flight()), (0, 0, 0));
}

/// D16, D85: who takes over gives up the load that it has lent before.
#[test]
fn a_lent_load_is_dropped_when_its_owner_begins_anew() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let mut owner = rig.lend(1);
    rig.now += 5;
    let second = rig.wait(1);
    assert_eq!(second.own(), 2);
    rig.now += 5;
    rig.poll(&mut owner);
    assert_eq!((owner.own(), rig.live(&owner)), (3, 2));
    assert_eq!((rig.shard.flights.counts.dropped, rig.shard.flights.counts.takeovers), (1, 2));
    rig.check_sums(&[&owner, &second]);
}
