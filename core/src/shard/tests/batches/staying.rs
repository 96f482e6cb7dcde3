//! What keeps a load of many keys, and what goes with the last caller.

use super::*;

/// D62: all its keys are in flight, also those whose callers have left.
#[test]
fn a_key_whose_callers_have_left_is_kept_and_who_comes_joins() {
    let (mut rig, batch, _second, places) = left_alone(rules());
    assert_eq!((batch.awaited(), rig.idle(), rig.census()), (Some(1), 0, (2, 1, 2)));
    let mut joined = rig.wait(1);
    assert_eq!((joined.own(), joined.load, batch.awaited()), (0, None, Some(2)));
    assert_eq!((rig.shard.flights.counts.begun, rig.shard.counts.misses), (2, 0), "it begins nothing");
    rig.deliver(&places[0], Ok(5));
    assert!(rig.wakes_somebody());
    let outcome = rig.outcome(&mut joined);
    assert_eq!((outcome.value, outcome.status, outcome.led), (5, Status::LockHit, false));
    assert_eq!((batch.awaited(), rig.served(1).value, rig.census()), (Some(1), 5, (1, 1, 1)));
}

#[test]
fn a_load_is_idle_when_the_last_key_is_left_and_then_dropped() {
    let (mut rig, batch, second, places) = left_alone(rules());
    let again = rig.wait(1);
    assert!(!rig.leave(second));
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0), "a later caller counts as well");
    assert!(!rig.leave(again));
    let idle = rig.effects.take_idle_batches();
    assert!(matches!(&*idle, [only] if only.is(&batch)), "told of once");
    assert_eq!((batch.awaited(), rig.census()), (Some(0), (2, 0, 2)), "until the load is dropped");
    assert!(batch.close());
    for (left, place) in [1, 0].into_iter().zip(&places) {
        rig.abandon(place);
        assert!(!rig.wakes_somebody() && rig.idle() == 0);
        assert_eq!(rig.effects.rest().keys.len(), 1, "its key is dropped outside the lock");
        assert_eq!(rig.census(), (left, 0, left as u64));
    }
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.begun, counts.dropped, rig.shard.counts.errors), (2, 2, 0), "no failure (P4)");
    assert_eq!(rig.seat(1).step, Step::Make, "the key is free");
}

#[test]
fn a_key_with_several_callers_is_awaited_once() {
    let (mut rig, batch, [first, second], _places) = pair(rules());
    let joined = rig.wait(1);
    assert_eq!(batch.awaited(), Some(2));
    rig.leave(second);
    rig.leave(first);
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0));
    rig.leave(joined);
    assert_eq!((batch.awaited(), rig.idle()), (Some(0), 1));
}

#[test]
fn who_comes_before_an_idle_load_is_dropped_keeps_it() {
    let (mut rig, batch, second, places) = left_alone(rules());
    rig.leave(second);
    assert_eq!(rig.idle(), 1);
    let mut joined = rig.wait(1);
    assert!(!batch.close());
    rig.deliver(&places[0], Ok(5));
    assert_eq!((rig.outcome(&mut joined).value, rig.idle()), (5, 0));
    rig.deliver(&places[1], Ok(6));
    assert_eq!((rig.served(2).value, rig.census()), (6, (0, 0, 0)));
}

/// Another thread is dropping the load, and has not come to this key yet.
#[test]
fn who_comes_to_a_load_that_is_being_dropped_leads() {
    let (mut rig, batch, second, places) = left_alone(Rules { lock_age: Some(nanos(5)), ..rules() });
    rig.leave(second);
    assert!(batch.close());
    let mut joined = rig.seat(1);
    assert_eq!((joined.step, joined.own(), rig.live(&joined)), (Step::Make, 2, 1));
    assert_eq!((rig.shard.flights.counts.dropped, rig.shard.flights.counts.takeovers), (1, 0));
    for place in &places {
        rig.abandon(place);
    }
    assert_eq!((rig.live(&joined), rig.census()), (1, (1, 1, 1)), "it is not its load");
    rig.finish(&mut joined, 2, 7);
    assert_eq!((rig.outcome(&mut joined).value, rig.census()), (7, (0, 0, 0)));
    rig.deliver(&places[0], Ok(5));
    assert_eq!((rig.served(1).value, batch.awaited()), (7, None));
}

