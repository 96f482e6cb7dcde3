//! Where two rules meet.

use super::*;
use crate::store::policy::GatedFifo;
use alloc::rc::{Rc, Weak};
use core::cell::RefCell;

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

fn retry_at(rig: &mut Rig, key: u32) -> Option<Instant> {
    let Found::Refused(error) = rig.arrive(key) else { panic!("a kept failure") };
    error.failure().and_then(Failure::retry_at)
}

/// D31
#[test]
fn a_count_that_nothing_has_swept_out_is_forgotten_all_the_same() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.load_fails(1, "down");
    rig.load_fails(3, "down");
    rig.now += 10_000;
    // This call reclaims one failure, that of the other key.
    rig.load_fails(3, "down");
    assert_eq!(retry_at(&mut rig, 3), Some(at(rig.now + 10)));
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
        again += u32::from(retry_at(&mut rig, key) != Some(at(rig.now + 10)));
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

/// D2: a limit of zero means the exact instant.
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
    let Found::Served(outcome) = rig.arrive_with(1, call, None) else { panic!("served") };
    assert!(outcome.error.is_some());
}

type Rich = Shard<Rc<u32>, u32, &'static str, Plain, GatedFifo>;
/// P13
#[test]
fn an_insert_with_a_lifetime_of_zero_hands_out_both_keys() {
    let mut shard = Rich::new(Allowance::alone(10), Keeping::default(), Links::new());
    let rules = rules();
    let now = At { now: at(0), rules: &rules };
    let stored = Rc::new(1);
    let watch = Rc::downgrade(&stored);
    let mut effects = Effects::default();
    shard.insert(0, &mut Some((stored, Loaded::new(1))), Judgement::default(), now, &mut effects);
    let mut effects = Effects::default();
    let mut brief = Some((Rc::new(1), Loaded::new(1).ttl(Ttl::NotStored)));
    shard.insert(0, &mut brief, Judgement::default(), now, &mut effects);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
    drop(effects);
    assert!(watch.upgrade().is_none());
}

/// P13, D17
#[test]
fn a_key_that_nobody_can_load_is_handed_out_to_be_dropped() {
    /// Knows the key that was last made of it.
    struct Asked(RefCell<Weak<u32>>);
    impl AsKey<Rc<u32>> for Asked {
        fn is(&self, key: &Rc<u32>) -> bool {
            **key == 1
        }

        fn to_key(&self) -> Rc<u32> {
            let key = Rc::new(1);
            self.0.replace(Rc::downgrade(&key));
            key
        }
    }
    let mut shard = Rich::new(Allowance::alone(10), Keeping::default(), Links::new());
    let (rules, key) = (rules(), Asked(RefCell::default()));
    let call = rules.call();
    let visit = Visit {
        key: Some(&key),
        waker: Waker::noop(),
        rules: &rules,
        call: &call,
        start: None,
        is_by_loader: false,
        batch: None,
        inside: Waker::noop(),
        reached: at(0),
        is_present: true,
        wants_value: false,
        arrives_only: false,
        is_first: true,
    };
    let mut effects = Effects::default();
    assert_eq!(shard.arrive(&mut Waiting::new(0, at(0)), &visit, &mut effects), Step::Told);
    assert!(matches!(effects.told, Some(Err(LoadError::NoLoader))));
    assert!(key.0.borrow().upgrade().is_some(), "dropped under the lock");
    drop(effects);
    assert!(key.0.borrow().upgrade().is_none());
}

/// P13
#[test]
fn a_failure_that_nobody_is_told_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    rig.leave(first);
    rig.drive(&mut second, 1);
    let error = Arc::new("down");
    let watch = Arc::downgrade(&error);
    rig.fail_unheard(&second, 1, Failure::new(Cause::Error(error)));
    assert!(watch.upgrade().is_some(), "dropped under the lock");
}

/// P13
#[test]
fn a_failure_whose_beginner_leaves_untold_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    rig.drive(&mut second, 1);
    let error = Arc::new("down");
    let watch = Arc::downgrade(&error);
    rig.fail_unheard(&second, 1, Failure::new(Cause::Error(error)));
    rig.leave(first);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
    rig.effects = Effects::default();
    assert!(watch.upgrade().is_none());
}

/// P13: nor is a failure that is not kept, or that came too late.
#[test]
fn a_failure_that_its_last_caller_never_heard_of_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(rules());
    let caller = rig.seat(1);
    let error = Arc::new("down");
    let watch = Arc::downgrade(&error);
    rig.fail_unheard(&caller, 1, Failure::new(Cause::Error(Arc::clone(&error))));
    let effects = core::mem::take(&mut rig.effects);
    drop(effects);
    rig.fail_unheard(&caller, 1, Failure::new(Cause::Error(error)));
    let late = core::mem::take(&mut rig.effects);
    assert_eq!(watch.strong_count(), 2, "the verdict, and the failure that came too late");
    drop(late);
    rig.leave(caller);
    assert!(watch.upgrade().is_some(), "dropped under the lock");
    rig.effects = Effects::default();
    assert!(watch.upgrade().is_none());
}

/// P13
#[test]
fn a_load_handed_in_too_late_is_not_dropped_when_another_ends_in_the_same_visit() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), lock_age: Some(nanos(3)), ..rules() });
    let mut first = rig.seat(1);
    rig.now += 3;
    let mut second = rig.wait(1);
    rig.now += 2;
    rig.visit(&mut second);
    rig.rest(&mut second);
    assert_eq!(rig.told(&first), Some(Err("over budget")), "while it is polled");
    rig.effects = Effects::default();
    rig.now += 3;
    first.waiting.seat.began = 0;
    first.load = Some(50);
    rig.pend(&mut first);
    rig.rest(&mut first);
    let mut loads = core::mem::take(&mut rig.effects.rest().loads);
    loads.sort_unstable();
    assert_eq!(loads, [50, 77]);
}

/// D12, D16: where no load is in flight, there is nothing to take over.
#[test]
fn to_lead_a_vacant_flight_is_no_takeover() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let owner = rig.lend(1);
    let _second = rig.wait(1);
    rig.leave(owner);
    rig.now += 5;
    let third = rig.wait(1);
    assert_eq!(third.own(), 2);
    assert_eq!(rig.shard.flights.counts.takeovers, 0);
}

/// D16: nor is there a load to avoid.
#[test]
fn nobody_loads_alone_for_a_vacant_flight() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let owner = rig.lend(1);
    let _second = rig.wait(1);
    rig.leave(owner);
    rig.now += 5;
    let third = rig.seat(1);
    assert!(!third.waiting.is_alone && third.own() == 2);
}

/// D30: other failures make room for a failure.
#[test]
fn a_failure_is_not_the_victim_of_its_own_keeping() {
    let mut rig = Rig::with(8, Rules { backoff: BACKOFF, ..rules() });
    for delay in [10, 20, 0] {
        rig.load_fails(1, "down");
        rig.now += delay;
    }
    rig.load_fails(3, "down");
    assert!(matches!(rig.arrive(3), Found::Refused(_)));
}

/// D33: a value that a failure may be softened by is the last to make room for it.
#[test]
fn a_failure_does_not_drive_out_the_value_of_its_key() {
    let mut rig = Rig::with(2, Rules { backoff: BACKOFF, stale_if_error: Some(nanos(100)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.insert(2, Loaded::new(5));
    rig.now += 5;
    rig.load_fails(1, "down");
    assert!(soften(&mut rig, 1, 100).is_ok());
}
