//! Failures: which callers are told, what is kept, and what a stale value softens.

use super::*;

/// Error TTL, and values that may be served for 100 after they have expired.
fn kept() -> Rules {
    Rules { backoff: BACKOFF, stale_if_error: Some(nanos(100)), ..rules() }
}

fn refused(rig: &mut Rig, key: u32) -> Option<(&'static str, u64)> {
    match rig.arrive(key) {
        Found::Refused(LoadError::Failed(failure)) => {
            Some((*failure.error().expect("an error"), failure.retry_at().expect("a cached failure").as_nanos()))
        }
        Found::Seated(caller) => {
            rig.leave(caller);
            None
        }
        _ => None,
    }
}

/// P4: N waiters cost one load, and without error TTL a later caller starts afresh.
#[test]
fn a_failure_is_told_to_all_who_waited_and_to_nobody_later() {
    let mut rig = Rig::new(rules());
    let mut callers = [1; 5].map(|key| rig.wait(key));
    rig.fail(&mut callers[3], 1, "down");
    assert!(rig.wakes_somebody());
    for caller in &callers {
        assert_eq!(rig.told(caller), Some(Err("down")));
    }
    assert_eq!((rig.shard.failures.len(), rig.wait(1).own()), (0, 1));
    for caller in &mut callers {
        assert_eq!(rig.error(caller), Some("down"));
    }
    assert_eq!((rig.shard.counts.errors, rig.shard.flights.counts.begun), (5, 2));
}

/// P5: the others are told at once, by that one load.
#[test]
fn a_panic_is_told_to_all_who_waited() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.drive(&mut second, 1);
    rig.finish_with_failure(&mut second, 1, Failure::new(Cause::Panicked));
    assert!(rig.hear(&mut first).is_err_and(|error| error.is_panicked()));
    assert_eq!((rig.shard.flights.counts.panicked, rig.shard.flights.counts.failed), (1, 0));
    assert_eq!(rig.wait(1).own(), 1, "a later caller starts afresh");
}

/// D32, D1.
#[test]
fn within_the_error_ttl_the_same_error_is_given_and_nothing_is_loaded() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.load_fails(1, "down");
    rig.now += 9;
    assert_eq!(refused(&mut rig, 1), Some(("down", 1010)));
    assert_eq!((rig.shard.flights.counts.begun, rig.shard.counts.errors), (1, 1));
    assert!(matches!(rig.arrive(0), Found::Seated(_)), "another key of the same hash (P9)");
    rig.now += 1;
    assert!(matches!(rig.arrive(1), Found::Seated(_)));
}

/// D32.
#[test]
fn within_the_error_ttl_a_value_inside_stale_if_error_is_served_with_the_error_beside_it() {
    let mut rig = Rig::new(kept());
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.now += 5;
    rig.load_fails(1, "down");
    rig.now += 9;
    let outcome = rig.served(1);
    assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(9))), "age is measured when served (D33)");
    let error = outcome.error.expect("the error is visible");
    assert_eq!((error.error(), error.retry_at()), (Some(&"down"), Some(at(1015))));
    assert_eq!((rig.shard.counts.stale, rig.shard.counts.errors), (1, 0), "D86");
}

/// D32, D2.
#[test]
fn beyond_stale_if_error_the_error_is_given() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(3)), stale_while_refresh: Some(nanos(99)), ..kept() });
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.now += 5;
    rig.load_fails(1, "down");
    rig.now += 3;
    assert_eq!(rig.served(1).status, Status::Stale(nanos(3)), "inclusive");
    rig.now += 1;
    assert_eq!(refused(&mut rig, 1), Some(("down", 1015)));
}

/// D32: no load, so no ticket.
#[test]
fn within_the_error_ttl_a_stale_call_has_the_value_and_no_ticket() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(99)), backoff: BACKOFF, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(5)));
    rig.now += 5;
    rig.load_fails(1, "down");
    assert!(rig.arrive_stale(1).1.is_none());
    rig.now += 10;
    assert!(rig.arrive_stale(1).1.is_some());
}

