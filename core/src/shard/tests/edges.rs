//! Where two rules meet.

use super::*;
use crate::store::policy::GatedFifo;
use alloc::rc::Rc;

/// D47.
#[test]
fn a_weight_of_zero_counts_as_one() {
    let mut rig = Rig::with(3, rules());
    for key in 0..10 {
        rig.insert(key, Loaded::new(key).weight(0));
    }
    assert_eq!((rig.shard.values.len(), rig.shard.weight()), (3, 3));
    let mut rig = Rig::with(3, rules());
    for key in 0..10 {
        rig.load(key, Loaded::new(key).weight(0));
    }
    assert_eq!((rig.shard.values.len(), rig.shard.weight()), (3, 3));
}

/// D46, D47.
#[test]
fn a_capacity_of_zero_refuses_a_weight_of_zero() {
    let mut rig = Rig::with(0, rules());
    assert_eq!(rig.insert(1, Loaded::new(1).weight(0)), None);
}

/// D47
#[test]
fn sums_of_weights_saturate_when_a_value_grows() {
    let mut rig = Rig::with(u64::MAX, rules());
    rig.insert(1, Loaded::new(1).weight(u64::MAX - 1));
    rig.insert(2, Loaded::new(2).weight(1));
    rig.insert(2, Loaded::new(2).weight(u64::MAX));
    assert_eq!((rig.keys(), rig.shard.weight()), ([2].into(), u64::MAX));
}

/// D47, P12
#[test]
fn room_is_made_for_a_failure_beside_values_of_the_largest_weight() {
    let mut rig = Rig::with(u64::MAX, Rules { backoff: BACKOFF, ..rules() });
    rig.insert(1, Loaded::new(1).weight(u64::MAX));
    rig.load_fails(2, "down");
    assert_eq!((rig.keys().len(), rig.shard.weight()), (0, 1));
}

/// D31
#[test]
fn a_count_that_nothing_has_swept_out_is_forgotten_all_the_same() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.load_fails(1, "down");
    rig.load_fails(3, "down");
    rig.now += 10_000;
    // This call reclaims one failure, and that is the other one's.
    rig.load_fails(3, "down");
    let Arrival::Refused(error) = rig.arrive(3) else { panic!("a kept failure") };
    assert_eq!(error.failure().and_then(Failure::retry_at), Some(at(rig.now + 10)));
}

/// D31: however many are due at once.
#[test]
fn counts_that_nothing_has_swept_out_are_forgotten_all_the_same() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    for key in [1, 3, 5, 7, 9] {
        rig.load_fails(key, "down");
    }
    rig.now += 10_000;
    let mut again = 0;
    for key in [9, 7, 5, 3, 1] {
        rig.load_fails(key, "down");
        let Arrival::Refused(error) = rig.arrive(key) else { panic!("a kept failure") };
        again += u32::from(error.failure().and_then(Failure::retry_at) != Some(at(rig.now + 10)));
    }
    assert_eq!(again, 0);
}

/// D2, D56
#[test]
fn a_stale_value_at_its_very_limit_survives_the_look_of_another() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(50)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 60;
    let _other = rig.wait(3);
    assert_eq!(rig.arrive_stale(1).0, Status::Stale(nanos(50)));
}

/// D2: a limit of zero is that of the very instant.
#[test]
fn a_value_that_expires_now_softens_a_failure_of_now() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(0)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    rig.load_fails(1, "down");
    assert!(soften(&mut rig, 1, 0).is_ok());
}

/// D32
#[test]
fn within_the_error_ttl_a_stale_call_has_the_error_beside_the_value() {
    let mut rig = Rig::new(Rules {
        stale_while_refresh: Some(nanos(99)),
        stale_if_error: Some(nanos(99)),
        backoff: BACKOFF,
        ..rules()
    });
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.now += 5;
    rig.load_fails(1, "down");
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let Arrival::Served(outcome, None) = rig.arrive_with(1, &call, None) else { panic!("served") };
    assert!(outcome.error.is_some());
}