#[test]
fn with_one_of_two_loads_dropped_the_other_one_goes_on() {
    for closed in [0, 1] {
        let (mut rig, batches, callers, places) = with_two_loads();
        // Another key of the load that goes on.
        let _other = leads(&mut rig, 3, &batches[1 - closed]);
        callers.into_iter().for_each(|caller| assert!(!rig.leave(caller)));
        assert_eq!((batches[closed].awaited(), batches[1 - closed].awaited()), (Some(0), Some(1)));
        assert!(batches[closed].close());
        let joined = rig.wait(1);
        assert_eq!((joined.own(), batches[1 - closed].awaited()), (0, Some(2)), "it is awaited once");
        rig.abandon(&places[closed]);
        assert!(!rig.leave(joined));
        assert_eq!((batches[1 - closed].awaited(), rig.idle()), (Some(1), 0));
        rig.deliver(&places[1 - closed], Ok(5));
        assert_eq!((rig.served(1).value, rig.census()), (5, (1, 1, 1)));
    }
}

/// P2: a caller that leaves leaves no waker behind.
#[test]
fn who_leaves_leaves_no_waker_with_the_load() {
    let (mut rig, batch, _second, _places) = left_alone(rules());
    let joined = rig.wait(1);
    let count = Arc::clone(&joined.count);
    assert!(!rig.leave(joined));
    rig.effects = Effects::default();
    assert_eq!(Arc::strong_count(&count), 1, "only this test holds it");
    batch.waker().wake();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
}

/// P2: a load that is no part of a load of many keys still goes with its last caller.
#[test]
fn a_load_beside_the_part_is_dropped_with_the_last_caller() {
    let (mut rig, batch, [first, _second], places) = pair(Rules { lock_age: Some(nanos(5)), ..rules() });
    rig.now += 5;
    let other = rig.wait(1);
    assert_eq!((other.own(), rig.census()), (2, (2, 3, 3)));
    rig.leave(first);
    assert!(!rig.leave(other));
    assert_eq!(rig.effects.rest().loads, [77]);
    assert_eq!((batch.awaited(), rig.shard.flights.counts.dropped, rig.census()), (Some(1), 1, (2, 1, 2)));
    let mut joined = rig.wait(1);
    assert_eq!((joined.own(), joined.load, rig.live(&joined)), (0, None, 1));
    rig.deliver(&places[0], Ok(5));
    assert_eq!(rig.outcome(&mut joined).value, 5);
}

/// D16, P3: a lent load leaves with its caller; a later caller must not wait for it.
#[test]
fn a_lent_load_beside_the_part_is_gone_with_its_caller() {
    let (mut rig, _batch, [first, _second], places) = pair(Rules { lock_age: Some(nanos(5)), ..rules() });
    rig.leave(first);
    rig.now += 5;
    let owner = rig.lend(1);
    assert_eq!(owner.own(), 2);
    assert!(!rig.leave(owner));
    assert_eq!((rig.shard.flights.counts.dropped, rig.census()), (1, (2, 1, 2)));
    let mut joined = rig.wait(1);
    rig.deliver(&places[0], NONE);
    assert_eq!(rig.error(&mut joined), Some("down"));
    assert_eq!(rig.census(), (1, 1, 1));
}

/// D94: a spawner finishes a load of many keys as well, for the last caller of any of them.
#[test]
fn the_last_of_all_keys_leaves_a_load_that_is_worth_finishing() {
    let (mut rig, batch, [mut first, mut second], places) = pair(rules());
    (first.waiting.may_hand_over, second.waiting.may_hand_over) = (true, true);
    rig.leave(first);
    assert!(rig.effects.take_handed().is_none(), "others wait for it");
    rig.leave(second);
    let (hash, seat) = rig.effects.take_handed().expect("a seat");
    assert_eq!((hash, batch.awaited(), rig.idle(), seat.began), (super::super::hash(2), Some(1), 0, 0));
    let mut spawned = Caller::new(2, rig.rules.call(), None, rig.now);
    spawned.waiting.seat = seat;
    spawned.waiting.make_quiet();
    assert_eq!(rig.visit_with(&mut spawned, None), Step::Batch);
    rig.deliver(&places[1], Ok(6));
    rig.deliver(&places[0], Ok(5));
    assert_eq!((rig.outcome(&mut spawned).value, rig.served(1).value, rig.census()), (6, 5, (0, 0, 0)));
}

#[test]
fn a_key_that_was_written_is_not_worth_finishing() {
    let (mut rig, batch, mut second, _places) = left_alone(rules());
    second.waiting.may_hand_over = true;
    rig.remove(2);
    rig.leave(second);
    assert!(rig.effects.take_handed().is_none());
    assert_eq!((batch.awaited(), rig.idle()), (Some(0), 1));
}
