//! When a load is overtaken or over its budget, and which caller leads when it has left.

use super::*;

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

/// D10, D11: a caller held back by the bound hears when there is room, and no other caller does.
#[test]
fn who_is_held_back_by_the_bound_is_woken_when_there_is_room() {
    let writes: [fn(&mut Rig); 3] = [
        |rig| _ = rig.remove(1),
        |rig| _ = rig.shard.expire(hash(1), at(rig.now), |k| *k == 1, &mut rig.effects),
        |rig| drop(rig.shard.clear(at(rig.now), &mut rig.effects)),
    ];
    for write in writes {
        for (attempts, is_woken) in [(1, true), (2, false)] {
            let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts, ..rules() });
            let (_first, mut second, _other) = (rig.wait(1), rig.wait(1), rig.wait(5));
            rig.effects = Effects::default();
            write(&mut rig);
            assert_eq!(rig.wakes_somebody(), is_woken);
            rig.effects = Effects::default();
            write(&mut rig);
            assert!(!rig.wakes_somebody(), "once");
            assert_eq!(sleeps_until(&mut rig, &mut second), 1005);
        }
    }
}

/// D16: the same if a lent load goes with its caller.
#[test]
fn who_is_held_back_by_a_lent_load_is_woken_when_that_leaves() {
    for (attempts, is_woken) in [(2, true), (3, false)] {
        let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts, ..rules() });
        let owner = rig.lend(1);
        rig.now += 5;
        let (_second, mut third) = (rig.wait(1), rig.wait(1));
        rig.leave(owner);
        assert_eq!(rig.wakes_somebody(), is_woken);
        assert_eq!(sleeps_until(&mut rig, &mut third), 1010);
    }
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
    rig.finish(&mut second, 2, 6);
    assert_eq!((rig.outcome(&mut second).status, rig.outcome(&mut third).status), (Status::Miss, Status::LockHit));
    assert_eq!(rig.shard.flights.counts.takeovers, 0, "no load was overtaken");
}

/// D17: callers that cannot lead fail one after the other, and one that can leads.
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

/// D93, D14, D85: a load that was never made also goes over its budget, but does not count as failed.
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

/// D16, D85: a caller that takes over gives up the load that it has lent before.
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