/// D97.
#[test]
fn a_reload_ignores_a_kept_failure() {
    let mut rig = Rig::new(kept());
    rig.load_fails(1, "down");
    let call = Call { reload: true, ..rig.rules.call() };
    assert_eq!(rig.wait_with(1, call).waiting.first(), Status::Miss);
}

/// D31.
#[test]
fn the_delay_grows_with_each_failure_and_begins_anew_when_it_is_forgotten() {
    let mut rig = Rig::new(kept());
    for delay in [10, 20, 40, 40] {
        rig.load_fails(1, "down");
        assert_eq!(refused(&mut rig, 1), Some(("down", rig.now + delay)));
        rig.now += delay;
    }
    rig.now += 40;
    rig.load_fails(1, "down");
    assert_eq!(refused(&mut rig, 1), Some(("down", rig.now + 10)), "one more delay has passed");
}

/// D30, D31.
#[test]
fn every_success_and_every_write_erases_the_failure_and_its_count() {
    let erases: [fn(&mut Rig); 6] = [
        |rig| drop(rig.load(1, 6)),
        |rig| drop(rig.load(1, Loaded::new(6).ttl(Ttl::NotStored))),
        |rig| assert!(rig.insert(1, 6).is_some()),
        |rig| assert!(rig.insert(1, Loaded::new(6).ttl(Duration::ZERO)).is_none()),
        |rig| assert!(rig.remove(1).is_none()),
        |rig| drop(rig.shard.clear(at(rig.now), &mut rig.effects)),
    ];
    for erase in erases {
        let mut rig = Rig::new(kept());
        rig.load_fails(1, "down");
        rig.now += 10;
        erase(&mut rig);
        assert_eq!((rig.shard.failures.len(), refused(&mut rig, 1)), (0, None));
        rig.remove(1);
        rig.load_fails(1, "down");
        assert_eq!(refused(&mut rig, 1), Some(("down", rig.now + 10)), "the count is gone, too");
    }
}

/// D30: a dropped load is no failure and resets nothing.
#[test]
fn a_dropped_load_leaves_the_count_as_it_is() {
    let mut rig = Rig::new(kept());
    rig.load_fails(1, "down");
    rig.now += 10;
    let caller = rig.wait(1);
    rig.leave(caller);
    assert_eq!(rig.shard.failures.len(), 1);
    rig.load_fails(1, "down");
    assert_eq!(refused(&mut rig, 1), Some(("down", rig.now + 20)));
}

/// D27, D93.
#[test]
fn a_panic_and_a_budget_exceeded_are_kept_like_any_failure() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..kept() });
    let mut caller = rig.seat(1);
    rig.finish_with_failure(&mut caller, 1, Failure::new(Cause::Panicked));
    assert!(matches!(rig.arrive(1), Found::Refused(error) if error.is_panicked() && error.is_cached()));

    let mut caller = rig.wait(2);
    rig.now += 5;
    assert_eq!(rig.poll(&mut caller), Step::Told);
    assert!(rig.hear(&mut caller).is_err_and(|error| error.is_budget_exceeded() && !error.is_cached()));
    let Found::Refused(error) = rig.arrive(2) else { panic!("a kept failure") };
    assert!(error.is_cached() && error.failure().is_some_and(Failure::is_budget_exceeded));
}

/// D30: inside the capacity, unseen by direct reads and `len`.
#[test]
fn a_kept_failure_weighs_one_and_is_seen_by_lookups_alone() {
    let mut rig = Rig::new(kept());
    rig.load_fails(1, "down");
    assert_eq!((rig.shard.weight(), rig.shard.values.len()), (1, 0));
    assert!(rig.peek(1).is_none() && !rig.contains(1) && rig.get_if_present(1).is_none());
    assert_eq!(rig.copies().len(), 0);
}