type Rich = Shard<Rc<u32>, u32, &'static str, u32, (), (), GatedFifo>;
/// P13
#[test]
fn an_insert_with_a_lifetime_of_zero_hands_out_both_keys() {
    let mut shard = Rich::new(10, Keeping::default());
    let rules = rules();
    let now = At { now: at(0), rules: &rules };
    let stored = Rc::new(1);
    let watch = Rc::downgrade(&stored);
    let mut effects = Effects::new();
    shard.insert(0, stored, Loaded::new(1), Judgement::default(), now, &mut effects);
    let mut effects = Effects::new();
    shard.insert(0, Rc::new(1), Loaded::new(1).ttl(Ttl::NotStored), Judgement::default(), now, &mut effects);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
    drop(effects);
    assert!(watch.upgrade().is_none());
}

/// P13
#[test]
fn a_failure_that_nobody_is_told_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    rig.now += 5;
    let second = rig.wait(1);
    assert!(matches!(rig.proceed(&mut first), Next::Drive(_)));
    rig.leave(first);
    let error = Arc::new("down");
    let watch = Arc::downgrade(&error);
    let now = At { now: at(rig.now), rules: &rig.rules };
    rig.effects = Effects::new();
    rig.shard.fail(&second.seat, 1, Failure::new(Cause::Error(error)), now, &mut rig.effects);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
}

/// P13
#[test]
fn a_failure_whose_beginner_leaves_untold_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    assert!(matches!(rig.proceed(&mut second), Next::Drive(_)));
    let error = Arc::new("down");
    let watch = Arc::downgrade(&error);
    let now = At { now: at(rig.now), rules: &rig.rules };
    rig.effects = Effects::new();
    rig.shard.fail(&second.seat, 1, Failure::new(Cause::Error(error)), now, &mut rig.effects);
    rig.effects = Effects::new();
    let left = rig.shard.flights.leave(first.seat);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
    drop(left);
}

/// P13
#[test]
fn a_load_handed_in_too_late_is_not_dropped_when_another_ends_in_the_same_visit() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..rules() });
    let mut waiting = rig.wait(1);
    assert!(matches!(rig.poll(&mut waiting), Next::Sleep(_)));
    rig.now += 5;
    let poll = AtPoll { after: 1, shared: false, reached: at(rig.now), is_present: true };
    let mut effects = Effects::new();
    effects.loads.push(50);
    let next: Step = rig.shard.proceed(&mut waiting, &poll, &rig.rules, || None, || (), &mut effects);
    assert!(matches!(next, Next::Again));
    assert_eq!(effects.loads.len(), 2);
}

/// D12, D16: where no load is in flight, there is nothing to take over.
#[test]
fn to_lead_a_vacant_flight_is_no_takeover() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let call = rig.rules.call();
    let Arrival::Seated(seat, first) = rig.arrive_with(1, &call, Some(Start::Lent)) else { panic!("no seat") };
    let owner = Waiting::new(hash(1), seat, &call, first, at(rig.now));
    let _second = rig.wait(1);
    rig.leave(owner);
    rig.now += 5;
    let mut third = rig.wait(1);
    assert!(matches!(rig.proceed(&mut third), Next::Again));
    assert_eq!(third.seat.began(), Some(2));
    assert_eq!(rig.shard.flights.counts.takeovers, 0);
}

/// D16: nor is there anything to flee from.
#[test]
fn nobody_loads_alone_for_a_vacant_flight() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let call = rig.rules.call();
    let Arrival::Seated(seat, first) = rig.arrive_with(1, &call, Some(Start::Lent)) else { panic!("no seat") };
    let owner = Waiting::new(hash(1), seat, &call, first, at(rig.now));
    let _second = rig.wait(1);
    rig.leave(owner);
    rig.now += 5;
    assert!(matches!(rig.arrive(1), Arrival::Seated(..)));
}

/// D30: room for a failure is made by the others.
#[test]
fn a_failure_is_not_the_victim_of_its_own_keeping() {
    let mut rig = Rig::with(8, Rules { backoff: BACKOFF, ..rules() });
    for delay in [10, 20, 0] {
        rig.load_fails(1, "down");
        rig.now += delay;
    }
    rig.load_fails(3, "down");
    assert!(matches!(rig.arrive(3), Arrival::Refused(_)));
}

/// D33: the value that a failure may be softened by is the last to make room for it.
#[test]
fn a_failure_does_not_drive_out_the_value_of_its_key() {
    let mut rig = Rig::with(2, Rules { backoff: BACKOFF, stale_if_error: Some(nanos(100)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.insert(2, Loaded::new(5));
    rig.now += 5;
    rig.load_fails(1, "down");
    assert!(soften(&mut rig, 1, 100).is_ok());
}
