//! Which callers hear of a load of many keys, and drive it.

use super::*;

/// D62: any waiter of any of its keys drives it; its leader hears of it by the call.
#[test]
fn who_joins_a_key_hears_of_the_wakes_of_its_load_and_drives_it() {
    let (mut rig, batch, [mut first, second], places) = pair(rules());
    let mut joined = rig.wait(1);
    assert!(joined.driven.take().is_some_and(|driven| driven.is(&batch)), "once, with the waker that is new");
    let mut third = rig.wait(1);
    for _ in 0..3 {
        assert_eq!((rig.visit(&mut joined), rig.effects.is_unwoken), (Step::Batch, true), "for another reason");
        assert_eq!(rig.look(&mut joined, false), Step::Wait);
        batch.waker().wake();
        assert_eq!((joined.woken(), third.woken(), second.woken()), (1, 1, 0));
        first.woken();
        assert_eq!((rig.visit(&mut joined), rig.effects.is_unwoken), (Step::Batch, false));
        assert_eq!(rig.look(&mut joined, false), Step::Wait);
        assert_eq!((rig.visit(&mut first), rig.visit(&mut third)), (Step::Wait, Step::Wait), "once for a wake");
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

/// D62, P3: the leader of one load also drives the other one, whose caller is polled no more.
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

/// D66: a call from inside the load, also for a key whose callers have left.
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

/// D57: a caller that is served a stale value drives the refresh once, and does not keep it going.
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

/// P3: a passer-by gives the flight a waker of its own; from then on, that alone tells of wakes.
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

/// P3: a waiting caller need not look again to hear of a load that another caller begins.
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

/// P3: a new caller drives a load that was woken before it came, though the flight had a waker of its own before.
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

/// The same if a caller that was alone by then began the load.
#[test]
fn who_comes_after_a_wake_drives_the_load_that_a_later_one_has_begun() {
    let mut rig = Rig::new(rules());
    let (owner, mut leader) = (rig.lend(1), rig.seat(1));
    rig.leave(owner);
    let batch = Together::new();
    (leader.is_by_loader, leader.batch) = (false, Some(batch.clone()));
    assert_eq!((rig.visit_with(&mut leader, Some(Start::Batch)), leader.own()), (Step::Gathered, 2));
    batch.waker().wake();
    assert_eq!(rig.seat(1).step, Step::Batch);
}

/// D18: a ready answer beats every deadline, so the load is polled before one counts, woken or not: by a caller that
/// joined, and by its leader, if its call has not polled the whole load before.
#[test]
fn each_load_of_many_keys_is_polled_once_before_a_deadline_counts_woken_or_not() {
    for is_of_the_call in [false, true] {
        let (mut rig, batch, [mut first, _second], _places) = pair(Rules { budget: Some(nanos(5)), ..rules() });
        let mut joined = rig.wait(2);
        assert_eq!((rig.poll(&mut first), rig.poll(&mut joined)), (Step::Wait, Step::Wait));
        rig.now += 5;
        first.batch = Some(batch.clone()).filter(|_| is_of_the_call);
        for caller in [&mut joined, &mut first] {
            caller.driven = None;
            let is_polled = !(is_of_the_call && caller.own() != 0);
            if is_polled {
                assert_eq!((rig.visit(caller), rig.effects.is_unwoken), (Step::Batch, true));
                assert!(caller.driven.as_ref().is_some_and(|driven| driven.is(&batch)));
                assert_eq!(rig.look(caller, false), Step::Again, "and then it counts");
            } else {
                assert_eq!(rig.visit(caller), Step::Again, "it counts: its call has polled the load");
            }
        }
    }
}

/// D18: the call polls the load that it leads, and each of its members the loads of other calls.
#[test]
fn a_member_polls_the_load_of_another_call_before_a_deadline_counts() {
    let (mut rig, batches, callers, _places) = with_two_loads();
    (rig.rules.lock_age, rig.rules.budget) = (None, Some(nanos(20)));
    let [mut first, mut second] = callers;
    assert_eq!((rig.poll(&mut first), rig.poll(&mut second)), (Step::Wait, Step::Wait));
    rig.now += 15;
    for (caller, others) in [(&mut first, 1), (&mut second, 0)] {
        assert_eq!((rig.visit(caller), rig.effects.is_unwoken), (Step::Batch, true));
        assert!(caller.driven.as_ref().is_some_and(|driven| driven.is(&batches[others])));
    }
    assert_eq!(rig.look(&mut first, false), Step::Again, "and then it counts");
}

/// D22: nor does a caller that joins leave without a poll of the load.
#[test]
fn a_timeout_of_zero_polls_a_load_of_many_keys_once_and_then_acts() {
    let (mut rig, _batch, _callers, _places) = pair(rules());
    let hurried = Call { lock_timeout: Some((Duration::ZERO, OnTimeout::Fail)), ..rig.rules.call() };
    for _ in 0..2 {
        let mut caller = rig.seat_with(1, hurried, Some(Start::Made));
        assert_eq!((caller.step, rig.effects.is_unwoken), (Step::Batch, true));
        assert_eq!(rig.look(&mut caller, false), Step::Told);
        assert!(matches!(rig.hear(&mut caller), Err(LoadError::LockTimeout)));
    }
}

/// P3: a passer-by made the load one of many, and it was woken before any waiting caller has looked.
#[test]
fn who_looks_after_a_wake_drives_the_load_that_a_passer_by_has_made() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(500)), stores_surplus: true, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let Found::LookAfter(_, caller) = rig.arrive_with(1, call, Some(Start::Made)) else { panic!("it wants a poll") };
    assert_eq!(caller.step, Step::MakeShared);
    let batch = Together::new();
    assert!(batch.await_key());
    let seat = caller.waiting.seat.at_attempt(1);
    rig.shard.become_part(&seat, (batch.clone(), None), None, &mut rig.effects);
    rig.leave(caller);
    // It was polled, and was not ready.
    batch.waker().wake();
    assert_eq!(rig.visit(&mut ticket), Step::Batch);
    assert!(ticket.driven.is_some_and(|driven| driven.is(&batch)));
}

/// P3: the load was woken while no caller waited for this key, and the callers of its other keys are polled no more.
#[test]
fn who_takes_over_where_nobody_waits_any_more_polls_the_load_of_many_keys_that_was_woken() {
    let (mut rig, batch, _second, _places) = left_alone(Rules { lock_age: Some(nanos(5)), ..rules() });
    batch.waker().wake();
    rig.now += 5;
    let mut caller = rig.seat(1);
    assert_eq!((caller.step, caller.own()), (Step::Make, 2));
    assert_eq!(rig.pend(&mut caller), Step::Batch);
    assert!(caller.driven.is_some_and(|driven| driven.is(&batch)));
}
