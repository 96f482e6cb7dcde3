//! What a caller is told, and what he does when a deadline passes.

use super::*;

fn sleeps_until(step: Step) -> u64 {
    match step {
        Next::Sleep(deadline) => deadline.as_nanos(),
        _ => panic!("there is something to do"),
    }
}

fn patient(rules: Rules, patience: u64, then: OnTimeout) -> Rules {
    Rules { lock_timeout: Some((nanos(patience), then)), ..rules }
}

/// D7.
#[test]
fn who_began_has_the_status_of_his_first_look_and_all_others_lock_hit() {
    let rules = Rules { lock_age: Some(nanos(5)), stale_if_error: Some(nanos(99)), ..rules() };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    let mut first = rig.wait(1);
    rig.now += 3;
    let joined = rig.wait(1);
    rig.now += 2;
    let second = rig.wait(1);
    assert!(matches!(rig.poll(&mut first), Next::Sleep(_)));
    rig.now += 4;
    rig.answer(&first, 2, Loaded::new(6).ttl(nanos(100)));
    rig.now += 50;
    let told = [&first, &second, &joined].map(|waiting| rig.outcome(waiting));
    assert_eq!(told.each_ref().map(|outcome| outcome.status), [Status::Expired, Status::Expired, Status::LockHit]);
    assert_eq!(told.each_ref().map(|outcome| outcome.led), [true, true, false]);
    assert_eq!(told.each_ref().map(|outcome| outcome.waited.as_nanos()), [9, 4, 6], "each from his own first poll");
    for outcome in &told {
        assert_eq!((outcome.value, outcome.attempt, outcome.age), (6, Some(2), Duration::ZERO));
        assert_eq!(outcome.time_left, TimeLeft::For(nanos(100)));
    }
    let counts = rig.shard.counts;
    assert_eq!((counts.expired, counts.joined, counts.misses), (2, 1, 0));
}

/// D18: an answer beats a timeout of the same instant.
#[test]
fn the_load_is_driven_before_any_deadline_is_looked_at() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..patient(rules(), 5, OnTimeout::Fail) });
    let mut waiting = rig.wait(1);
    rig.now += 5;
    assert!(matches!(rig.proceed(&mut waiting), Next::Drive(_)));
    rig.answer(&waiting, 1, 6);
    assert_eq!(rig.told(&waiting), Some(Ok(6)));
}

/// D22.
#[test]
fn a_timeout_of_zero_polls_the_load_once_and_then_acts() {
    let mut rig = Rig::new(patient(rules(), 0, OnTimeout::Fail));
    let mut waiting = rig.wait(1);
    assert!(matches!(rig.proceed(&mut waiting), Next::Drive(_)));
    rig.shard.flights.check_in(&waiting.seat, 1, 1, false);
    let next = rig.proceed_with(&mut waiting, 1, None);
    assert!(matches!(next, Next::Leave(Err(LoadError::LockTimeout))));
    assert_eq!((rig.shard.counts.timeouts, rig.shard.counts.errors), (1, 1));
}

/// D22.
#[test]
fn a_timeout_without_end_waits() {
    let rules = Rules { lock_timeout: Some((Duration::MAX, OnTimeout::Fail)), ..rules() };
    let mut rig = Rig::new(rules);
    let mut waiting = rig.wait(1);
    rig.now = u64::MAX;
    assert_eq!(sleeps_until(rig.poll(&mut waiting)), u64::MAX);
}

/// D21, P7.
#[test]
fn who_has_waited_too_long_begins_an_attempt_of_his_own_and_then_waits_on() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Load));
    let mut first = rig.wait(1);
    rig.now += 3;
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(rig.poll(&mut first)), u64::MAX, "the beginner is not bounded");
    assert_eq!(sleeps_until(rig.poll(&mut second)), 1008, "it counts from his own first poll");
    rig.now = 1008;
    assert_eq!(sleeps_until(rig.poll(&mut second)), u64::MAX, "no second timeout");
    assert_eq!((second.seat.began(), rig.shard.counts.timeouts), (Some(2), 1));
    rig.answer(&first, 1, 6);
    assert_eq!(rig.outcome(&second).status, Status::Miss, "the first success ends the wait of both (D8)");
}

/// D10.
#[test]
fn who_has_waited_too_long_at_the_bound_fails() {
    let mut rig = Rig::new(Rules { attempts: 1, ..patient(rules(), 5, OnTimeout::Load) });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert!(matches!(rig.poll(&mut second), Next::Leave(Err(LoadError::LockTimeout))));
}

/// D21, D24: these bound everyone's wait.
#[test]
fn who_asked_for_a_bound_fails_at_it_though_he_began_the_load() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Fail));
    let mut first = rig.wait(1);
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(rig.poll(&mut first)), 1005);
    rig.now += 5;
    assert!(matches!(rig.poll(&mut first), Next::Leave(Err(LoadError::LockTimeout))));
    assert!(!rig.leave(first), "the load is left to the others");
    rig.now -= 1;
    assert!(matches!(rig.proceed(&mut second), Next::Drive(_)));
}

