//! The answer of a load of many keys for each of them.

use super::*;

#[test]
fn an_answer_for_each_key_is_stored_and_told_and_the_load_is_awaited_less_and_less() {
    let (mut rig, batch, mut callers, places) = pair(rules());
    assert_eq!((batch.awaited(), rig.census()), (Some(2), (2, 2, 2)));
    rig.now += 3;
    for (count, (caller, place)) in callers.iter_mut().zip(&places).enumerate() {
        rig.deliver(place, Ok(5 + count as u32));
        assert_eq!(batch.awaited(), Some(1 - count as u32));
        assert_eq!(rig.idle(), count, "it is idle with the last key");
        let outcome = rig.outcome(caller);
        assert_eq!((outcome.value, outcome.status, outcome.attempt), (5 + count as u32, Status::Miss, Some(1)));
        assert_eq!((outcome.led, outcome.waited), (true, nanos(3)));
    }
    assert_eq!((rig.served(1).value, rig.served(2).value), (5, 6));
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.begun, counts.succeeded, rig.census()), (2, 2, (0, 0, 0)));
}

/// D62, P13: the load itself is a clone that is dropped outside the lock.
#[test]
fn a_key_that_is_settled_gives_its_load_back_to_be_dropped() {
    let (mut rig, batch, _callers, places) = pair(rules());
    rig.deliver(&places[0], Ok(5));
    let rest = rig.effects.rest();
    assert!(rest.batches.iter().all(|given| given.is(&batch)) && rest.batches.len() == 1);
    assert!(rest.idle.is_empty());
}

/// D62: "its answer is stored for each of them".
#[test]
fn an_answer_for_a_key_that_nobody_waits_for_is_stored_and_ends_its_flight() {
    let (mut rig, batch, _second, places) = left_alone(rules());
    rig.deliver(&places[0], Ok(5));
    assert!(!rig.wakes_somebody() && rig.idle() == 0);
    assert_eq!((batch.awaited(), rig.served(1).value, rig.census()), (Some(1), 5, (1, 1, 1)));
    assert_eq!(rig.effects.rest().values, [] as [u32; 0]);
    rig.deliver(&places[0], Ok(6));
    assert_eq!(rig.effects.rest().values, [6], "once");
    assert_eq!((rig.served(1).value, rig.shard.flights.counts.succeeded), (5, 1));
}

#[test]
fn a_key_may_be_a_part_of_two_loads_and_the_first_answer_ends_both() {
    for answers in [0, 1] {
        let (mut rig, batches, mut callers, places) = with_two_loads();
        assert_eq!((batches[0].awaited(), batches[1].awaited()), (Some(1), Some(1)));
        rig.deliver(&places[answers], Ok(5));
        assert_eq!((batches[0].awaited(), batches[1].awaited(), rig.idle()), (Some(0), Some(0), 2));
        rig.deliver(&places[1 - answers], Ok(6));
        assert_eq!(rig.effects.rest().values, [6]);
        let told = callers.each_mut().map(|caller| rig.outcome(caller).value);
        let counts = rig.shard.flights.counts;
        assert_eq!((told, counts.succeeded, counts.dropped, rig.census()), ([5, 5], 1, 1, (0, 0, 0)));
    }
}

/// P8, D65: a write detaches its key alone.
#[test]
fn what_is_delivered_after_a_write_is_told_and_not_stored() {
    let (mut rig, batch, [mut first, mut second], places) = pair(rules());
    rig.remove(1);
    assert_eq!(batch.awaited(), Some(2), "it is waited for still");
    let after = rig.seat(1);
    assert_eq!((after.step, after.own()), (Step::Make, 1), "what was begun before is not joined");
    rig.deliver(&places[0], Ok(5));
    rig.deliver(&places[1], Ok(6));
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut second).value), (5, 6));
    assert_eq!((rig.peek(1).is_none(), rig.served(2).value, rig.census()), (true, 6, (1, 1, 1)));
}

