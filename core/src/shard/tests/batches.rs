//! Keys whose load is one of many: who keeps it, who drives it, and what it brings for each (D62).

use super::*;

/// The places of the keys of a load, by which it is delivered.
type Places = Vec<Seat<Bell>>;

/// A caller who begins this load for a key.
fn leads(rig: &mut Rig, key: u32, batch: &Together) -> Caller {
    leads_with(rig, key, rig.rules.call(), batch)
}

fn leads_with(rig: &mut Rig, key: u32, call: Call, batch: &Together) -> Caller {
    let mut caller = Caller::new(key, call, Some(Start::Batch), rig.now);
    (caller.is_by_loader, caller.batch) = (false, Some(batch.clone()));
    match rig.come(caller) {
        Found::Seated(caller) => {
            assert_eq!(caller.step, Step::Wait, "its call drives the load");
            caller
        }
        _ => panic!("no seat"),
    }
}

fn place_of(caller: &Caller) -> Seat<Bell> {
    caller.waiting.seat.place_only()
}

/// One load of the keys 1 and 2, and whoever began it.
fn pair(rules: Rules) -> (Rig, Together, [Caller; 2], Places) {
    let (mut rig, batch) = (Rig::new(rules), Together::new());
    let callers = [1, 2].map(|key| leads(&mut rig, key, &batch));
    let places = callers.iter().map(place_of).collect();
    (rig, batch, callers, places)
}

/// The same, and all have left but who waits for key 2.
fn left_alone(rules: Rules) -> (Rig, Together, Caller, Places) {
    let (mut rig, batch, [first, second], places) = pair(rules);
    assert!(!rig.leave(first), "its flight stays");
    (rig, batch, second, places)
}

impl Rig {
    /// The load of many keys has this for one of them.
    pub(super) fn deliver(&mut self, place: &Seat<Bell>, news: Result<impl Into<Loaded<u32>>, &'static str>) {
        let news = news.map(|loaded| News::new(loaded.into(), Judgement::default())).map_err(failure);
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::default();
        self.shard.deliver(place, news, at, &mut self.effects);
    }

    pub(super) fn abandon(&mut self, place: &Seat<Bell>) {
        self.effects = Effects::default();
        self.shard.abandon(place, &mut self.effects);
    }

    /// How many loads of many keys nobody waits for since the last step.
    fn idle(&mut self) -> usize {
        self.effects.take_idle_batches().len()
    }

    /// How many callers wait in this flight.
    fn seats_at(&mut self, place: &Seat<Bell>) -> u32 {
        self.shard.flights.slot(place).flight.seats()
    }
}

const NONE: Result<u32, &str> = Err("down");

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
fn a_load_is_idle_when_the_last_key_is_left_and_then_dropped() {
    let (mut rig, batch, second, places) = left_alone(rules());
    let again = rig.wait(1);
    assert!(!rig.leave(second));
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0), "who came later counts as well");
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

/// The load is being dropped by another thread, which has not come to this key yet.
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
    rig.land(&mut joined, 2, 7);
    assert_eq!((rig.outcome(&mut joined).value, rig.census()), (7, (0, 0, 0)));
    rig.deliver(&places[0], Ok(5));
    assert_eq!((rig.served(1).value, batch.awaited()), (7, None));
}

/// D63: a caller whose load of many keys takes too long begins another one, which is one of many as well.
fn with_two_loads() -> (Rig, [Together; 2], [Caller; 2], Places) {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 3, ..rules() });
    let batches = [Together::new(), Together::new()];
    let first = leads(&mut rig, 1, &batches[0]);
    rig.now += 5;
    let second = leads(&mut rig, 1, &batches[1]);
    assert_eq!((first.own(), second.own(), rig.shard.flights.counts.takeovers), (1, 2, 1));
    let places = [&first, &second].map(place_of).into();
    (rig, batches, [first, second], places)
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

