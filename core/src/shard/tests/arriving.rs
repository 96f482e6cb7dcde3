//! What a caller finds who comes.

use super::*;

/// P1: the look and the claim are one step, so the second caller can only join.
#[test]
fn of_two_who_miss_one_leads_and_the_other_joins() {
    let mut rig = Rig::new(rules());
    let (first, second) = (rig.wait(1), rig.wait(1));
    assert_eq!((first.seat.began(), second.seat.began()), (Some(1), None));
    assert_eq!(rig.shard.flights.census(), (1, 2, 0));
    let other = rig.wait(0);
    assert_eq!(other.seat.began(), Some(1), "a key of the same hash has a load of its own (P9)");
}

/// D1.
#[test]
fn a_value_is_a_hit_until_its_deadline_and_expired_at_it() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 9;
    let outcome = rig.served(1);
    assert_eq!((outcome.value, outcome.status, outcome.age), (5, Status::Hit, nanos(9)));
    assert_eq!((outcome.time_left, outcome.led, outcome.attempt), (TimeLeft::For(nanos(1)), false, None));
    rig.now += 1;
    assert!(matches!(rig.arrive(1), Arrival::Seated(_, Status::Expired)));
    assert!(matches!(rig.arrive(2), Arrival::Seated(_, Status::Miss)));
}

/// D3.
#[test]
fn a_lifetime_that_saturates_is_forever() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(Duration::MAX));
    rig.now = u64::MAX;
    assert_eq!(rig.served(1).time_left, TimeLeft::Forever);
}

/// D4.
#[test]
fn a_clock_that_jumps_back_finds_values_of_the_future_fresh() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now = 0;
    let outcome = rig.served(1);
    assert_eq!((outcome.age, outcome.time_left), (Duration::ZERO, TimeLeft::For(nanos(1010))));
}

/// D97.
#[test]
fn a_reload_leads_although_the_value_is_fresh_and_joins_a_load_in_flight() {
    let mut rig = Rig::new(rules());
    rig.insert(1, 5);
    let call = Call { reload: true, ..rig.rules.call() };
    let first = rig.wait_with(1, call);
    let second = rig.wait_with(1, call);
    assert_eq!((first.seat.began(), second.seat.began()), (Some(1), None));
    assert_eq!(rig.served(1).value, 5, "others hit meanwhile");
    rig.shard.flights.check_out(&first.seat, 0, false, || ()).expect("a job");
    rig.answer(&first, 1, 6);
    assert_eq!((rig.outcome(&first).status, rig.served(1).value), (Status::Miss, 6));
}

/// D35: only the stale call can hand out the ticket.
#[test]
fn a_plain_lookup_is_never_served_a_stale_value() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    assert!(matches!(rig.arrive(1), Arrival::Seated(_, Status::Expired)));
}

/// D2.
#[test]
fn a_stale_value_is_served_up_to_its_limit_and_at_it() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 60;
    assert_eq!(rig.arrive_stale(1).0, Status::Stale(nanos(50)));
}

/// D57: until it ends.
#[test]
fn a_stale_hit_has_the_ticket_once() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 30;
    let (status, ticket) = rig.arrive_stale(1);
    assert_eq!(status, Status::Stale(nanos(20)));
    let ticket = ticket.expect("the first has the ticket");
    assert!(rig.arrive_stale(1).1.is_none(), "the others have the value alone");
    assert_eq!(rig.shard.counts.stale, 2);
    let joined = rig.wait(1);
    assert_eq!(joined.seat.began(), None, "who must have a fresh one joins the refresh");
    assert!(!rig.leave(ticket));
    assert!(rig.arrive_stale(1).1.is_none(), "it goes on while anyone waits (D58)");
    assert!(rig.leave(joined));
    assert!(rig.arrive_stale(1).1.is_some(), "dropped, its claim is free");
}

/// D2.
#[test]
fn beyond_its_limit_a_stale_value_is_not_served() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 61;
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    assert!(matches!(rig.arrive_with(1, &call, Some(Start::Fresh)), Arrival::Seated(..)));
}