/// D23.
#[test]
fn a_stale_value_ends_the_wait_if_it_is_within_the_limit_for_refreshing() {
    let rules = Rules { stale_while_refresh: Some(nanos(50)), ..patient(rules(), 5, OnTimeout::Stale) };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 55;
    let mut waiting = rig.wait(1);
    rig.now += 5;
    let Next::Leave(Ok(outcome)) = rig.poll(&mut waiting) else { panic!("a stale value is there") };
    assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(50))));
    assert_eq!((outcome.waited, outcome.led), (nanos(5), true));
    assert_eq!((rig.shard.counts.stale, rig.shard.counts.timeouts, rig.shard.counts.errors), (1, 1, 0));
    let mut late = rig.wait(1);
    rig.now += 5;
    assert!(matches!(rig.poll(&mut late), Next::Leave(Err(LoadError::LockTimeout))), "and else no load");
}

/// D25, D21.
#[test]
fn who_may_load_alone_does_so_unless_he_began_the_load() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::LoadAlone));
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert!(matches!(rig.poll(&mut first), Next::Sleep(Instant::NEVER)));
    assert!(matches!(rig.poll(&mut second), Next::Alone(Status::Miss, _)));
    assert_eq!(rig.shard.flights.seated(&first.seat).live(), 1, "outside the flight");
}

/// D12.
#[test]
fn one_queued_waiter_takes_over_when_the_age_passes_and_not_the_beginner() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    assert_eq!(sleeps_until(rig.poll(&mut first)), u64::MAX, "a beginner does not take over from himself");
    assert_eq!(sleeps_until(rig.poll(&mut second)), 1005);
    rig.now += 5;
    assert_eq!(sleeps_until(rig.poll(&mut first)), u64::MAX);
    assert_eq!(sleeps_until(rig.poll(&mut second)), u64::MAX);
    assert_eq!(sleeps_until(rig.poll(&mut third)), 1010);
    assert_eq!([&first, &second, &third].map(|waiting| waiting.seat.began()), [Some(1), Some(2), None]);
    assert_eq!(sleeps_until(rig.poll(&mut first)), 1010, "from another he does");
    assert_eq!(rig.shard.flights.counts.takeovers, 1);
}

/// D10, D12.
#[test]
fn at_the_bound_nobody_takes_over_and_nobody_wakes_for_it() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 1, ..rules() });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    assert_eq!(sleeps_until(rig.poll(&mut second)), u64::MAX);
    assert_eq!(second.seat.began(), None);
}

#[test]
fn who_has_no_means_does_not_wait_for_the_age_again() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let _first = rig.arrive_with(1, &rig.rules.call(), Some(Start::Lent));
    let mut second = rig.wait(1);
    rig.now += 5;
    assert_eq!(sleeps_until(rig.proceed_with(&mut second, 0, None)), u64::MAX);
    assert_eq!(sleeps_until(rig.proceed_with(&mut second, 0, None)), u64::MAX);
}

/// D16.
#[test]
fn when_a_lent_load_has_left_the_next_one_polled_leads_with_his_own() {
    let mut rig = Rig::new(rules());
    let call = rig.rules.call();
    let Arrival::Seated(seat, first) = rig.arrive_with(1, &call, Some(Start::Lent)) else { panic!("no seat") };
    let owner = Waiting::new(hash(1), seat, &call, first, at(rig.now));
    let (mut second, mut third) = (rig.wait(1), rig.wait(1));
    assert!(!rig.leave(owner));
    assert!(matches!(rig.proceed(&mut second), Next::Again));
    let Next::Drive(job) = rig.proceed(&mut third) else { panic!("a load is there") };
    assert!(matches!(job.work, Work::Poll(77)) && job.number == 2);
    rig.answer(&third, 2, 6);
    assert_eq!((rig.outcome(&second).status, rig.outcome(&third).status), (Status::Miss, Status::LockHit));
    assert_eq!(rig.shard.flights.counts.takeovers, 0, "nobody was overtaken");
}

/// D93, D1.
#[test]
fn an_attempt_fails_when_its_budget_is_used_up_from_its_claim() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    assert_eq!(sleeps_until(rig.poll(&mut first)), 1005);
    rig.now += 4;
    let mut second = rig.wait(1);
    assert_eq!(sleeps_until(rig.poll(&mut second)), 1005, "the budget is the attempt's, not the caller's");
    rig.now += 1;
    assert!(matches!(rig.poll(&mut second), Next::Again));
    assert_eq!(rig.effects.loads, [1], "the load is to be dropped outside the lock");
    assert!(rig.effects.wake.is_some());
    for waiting in [&first, &second] {
        let told = rig.shard.told(waiting).expect("a verdict");
        assert!(told.is_err_and(|failure| failure.is_budget_exceeded()));
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
    rig.now += 4;
    assert_eq!(sleeps_until(rig.poll(&mut second)), 1014, "the next budget");
    assert_eq!((rig.told(&first), rig.told(&second)), (Some(Err("over budget")), None));
    assert!(matches!(rig.proceed(&mut first), Next::Drive(_)), "he may yet drive before he is told");
}
