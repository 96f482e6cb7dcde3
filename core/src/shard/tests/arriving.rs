//! What a new caller finds.

use super::*;

/// P1: the look and the claim are one step, so the second caller can only join.
#[test]
fn of_two_who_miss_one_leads_and_the_other_joins() {
    let mut rig = Rig::new(rules());
    let (first, second) = (rig.seat(1), rig.seat(1));
    assert_eq!((first.own(), second.own()), (1, 0));
    assert_eq!((first.step, second.step), (Step::Make, Step::Wait));
    assert_eq!(rig.census(), (1, 2, 1));
    let other = rig.wait(0);
    assert_eq!(other.own(), 1, "a key of the same hash has a load of its own (P9)");
}

/// D1.
/// D85: it is counted where it is seen, unless something has expired: then a closer look reclaims that, and counts.
#[test]
fn a_lookup_that_finds_nothing() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    assert_eq!(rig.shard.hit_or_miss(hash(2), at(rig.now), |k| *k == 2), Err(false));
    assert_eq!(rig.shard.counts.misses, 1);
    rig.now += 10;
    assert_eq!(rig.shard.hit_or_miss(hash(2), at(rig.now), |k| *k == 2), Err(true));
    assert_eq!(rig.shard.counts.misses, 1);
}

/// P11, D2: a value that is held beyond its end is no hit, though it is not due yet; a fresh one beside it is.
#[test]
fn what_is_held_beyond_its_end_is_no_hit() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(100)), hold: Some(nanos(100)), ..rules() });
    let hit = |rig: &mut Rig, key: u32| rig.shard.hit(hash(key), at(rig.now), |k| *k == key);
    for (key, ttl) in [(1, 10), (2, 30)] {
        rig.insert(key, Loaded::new(5).ttl(nanos(ttl)));
    }
    rig.now += 10;
    assert_eq!((hit(&mut rig, 1), hit(&mut rig, 2)), (None, Some(5)));
    rig.now += 20;
    assert_eq!((hit(&mut rig, 1), hit(&mut rig, 2)), (None, None));
}

#[test]
fn a_value_is_a_hit_until_its_deadline_and_expired_at_it() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 9;
    let outcome = rig.served(1);
    assert_eq!((outcome.value, outcome.status, outcome.age), (5, Status::Hit, nanos(9)));
    assert_eq!((outcome.time_left, outcome.led, outcome.attempt), (TimeLeft::For(nanos(1)), false, None));
    assert_eq!(rig.shard.hit(hash(1), at(rig.now), |k| *k == 1), Some(5));
    rig.now += 1;
    assert_eq!(rig.shard.hit(hash(1), at(rig.now), |k| *k == 1), None);
    assert_eq!(rig.wait(1).waiting.first(), Status::Expired);
    assert_eq!(rig.wait(2).waiting.first(), Status::Miss);
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
    assert_eq!((outcome.age, outcome.time_left), (Duration::ZERO, TimeLeft::For(nanos(10))));
}

/// D97.
#[test]
fn a_reload_leads_although_the_value_is_fresh_and_joins_a_load_in_flight() {
    let mut rig = Rig::new(rules());
    rig.insert(1, 5);
    let call = Call { reload: true, ..rig.rules.call() };
    let mut first = rig.wait_with(1, call);
    let second = rig.wait_with(1, call);
    assert_eq!((first.own(), second.own()), (1, 0));
    assert_eq!(rig.served(1).value, 5, "others hit meanwhile");
    rig.answer(&mut first, 1, 6);
    assert_eq!((rig.outcome(&mut first).status, rig.served(1).value), (Status::Miss, 6));
}

/// D35: only the stale call can hand out the ticket.
#[test]
fn a_plain_lookup_is_never_served_a_stale_value() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    assert_eq!(rig.wait(1).waiting.first(), Status::Expired);
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
    assert_eq!(joined.own(), 0, "a caller that needs a fresh one joins the refresh");
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
    assert!(matches!(rig.arrive_with(1, call, Some(Start::Made)), Found::Seated(_)));
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
    assert_eq!((first.own(), second.own()), (1, 2));
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
    assert_eq!(rig.visit(&mut ticket), Step::MakeShared);
    rig.finish_with_failure(&mut ticket, 1, failure("down"));
    assert_eq!(rig.error(&mut ticket), Some("down"));
    let (status, ticket) = rig.arrive_stale(1);
    assert_eq!(status, Status::Stale(nanos(10)));
    assert!(ticket.is_some());
    assert_eq!(rig.shard.counts.errors, 0, "no lookup asked for it");
}

/// D1, D10, D11, P6.
#[test]
fn whoever_comes_over_the_lock_age_begins_a_newer_attempt_up_to_the_bound() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 2, ..rules() });
    let first = rig.wait(1);
    rig.now += 4;
    assert_eq!(rig.wait(1).own(), 0);
    rig.now += 1;
    let second = rig.wait(1);
    assert_eq!(second.own(), 2, "the age is reached at the very instant");
    rig.now += 4;
    assert_eq!(rig.wait(1).own(), 0, "the age counts from the newest attempt");
    rig.now += 1;
    assert_eq!(rig.wait(1).own(), 0, "at the bound it joins and waits");
    rig.remove(1);
    assert_eq!(rig.wait(1).own(), 1, "a write opens an epoch with a bound of its own");
    assert_eq!((first.own(), rig.shard.flights.counts.takeovers), (1, 1));
}