/// What a call has claimed and never begun, as it unwinds: whoever waits leads.
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
    rig.land(&mut joined, 2, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut joined).value), (5, 5));
    rig.abandon(&places[1]);
    assert_eq!(rig.visit_with(&mut second, Some(Start::Batch)), Step::Wait, "it leads with another load of many keys");
    assert_eq!((second.own(), rig.shard.flights.counts.dropped, rig.census()), (2, 2, (1, 1, 1)));
}

/// P2, P13: who joined meanwhile is not heard of any more, and its waker is dropped outside the lock.
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
    assert_eq!(Arc::strong_count(&count), 1, "nobody but this test holds it");
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

/// D39, P2: an insert is the answer, for those who wait, and ends a flight where nobody does.
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

/// D49: places move, and what is loaded for them finds them.
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
        (Step::Wait, 2, 1)
    );
}

/// D61, D32: a failure of one key is kept, whether anybody waits for it or not.
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

/// D9, P2: whoever began it has left, so nobody is told.
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
    assert_eq!(rig.effects.until, at(1005));
    rig.now += 5;
    assert_eq!(rig.visit(&mut first), Step::Batch, "an answer would beat it (D18)");
    assert!(first.driven.as_ref().is_some_and(|driven| driven.is(&batch)));
    assert_eq!(rig.look(&mut first, false), Step::Again);
    assert_eq!((batch.awaited(), rig.idle()), (Some(1), 0));
    assert_eq!(rig.error(&mut first), Some("over budget"));
    assert_eq!((rig.shard.flights.counts.failed, rig.told(&second)), (1, None));
    rig.deliver(&places[0], Ok(4));
    assert_eq!((rig.effects.rest().values.len(), rig.peek(1).is_none()), (1, true), "too late (D19)");
    rig.visit(&mut second);
    assert_eq!(rig.look(&mut second, false), Step::Again);
    assert_eq!((batch.awaited(), rig.idle()), (Some(0), 1), "nobody needs it any more");
    assert_eq!((rig.error(&mut second), rig.census()), (Some("over budget"), (0, 0, 0)));
    assert!(batch.close());
    rig.abandon(&places[1]);
    assert_eq!(rig.shard.flights.counts.dropped, 0, "it has failed, and is not dropped as well");
}

/// D62: any waiter of any of its keys drives it; whoever leads it hears of it by its call.
#[test]
fn who_joins_a_key_hears_of_the_wakes_of_its_load_and_drives_it() {
    let (mut rig, batch, [mut first, second], places) = pair(rules());
    let mut joined = rig.wait(1);
    assert!(joined.driven.take().is_some_and(|driven| driven.is(&batch)), "once, with the waker that is new");
    for _ in 0..3 {
        assert_eq!(rig.visit(&mut joined), Step::Wait, "it was not woken");
        batch.waker().wake();
        assert_eq!((joined.woken(), second.woken()), (1, 0));
        first.woken();
        assert_eq!(rig.visit(&mut joined), Step::Batch);
        assert_eq!(rig.look(&mut joined, false), Step::Wait);
        assert_eq!(rig.visit(&mut first), Step::Wait, "once for a wake");
    }
    rig.deliver(&places[0], Ok(5));
    assert_eq!(rig.outcome(&mut first).value, 5);
}

#[test]
fn all_who_wait_for_a_key_hear_of_its_load_though_one_is_polled_no_more() {
    let (mut rig, batch, _second, places) = left_alone(rules());
    let (parked, mut joined) = (rig.wait(1), rig.wait(1));
    parked.woken();
    joined.woken();
    for _ in 0..3 {
        batch.waker().wake();
        assert_eq!(joined.woken(), 1);
        assert_eq!(rig.poll(&mut joined), Step::Wait);
        assert!(joined.driven.take().is_some_and(|driven| driven.is(&batch)));
    }
    rig.deliver(&places[0], Ok(5));
    assert_eq!(rig.outcome(&mut joined).value, 5);
    rig.leave(parked);
}