#[test]
fn what_is_delivered_after_a_write_and_waited_for_by_nobody_is_dropped() {
    for news in [Ok(5), Err("down")] {
        let (mut rig, _batch, _second, places) = left_alone(Rules { backoff: BACKOFF, ..rules() });
        rig.remove(1);
        assert_eq!(rig.census(), (2, 1, 2));
        rig.deliver(&places[0], news);
        let rest = rig.effects.rest();
        assert_eq!((rest.values.len(), rest.errors.len()), if news.is_ok() { (1, 0) } else { (0, 1) });
        assert_eq!((rig.peek(1).is_none(), rig.shard.failures.len(), rig.census()), (true, 0, (1, 1, 1)));
    }
}

/// D39, P2: an insertion is the answer for the callers that wait, and ends a flight without callers.
#[test]
fn an_insert_ends_the_part_of_a_load() {
    let (mut rig, batch, [mut first, _second], places) = pair(rules());
    rig.insert(1, 9);
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0));
    rig.deliver(&places[0], Ok(5));
    assert_eq!(rig.effects.rest().values, [5]);
    assert_eq!((rig.outcome(&mut first).value, rig.served(1).value, rig.census()), (9, 9, (1, 1, 1)));

    let (mut rig, batch, _second, places) = left_alone(rules());
    rig.insert(1, 9);
    assert_eq!((batch.awaited(), rig.idle(), rig.census()), (Some(1), 0, (1, 1, 1)), "nothing stays behind");
    rig.deliver(&places[0], Ok(5));
    assert_eq!((rig.served(1).value, rig.census()), (9, (1, 1, 1)));
}

#[test]
fn what_is_delivered_where_another_flight_is_by_now_does_nothing() {
    for news in [Ok(5), NONE] {
        let (mut rig, _batch, second, places) = left_alone(rules());
        rig.deliver(&places[0], Ok(4));
        rig.remove(1);
        let mut other = rig.wait(1);
        assert_eq!((other.own(), places[0].began), (1, 1), "the same place, and the same number");
        rig.deliver(&places[0], news);
        rig.abandon(&places[0]);
        assert_eq!((rig.told(&other), rig.live(&other)), (None, 1));
        rig.answer(&mut other, 1, 7);
        assert_eq!((rig.outcome(&mut other).value, rig.served(1).value), (7, 7));
        rig.leave(second);
    }
}

/// D49: places move, and the answers for them still find them.
#[test]
fn what_is_delivered_finds_its_flights_after_a_burst() {
    let (mut rig, batch) = (Rig::with(1000, rules()), Together::new());
    let burst: Vec<Caller> = (0..400).map(|key| rig.wait(key)).collect();
    let mut callers = [500, 501].map(|key| leads(&mut rig, key, &batch));
    let places = callers.each_ref().map(place_of);
    let gone = leads(&mut rig, 502, &batch);
    let lost = place_of(&gone);
    rig.leave(gone);
    burst.into_iter().for_each(|caller| assert!(rig.leave(caller)));
    rig.deliver(&lost, Ok(7));
    rig.deliver(&places[0], Ok(5));
    rig.abandon(&places[1]);
    assert_eq!((rig.outcome(&mut callers[0]).value, rig.served(502).value), (5, 7));
    assert_eq!(
        (rig.visit_with(&mut callers[1], Some(Start::Batch)), callers[1].own(), rig.census().0),
        (Step::Gathered, 2, 1)
    );
}

/// D61, D32: a failure of one key is kept, whether a caller waits for it or not.
#[test]
fn a_part_that_fails_is_its_keys_failure() {
    let (mut rig, batch, [mut first, mut second], places) = pair(Rules { backoff: BACKOFF, ..rules() });
    rig.deliver(&places[0], NONE);
    assert!(rig.wakes_somebody());
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0));
    assert_eq!((rig.error(&mut first), rig.told(&second)), (Some("down"), None));
    assert_eq!((rig.shard.failures.len(), rig.shard.flights.counts.failed, rig.census()), (1, 1, (1, 1, 1)));
    rig.deliver(&places[1], NONE);
    assert_eq!((rig.error(&mut second), rig.idle(), rig.shard.counts.errors), (Some("down"), 0, 2));

    let (mut rig, _batch, _second, places) = left_alone(Rules { backoff: BACKOFF, ..rules() });
    rig.deliver(&places[0], NONE);
    assert_eq!((rig.shard.failures.len(), rig.shard.flights.counts.failed, rig.census()), (1, 1, (1, 1, 1)));
    rig.deliver(&places[0], NONE);
    assert_eq!((rig.effects.rest().errors.len(), rig.shard.flights.counts.failed), (1, 1), "once");
}