/// D25.
#[test]
fn over_age_callers_may_load_alone_instead() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let first = rig.wait(1);
    assert_eq!(rig.wait(1).own(), 0);
    rig.now += 5;
    let mut alone = rig.seat(1);
    assert!(alone.waiting.is_alone && alone.step == Step::Make);
    assert_eq!(rig.shard.flights.slot(&first.waiting.seat).flight.seats(), 2, "they have no seat in it");
    assert_eq!(rig.rest(&mut alone), Step::Wait);
    rig.answer(&mut alone, 1, 6);
    let outcome = rig.outcome(&mut alone);
    assert_eq!((outcome.status, outcome.attempt, outcome.generation), (Status::Miss, None, None), "unnumbered");
    assert_eq!((rig.told(&first), rig.peek(1).is_none()), (None, true), "neither shared nor stored");
}

/// D66, D67.
#[test]
fn who_polls_the_load_it_asks_for_is_refused_or_has_the_stale_value() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let leader = rig.seat(1);
    assert_eq!(leader.step, Step::Make);
    let ask = |rig: &mut Rig| {
        let caller = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
        rig.come(Caller { waker: leader.waker.clone(), ..caller })
    };
    let Found::Served(outcome) = ask(&mut rig) else { panic!("the stale value is served") };
    assert_eq!(outcome.status, Status::Stale(nanos(10)));
    rig.now += 100;
    assert!(matches!(ask(&mut rig), Found::Refused(LoadError::Reentrant)));
    assert_eq!((rig.shard.counts.errors, rig.census().1), (1, 1));
}

/// D66: each time a load is polled, by its own caller or another, made or lent; not while it rests.
#[test]
fn a_caller_that_polls_a_load_is_inside_it_and_others_wait() {
    let mut rig = Rig::new(rules());
    let ask = |rig: &mut Rig, waker: Waker| {
        let caller = Caller::new(1, rig.rules.call(), None, rig.now);
        rig.come(Caller { waker, ..caller })
    };
    let mut owner = rig.lend(1);
    let Found::Seated(mut other) = ask(&mut rig, owner.waker.clone()) else { panic!("it rests") };
    rig.visit(&mut owner);
    assert_eq!(owner.step, Step::Lent);
    assert!(matches!(ask(&mut rig, owner.waker.clone()), Found::Refused(LoadError::Reentrant)));
    assert!(matches!(ask(&mut rig, other.waker.clone()), Found::Refused(LoadError::Reentrant)), "the same waker");
    other.waker = Waker::from(Arc::<Count>::default());
    let Found::Seated(third) = ask(&mut rig, other.waker.clone()) else { panic!("it is another's") };
    rig.rest(&mut owner);
    rig.leave(third);
    rig.leave(owner);
    // It leads, with the waker of all.
    assert_eq!(rig.visit(&mut other), Step::Make);
    let all = rig.effects.waker.clone().expect("it is shared");
    assert!(matches!(ask(&mut rig, all), Found::Refused(LoadError::Reentrant)));
}

/// D17: a caller that would have to begin a load and cannot fails; the loads of others are joined.
#[test]
fn without_a_loader_a_plain_call_joins_what_is_in_flight_and_else_fails() {
    let mut rig = Rig::new(Rules { has_loader: false, stale_while_refresh: Some(nanos(50)), ..rules() });
    let call = rig.rules.call();
    assert!(matches!(rig.arrive_with(1, call, None), Found::Refused(LoadError::NoLoader)));
    assert_eq!((rig.census(), rig.shard.counts.errors), ((0, 0, 0), 1), "nothing stays behind");
    let mut leader = rig.wait(1);
    let mut joined = rig.seat_with(1, call, None);
    rig.rest(&mut joined);
    rig.answer(&mut leader, 1, Loaded::new(6).ttl(nanos(10)));
    assert_eq!((rig.outcome(&mut joined).value, rig.served(1).value), (6, 6));
    rig.now += 10;
    assert!(matches!(rig.arrive_with(1, call, None), Found::Refused(LoadError::NoLoader)), "expired");
    let stale = Call { takes: Takes::Ticket, ..call };
    let Found::Served(outcome) = rig.arrive_with(1, stale, None) else { panic!("it has no ticket to give") };
    assert_eq!(outcome.status, Status::Stale(nanos(0)));
}

/// D17, D25: nor can a caller that must load for itself.
#[test]
fn without_a_loader_nobody_loads_alone() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let _first = rig.wait(1);
    rig.now += 5;
    assert!(matches!(rig.arrive_with(1, rig.rules.call(), None), Found::Refused(LoadError::NoLoader)));
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
    assert_eq!(rig.shard.first_due(), Some(Instant::NEVER));
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
        match rig.shard.reclaim(at(rig.now), 64, &mut Effects::default()) {
            0 => break,
            count => swept += count,
        }
    }
    assert_eq!((swept, rig.shard.first_due(), rig.shard.weight()), (2, Some(at(1099)), 1));
}