/// D62, P3: who leads one load drives the other one, too, where its caller is polled no more.
#[test]
fn who_leads_one_load_hears_of_the_other_loads_of_its_key() {
    let (mut rig, batches, [mut first, parked], places) = with_two_loads();
    rig.unlock();
    rig.poll(&mut first);
    first.driven = None;
    first.woken();
    parked.woken();
    batches[1].waker().wake();
    assert_eq!(first.woken(), 1);
    rig.visit(&mut first);
    while first.step == Step::Batch && first.number != 2 {
        rig.look(&mut first, false);
    }
    assert!(first.driven.as_ref().is_some_and(|driven| driven.is(&batches[1])));
    rig.deliver(&places[1], Ok(5));
    assert_eq!(rig.outcome(&mut first).value, 5);
}

/// P2: whoever leaves is not heard of any more.
#[test]
fn who_leaves_leaves_no_waker_with_the_load() {
    let (mut rig, batch, _second, _places) = left_alone(rules());
    let joined = rig.wait(1);
    let count = Arc::clone(&joined.count);
    assert!(!rig.leave(joined));
    rig.effects = Effects::default();
    assert_eq!(Arc::strong_count(&count), 1, "nobody but this test holds it");
    batch.waker().wake();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
}

/// P2: what is no part of a load of many keys goes with the last caller, as ever.
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

/// D16, P3: a lent load leaves with its caller; who comes later must not wait for it.
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

/// D66: from inside the load, also for a key whose callers have left.
#[test]
fn who_asks_from_inside_the_load_for_one_of_its_keys_must_not_wait() {
    let (mut rig, batch, _second, _places) = left_alone(Rules { stale_while_refresh: Some(nanos(500)), ..rules() });
    for key in [1, 2] {
        let inside = Caller::new(key, rig.rules.call(), Some(Start::Made), rig.now);
        let inside = Caller { waker: batch.waker(), ..inside };
        assert!(matches!(rig.come(inside), Found::Refused(LoadError::Reentrant)));
    }
    let inside = Caller::new(3, rig.rules.call(), Some(Start::Made), rig.now);
    assert!(matches!(rig.come(Caller { waker: batch.waker(), ..inside }), Found::Seated(_)), "other keys nest");
    assert_eq!((batch.awaited(), rig.census().1), (Some(1), 2));
}

/// D94: a spawner finishes a load of many keys as well, for the last who waits for any of them.
#[test]
fn the_last_of_all_keys_leaves_a_load_that_is_worth_finishing() {
    let (mut rig, batch, [mut first, mut second], places) = pair(rules());
    (first.waiting.may_hand_over, second.waiting.may_hand_over) = (true, true);
    rig.leave(first);
    assert!(rig.effects.handed.is_none(), "others wait for it");
    rig.leave(second);
    let seat = rig.effects.handed.take().expect("a seat");
    assert_eq!((batch.awaited(), rig.idle(), seat.began), (Some(1), 0, 0));
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
    assert!(rig.effects.handed.is_none());
    assert_eq!((batch.awaited(), rig.idle()), (Some(0), 1));
}

/// D57: who is served stale drives the refresh once, and is none for whom the load goes on.
#[test]
fn a_passer_by_drives_a_load_of_many_keys_once() {
    let stale = Rules { stale_while_refresh: Some(nanos(500)), ..rules() };
    let (mut rig, batch) = (Rig::new(stale), Together::new());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let (first, second) = (leads(&mut rig, 1, &batch), leads(&mut rig, 2, &batch));
    let places = [&first, &second].map(place_of);
    rig.leave(first);
    for _ in 0..3 {
        let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
        let Found::LookAfter(outcome, caller) = rig.arrive_with(1, call, Some(Start::Made)) else {
            panic!("it wants a poll")
        };
        assert_eq!((outcome.value, caller.step, caller.own()), (5, Step::Batch, 0));
        assert!(caller.driven.as_ref().is_some_and(|driven| driven.is(&batch)));
        assert_eq!((batch.awaited(), rig.seats_at(&places[0])), (Some(2), 1));
        rig.look_after(caller);
        assert_eq!((batch.awaited(), rig.idle(), rig.census()), (Some(1), 0, (2, 1, 2)));
        rig.wake_load(&Caller { waiting: waiting_at(&places[0]), ..Caller::new(1, call, None, rig.now) });
    }
    rig.deliver(&places[0], Ok(6));
    assert_eq!(rig.served(1).value, 6);
}