/// P12, D30: a flood of failures does not drive out the values, nor a flood of values the failures.
#[test]
fn failures_have_an_eighth_of_the_capacity_to_themselves_and_no_more() {
    let backoff = Backoff { first: nanos(10_000), factor: Factor::ONE, cap: nanos(10_000), ..BACKOFF };
    let mut rig = Rig::with(80, Rules { backoff, ..rules() });
    for key in 0..200 {
        rig.insert(key, key);
    }
    assert_eq!((rig.shard.weight(), rig.shard.failures.len()), (80, 0), "unused, it is the values'");
    for key in 1000..1100 {
        rig.now += 1;
        rig.load_fails(key, "down");
        assert!(rig.shard.weight() <= 80);
    }
    assert_eq!((rig.shard.failures.len(), rig.shard.values.len()), (10, 70));
    for key in 200..400 {
        rig.insert(key, key);
        assert!(rig.shard.weight() <= 80);
    }
    assert_eq!((rig.shard.failures.len(), rig.shard.values.len()), (10, 70));
    for key in 1090..1100 {
        assert!(refused(&mut rig, key).is_some(), "the latest are kept");
    }
}

/// D47, D48: as heavy as the capacity is not too heavy.
#[test]
fn a_value_that_needs_all_there_is_drives_the_failures_out() {
    let mut rig = Rig::with(80, kept());
    for key in 1000..1010 {
        rig.load_fails(key, "down");
    }
    assert!(rig.insert(1, Loaded::new(5).weight(75)).is_some());
    assert_eq!((rig.shard.failures.len(), rig.shard.weight()), (5, 80));
    assert_eq!(rig.effects.rest().failures.len(), 5);
    assert!(rig.insert(2, Loaded::new(5).weight(81)).is_none());
    assert_eq!(rig.shard.failures.len(), 5, "what is refused drives nothing out");
    assert!(rig.insert(2, Loaded::new(5).weight(80)).is_some());
    assert_eq!((rig.shard.failures.len(), rig.shard.weight()), (0, 80));
}

/// D33.
#[test]
fn stale_if_error_gives_the_value_with_the_error_within_its_limit() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(100)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 60;
    let outcome = soften(&mut rig, 1, 50).expect("a stale value");
    assert_eq!((outcome.value, outcome.status, outcome.led), (5, Status::Stale(nanos(50)), false));
    assert_eq!(outcome.error.and_then(|failure| failure.error().copied()), Some("down"));
    assert_eq!(outcome.time_left, TimeLeft::For(Duration::ZERO), "it renews nothing");
    assert!(soften(&mut rig, 1, 49).is_err());
    let call = Call { stale_if_error: None, ..rig.rules.call() };
    assert!(soften_with(&mut rig, 1, call).is_err());
    assert_eq!((rig.shard.counts.stale, rig.shard.counts.errors), (1, 2));
    rig.remove(1);
    assert!(soften(&mut rig, 1, 100).is_err(), "a removed value is not revived");
}

/// D33: each waiting caller gets the value by its own limit, with its age when it is served.
#[test]
fn a_failure_is_softened_for_each_who_waited() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(100)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 60;
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    let mut strict = rig.wait_with(1, Call { stale_if_error: Some(nanos(50)), ..rig.rules.call() });
    rig.now += 5;
    assert_eq!(rig.fail(&mut first, 1, "down"), Step::Told);
    let outcome = rig.outcome(&mut first);
    assert_eq!(
        (outcome.value, outcome.status, outcome.led, outcome.waited),
        (5, Status::Stale(nanos(55)), true, nanos(5))
    );
    assert_eq!(outcome.error.as_ref().map(name_of), Some("down"));
    rig.now += 5;
    let outcome = rig.outcome(&mut second);
    assert_eq!((outcome.status, outcome.led, outcome.waited), (Status::Stale(nanos(60)), false, nanos(10)));
    assert_eq!(rig.error(&mut strict), Some("down"));
    assert_eq!((rig.shard.counts.stale, rig.shard.counts.errors, rig.shard.flights.counts.failed), (2, 1, 1));
}

/// D5, P11: a value is judged by the present time.
#[test]
fn a_failure_that_may_be_softened_is_told_by_the_present_time() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(100)), ..rules() });
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.fail(&mut first, 1, "down");
    let mut waiting = core::mem::replace(&mut second.waiting, Waiting::new(0, at(0)));
    let visit = Visit { is_present: false, ..visit_of(&second, &rig.rules, rig.now, true) };
    assert_eq!(rig.shard.visit(&mut waiting, &visit, &mut rig.effects), Step::ReadClock);
    second.waiting = waiting;
    assert_eq!(rig.error(&mut second), Some("down"));
}