/// D9.
#[test]
fn a_part_that_fails_beside_another_load_ends_its_beginners_wait_alone() {
    let (mut rig, batches, [mut first, mut second], places) = with_two_loads();
    let joined = rig.wait(1);
    rig.deliver(&places[0], NONE);
    assert_eq!((batches[0].awaited(), batches[1].awaited(), rig.idle()), (Some(0), Some(1), 1));
    assert_eq!((rig.told(&first), rig.told(&second), rig.told(&joined)), (Some(NONE), None, None));
    assert_eq!(rig.error(&mut first), Some("down"));
    rig.deliver(&places[1], Ok(5));
    assert_eq!(rig.outcome(&mut second).value, 5);
}

/// D9, P2: the caller that began it has left, so no caller is told.
#[test]
fn a_part_that_fails_when_its_beginner_has_left_is_told_to_nobody() {
    let (mut rig, _batches, callers, places) = with_two_loads();
    callers.into_iter().for_each(|caller| assert!(!rig.leave(caller)));
    rig.deliver(&places[0], NONE);
    assert_eq!(rig.effects.rest().errors.len(), 1, "the failure is dropped");
    assert_eq!(rig.census(), (1, 0, 1));
    rig.deliver(&places[1], NONE);
    assert_eq!((rig.shard.flights.counts.failed, rig.census()), (2, (0, 0, 0)));
}

/// D93: the budget is the key's; the load goes on for its other keys.
#[test]
fn a_part_over_its_budget_fails_and_the_load_goes_on() {
    let (mut rig, batch, [mut first, mut second], places) = pair(Rules { budget: Some(nanos(5)), ..rules() });
    assert_eq!((rig.poll(&mut first), rig.effects.until), (Step::Wait, at(1005)));
    let mut joined = rig.wait(2);
    rig.now += 5;
    assert_eq!(rig.poll(&mut first), Step::Told);
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0));
    assert_eq!(rig.error(&mut first), Some("over budget"));
    assert_eq!(rig.visit(&mut joined), Step::Batch, "an answer would beat it (D18)");
    assert!(joined.driven.as_ref().is_some_and(|driven| driven.is(&batch)));
    assert_eq!((rig.shard.flights.counts.failed, rig.told(&second)), (1, None));
    rig.deliver(&places[0], Ok(4));
    assert_eq!((rig.effects.rest().values.len(), rig.peek(1).is_none()), (1, true), "too late (D19)");
    assert_eq!(rig.look(&mut joined, false), Step::Again);
    assert_eq!((batch.awaited(), rig.idle()), (Some(0), 1), "no caller needs it any more");
    assert_eq!((rig.error(&mut second), rig.error(&mut joined)), (Some("over budget"), Some("over budget")));
    assert_eq!(rig.census(), (0, 0, 0));
    assert!(batch.close());
    rig.abandon(&places[1]);
    assert_eq!(rig.shard.flights.counts.dropped, 0, "it has failed, and is not dropped as well");
}

/// D25: it is outside the flight and so not stored, although it is one of many.
#[test]
fn who_loads_alone_may_do_so_in_a_load_of_many_keys() {
    let rules = Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() };
    let (mut rig, batch) = (Rig::new(rules), Together::new());
    let _first = rig.wait(1);
    rig.now += 5;
    let mut alone = leads(&mut rig, 1, &batch);
    assert!(alone.waiting.is_alone);
    let place = place_of(&alone);
    rig.deliver(&place, Ok(5));
    assert_eq!((rig.outcome(&mut alone).value, rig.peek(1).is_none(), rig.idle()), (5, true, 0));

    let alone = leads(&mut rig, 1, &batch);
    let place = place_of(&alone);
    assert!(!rig.leave(alone));
    assert_eq!((rig.idle(), batch.close()), (1, true));
    rig.abandon(&place);
    assert_eq!(rig.census(), (1, 1, 1));
}