fn waiting_at(place: &Seat<Bell>) -> Waiting<Bell> {
    Waiting { seat: place.place_only(), ..Waiting::new(0, at(0)) }
}

/// D25: outside the flight, and so not stored, though it is one of many.
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

/// What a call has claimed and not made, as it unwinds.
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
    assert_eq!((rig.shard.flights.counts.begun, rig.live(&first)), (0, 1));
    rig.shard.unmake(&place, &mut rig.effects);
    assert_eq!(rig.shard.flights.counts.begun, 0, "once");
    assert_eq!(rig.visit(&mut joined), Step::MakeShared);
    assert_eq!((joined.number, rig.shard.flights.counts.begun), (1, 1));
    rig.pend(&mut joined);
    rig.effects = Effects::default();
    rig.shard.unmake(&place, &mut rig.effects);
    assert!(!rig.wakes_somebody(), "it is made by now");
    rig.answer(&mut first, 1, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut joined).value), (5, 5));
    rig.shard.unmake(&place, &mut rig.effects);
    assert_eq!((rig.shard.flights.counts.begun, rig.census()), (1, (0, 0, 0)), "its flight is over");
}

/// P3: with a passer-by, the flight gets a waker of its own, by which alone one knows of wakes from then on.
#[test]
fn a_wake_after_a_passer_by_reaches_who_waited_alone() {
    let rules = Rules { stale_while_refresh: Some(nanos(500)), ..rules() };
    let (mut rig, batch) = (Rig::new(rules), Together::new());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let (first, _second) = (leads(&mut rig, 1, &batch), leads(&mut rig, 2, &batch));
    rig.leave(first);
    let mut joined = rig.wait(1);
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let Found::LookAfter(_, caller) = rig.arrive_with(1, call, Some(Start::Made)) else { panic!("it wants a poll") };
    rig.look_after(caller);
    joined.woken();
    batch.waker().wake();
    assert_eq!((joined.woken(), rig.visit(&mut joined)), (1, Step::Batch));
}

/// P3: whoever waits need not look again to hear of a load that somebody else begins.
#[test]
fn who_waits_hears_of_a_load_that_another_begins_and_is_polled_no_more() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let (first, mut joined) = (rig.wait(1), rig.wait(1));
    rig.leave(first);
    rig.now += 5;
    let batch = Together::new();
    let parked = leads(&mut rig, 1, &batch);
    assert_eq!(parked.own(), 2);
    joined.woken();
    batch.waker().wake();
    assert_eq!(joined.woken(), 1);
    rig.visit(&mut joined);
    assert!(matches!(joined.step, Step::Poll | Step::Batch));
    assert_eq!(rig.rest(&mut joined), Step::Wait);
    assert!(joined.driven.is_some_and(|driven| driven.is(&batch)));
}

/// P3: what was woken before somebody came is driven by who comes, though the flight had a waker of its own before.
#[test]
fn who_comes_after_a_wake_drives_the_load() {
    for is_empty in [false, true] {
        let (mut rig, batch, [first, _second], _places) = pair(rules());
        let mut joined = rig.wait(1);
        rig.poll(&mut joined);
        rig.leave(joined);
        if is_empty {
            rig.leave(first);
        }
        batch.waker().wake();
        let seated = rig.seat(1);
        assert_eq!(seated.step, Step::Batch);
    }
}

/// The same where the load was begun by one who was alone by then.
#[test]
fn who_comes_after_a_wake_drives_the_load_that_a_later_one_has_begun() {
    let mut rig = Rig::new(rules());
    let (owner, mut leader) = (rig.lend(1), rig.seat(1));
    rig.leave(owner);
    let batch = Together::new();
    (leader.is_by_loader, leader.batch) = (false, Some(batch.clone()));
    assert_eq!((rig.visit_with(&mut leader, Some(Start::Batch)), leader.own()), (Step::Wait, 2));
    batch.waker().wake();
    assert_eq!(rig.seat(1).step, Step::Batch);
}
