//! Loads that are claimed and never made, or dropped before they have answered.

use super::*;

/// A call unwinds with a load that it claimed and never began: a waiting caller leads.
#[test]
fn a_load_that_is_abandoned_leaves_its_keys_to_those_who_wait() {
    let (mut rig, _batch, [mut first, mut second], places) = pair(rules());
    let mut joined = rig.wait(1);
    rig.abandon(&places[0]);
    assert!(rig.wakes_somebody());
    rig.unlock();
    assert_eq!((first.woken(), joined.woken(), second.woken()), (1, 1, 0));
    assert_eq!(rig.visit(&mut joined), Step::Make);
    assert_eq!((joined.own(), rig.visit(&mut first)), (2, Step::Wait));
    rig.finish(&mut joined, 2, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut joined).value), (5, 5));
    rig.abandon(&places[1]);
    assert_eq!(
        rig.visit_with(&mut second, Some(Start::Batch)),
        Step::Gathered,
        "it leads with another load of many keys"
    );
    assert_eq!((second.own(), rig.shard.flights.counts.dropped, rig.census()), (2, 2, (1, 1, 1)));
}

/// P2, P13: a caller that joined meanwhile leaves no waker behind, and its waker is dropped outside the lock.
#[test]
fn a_load_that_is_abandoned_knows_nobody_who_has_joined() {
    let (mut rig, batch, _second, places) = left_alone(rules());
    let joined = rig.wait(1);
    rig.abandon(&places[0]);
    rig.unlock();
    assert_eq!(joined.woken(), 1);
    let count = Arc::clone(&joined.count);
    assert!(rig.leave(joined));
    rig.effects = Effects::default();
    assert_eq!(Arc::strong_count(&count), 1, "only this test holds it");
    drop(batch);
}

#[test]
fn a_load_that_is_abandoned_beside_another_wakes_nobody() {
    let (mut rig, _batches, callers, places) = with_two_loads();
    rig.abandon(&places[0]);
    assert!(!rig.wakes_somebody());
    assert_eq!((rig.live(&callers[0]), rig.census()), (1, (1, 2, 1)));
    rig.abandon(&places[0]);
    assert_eq!(rig.shard.flights.counts.dropped, 1, "once");
    rig.abandon(&places[1]);
    assert!(rig.wakes_somebody());
}

/// D10: but it wakes a caller that was held back by it.
#[test]
fn a_load_that_is_abandoned_at_the_bound_makes_room() {
    let (mut rig, _batches, callers, places) = with_two_loads();
    rig.rules.attempts = 2;
    let mut third = rig.wait(1);
    rig.abandon(&places[0]);
    assert!(rig.wakes_somebody());
    rig.now += 5;
    assert_eq!((rig.visit(&mut third), third.own()), (Step::Batch, 0), "what is there is asked first");
    rig.rest(&mut third);
    assert_eq!((third.own(), rig.live(&callers[1])), (3, 2));
}

/// A call unwinds with a load that it claimed and did not make.
#[test]
fn a_load_that_was_not_made_is_made_by_who_drives_it_first() {
    let mut rig = Rig::new(rules());
    let mut first = rig.seat(1);
    assert_eq!(first.step, Step::Make);
    let mut joined = rig.wait(1);
    let place = place_of(&first);
    rig.effects = Effects::default();
    rig.shard.unmake(&place, &mut rig.effects);
    assert!(rig.wakes_somebody());
    assert_eq!((rig.shard.flights.counts.unmade, rig.live(&first)), (1, 1));
    rig.shard.unmake(&place, &mut rig.effects);
    assert_eq!(rig.shard.flights.counts.unmade, 1, "once");
    assert_eq!(rig.visit(&mut joined), Step::MakeShared);
    assert_eq!((joined.number, rig.shard.flights.counts.begun), (1, 2));
    rig.pend(&mut joined);
    rig.effects = Effects::default();
    rig.shard.unmake(&place, &mut rig.effects);
    assert!(!rig.wakes_somebody(), "it is made by now");
    rig.answer(&mut first, 1, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut joined).value), (5, 5));
    rig.shard.unmake(&place, &mut rig.effects);
    let counts = &rig.shard.flights.counts;
    assert_eq!((counts.begun - counts.unmade, rig.census()), (1, (0, 0, 0)), "its flight is over");
}

/// P2, D39: the key is written after the claim of a load, before that becomes one of many.
#[test]
fn a_load_whose_key_was_inserted_meanwhile_becomes_no_part() {
    let mut rig = Rig::new(Rules { stores_surplus: true, ..rules() });
    let mut caller = rig.seat(1);
    assert_eq!(caller.step, Step::Make);
    rig.insert(1, 9);
    let batch = Together::new();
    assert!(batch.await_key());
    let seat = caller.waiting.seat.at_attempt(1);
    rig.shard.become_part(&seat, (batch, None), None, &mut rig.effects);
    assert!(rig.shard.flights.slot(&caller.waiting.seat).parts.is_empty(), "its flight is over");
    assert_eq!((rig.outcome(&mut caller).value, rig.census()), (9, (0, 0, 0)));
    let next = rig.wait(2);
    assert!(rig.shard.flights.slot(&next.waiting.seat).parts.is_empty(), "nothing of it shows in the next");
}