/// D57.
#[test]
fn a_ticket_over_the_lock_age_is_handed_out_again_up_to_the_bound() {
    let swr = Some(nanos(500));
    let mut rig = Rig::new(Rules { stale_while_refresh: swr, lock_age: Some(nanos(5)), attempts: 2, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let first = rig.arrive_stale(1).1.expect("a ticket");
    rig.now += 4;
    assert!(rig.arrive_stale(1).1.is_none());
    rig.now += 1;
    let second = rig.arrive_stale(1).1.expect("an unpolled ticket ages, too (D11)");
    assert_eq!((first.seat.began(), second.seat.began()), (Some(1), Some(2)));
    rig.now += 5;
    assert!(rig.arrive_stale(1).1.is_none(), "the bound (D10)");
    assert_eq!(rig.shard.flights.counts.takeovers, 1);
}

/// D57: without error TTL.
#[test]
fn after_a_failed_refresh_the_value_stays_and_the_next_one_has_a_ticket() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(500)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    assert!(matches!(rig.proceed(&mut ticket), Next::Drive(_)));
    rig.fail(&ticket, 1, "down");
    rig.leave(ticket);
    let (status, ticket) = rig.arrive_stale(1);
    assert_eq!(status, Status::Stale(nanos(10)));
    assert!(ticket.is_some());
    assert_eq!(rig.shard.counts.errors, 0, "nobody asked for it by a lookup");
}

/// D1, D10, D11, P6.
#[test]
fn whoever_comes_over_the_lock_age_begins_a_newer_attempt_up_to_the_bound() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 2, ..rules() });
    let first = rig.wait(1);
    rig.now += 4;
    assert_eq!(rig.wait(1).seat.began(), None);
    rig.now += 1;
    let second = rig.wait(1);
    assert_eq!(second.seat.began(), Some(2), "the age is reached at the very instant");
    rig.now += 4;
    assert_eq!(rig.wait(1).seat.began(), None, "the age counts from the newest attempt");
    rig.now += 1;
    assert_eq!(rig.wait(1).seat.began(), None, "at the bound one joins and waits");
    rig.remove(1);
    assert_eq!(rig.wait(1).seat.began(), Some(1), "a write opens an epoch with a bound of its own");
    assert_eq!((first.seat.began(), rig.shard.flights.counts.takeovers), (Some(1), 1));
}

/// D25.
#[test]
fn over_age_callers_may_load_alone_instead() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let _first = rig.wait(1);
    assert_eq!(rig.wait(1).seat.began(), None);
    rig.now += 5;
    assert!(matches!(rig.arrive(1), Arrival::Alone(Status::Miss)));
    assert_eq!(rig.shard.flights.census().1, 2, "they have no seat");
}

/// D66, D67.
#[test]
fn who_polls_the_load_he_asks_for_is_refused_or_has_the_stale_value() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    let ask = |rig: &mut Rig| {
        let call = rig.rules.call();
        let asked = Asked { hash: hash(1), now: at(rig.now), rules: &rig.rules, call: &call };
        rig.shard.arrive(&asked, || 1, |k| *k == 1, || Some(Start::Fresh), |_| true, &mut rig.effects)
    };
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let _leader = rig.wait(1);
    let Arrival::Served(outcome, None) = ask(&mut rig) else { panic!("the stale value is served") };
    assert_eq!(outcome.status, Status::Stale(nanos(10)));
    rig.now += 100;
    assert!(matches!(ask(&mut rig), Arrival::Refused(LoadError::Reentrant)));
    assert_eq!((rig.shard.counts.errors, rig.shard.flights.census().1), (1, 1));
}

/// D49: hits reclaim as well, and no call reclaims more than a constant.
#[test]
fn any_calls_reclaim_what_is_due_a_little_at_a_time() {
    let mut rig = Rig::new(rules());
    for key in 0..40 {
        rig.insert(key, Loaded::new(key).ttl(nanos(10)));
    }
    rig.insert(90, 1);
    rig.now += 10;
    let mut held = rig.shard.values.len();
    for _ in 0..40 {
        rig.served(90);
        let now = rig.shard.values.len();
        assert!(held - now <= RECLAIM && (now < held || now == 1));
        held = now;
    }
    assert_eq!((held, rig.shard.values.counts.expired), (1, 40));
    assert_eq!(rig.shard.first_due(), None);
}

/// D49.
#[test]
fn a_sweep_reclaims_values_and_failures_that_are_due_and_no_others() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.load_fails(1, "down");
    rig.insert(2, Loaded::new(5).ttl(nanos(15)));
    rig.insert(3, Loaded::new(5).ttl(nanos(99)));
    assert_eq!((rig.shard.first_due(), rig.shard.weight()), (Some(at(1015)), 3));
    rig.now += 20;
    let mut swept = 0;
    loop {
        match rig.shard.reclaim(at(rig.now), 64, &mut Effects::new()) {
            0 => break,
            count => swept += count,
        }
    }
    assert_eq!((swept, rig.shard.first_due(), rig.shard.weight()), (2, Some(at(1099)), 1));
}
