//! A load of two epochs is counted once, whichever of its flights ends first or is left (D85).

use super::*;

const NONE: Result<u32, &str> = Err("down");

/// A load of two epochs, with the caller that began it and one after the write; no other load is in flight.
fn heir() -> (Rig, Caller, Caller) {
    let mut rig = Rig::new(Rules { budget: Some(nanos(50)), ..rules() });
    let (owner, mut second) = (rig.lend(1), rig.wait(1));
    rig.remove(1);
    rig.leave(owner);
    assert_eq!(rig.visit(&mut second), Step::MakeAnew);
    assert_eq!(rig.rest(&mut second), Step::Wait);
    let joined = rig.wait(1);
    assert_eq!(rig.census(), (2, 2, 1));
    (rig, second, joined)
}

fn deliver(rig: &mut Rig, caller: &Caller, in_newer: bool, news: Result<u32, &'static str>) {
    let Anew { newer, older, twin, .. } = caller.anew.as_ref().expect("a load of two epochs");
    rig.effects = Effects::default();
    rig.deliver_in(if in_newer { newer } else { older }, twin, news);
}

#[test]
fn in_whatever_order_it_is_delivered_and_whatever_it_brings() {
    for order in [[true, false], [false, true]] {
        for news in [Ok(6), NONE] {
            let (mut rig, mut second, mut joined) = heir();
            order.iter().for_each(|in_newer| deliver(&mut rig, &second, *in_newer, news));
            let counts = rig.shard.flights.counts;
            assert_eq!((counts.succeeded, counts.failed), if news.is_ok() { (1, 0) } else { (0, 1) });
            for caller in [&mut second, &mut joined] {
                assert_eq!(rig.hear(caller).is_ok(), news.is_ok());
            }
            assert_eq!((rig.census(), rig.contains(1)), ((0, 0, 0), news.is_ok()));
        }
    }
}

/// D39: an insertion meanwhile ends only the newer flight.
#[test]
fn where_the_newer_flight_ends_otherwise() {
    let (mut rig, mut second, mut joined) = heir();
    rig.insert(1, 9);
    assert_eq!((rig.outcome(&mut joined).value, rig.census()), (9, (1, 1, 1)), "it goes on for the older");
    rig.deliver_anew(&second, Ok(6));
    assert_eq!((rig.outcome(&mut second).value, rig.served(1).value), (6, 9));
    assert_eq!((rig.shard.flights.counts.succeeded, rig.census()), (1, (0, 0, 0)));
}

/// D8: an older load answers.
#[test]
fn where_the_older_flight_ends_otherwise() {
    let (mut rig, mut first, mut second, mut after) = begun_in_both(rules(), 1);
    rig.rest(&mut second);
    rig.answer(&mut first, 1, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut second).value), (5, 5));
    assert_eq!((rig.census(), live(&mut rig)), ((1, 1, 2), 2), "it goes on for the newer");
    rig.answer_anew(&second, 6);
    assert_eq!((rig.outcome(&mut after[0]).value, rig.served(1).value), (6, 6));
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.begun, counts.succeeded, counts.dropped, rig.census()), (3, 2, 1, (0, 0, 0)));
}

/// The same before the load has become a part of both.
#[test]
fn where_the_older_flight_ends_before_it_is_made() {
    let (mut rig, mut first, mut second, mut after) = begun_in_both(rules(), 1);
    rig.answer(&mut first, 1, 5);
    assert_eq!(rig.outcome(&mut first).value, 5);
    second.step = Step::MakeAnew;
    rig.make_anew(&mut second);
    assert_eq!(rig.outcome(&mut second).value, 5);
    rig.answer_anew(&second, 6);
    assert_eq!((rig.outcome(&mut after[0]).value, rig.served(1).value), (6, 6));
    let counts = rig.shard.flights.counts;
    let ended = counts.succeeded + counts.failed + counts.panicked + counts.dropped;
    assert_eq!((counts.begun, ended), (3, 3), "{counts:?}");
}

/// P2: the same if no caller waits in the newer flight: then no caller gets the load.
#[test]
fn where_the_older_flight_ends_before_it_is_made_and_nobody_waits_in_the_newer() {
    let (mut rig, mut first, mut second, _) = begun_in_both(rules(), 0);
    rig.answer(&mut first, 1, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.census().0), (5, 2));
    rig.effects = Effects::default();
    rig.make_anew(&mut second);
    let is_told_of = !rig.effects.take_idle_batches().is_empty();
    assert_eq!(rig.outcome(&mut second).value, 5);
    assert!(is_told_of || rig.shard.flights.len() == 0, "a flight is left behind");
}

/// The same for the newer flight, and for both.
#[test]
fn where_the_newer_flight_ends_before_it_is_made() {
    for (is_both, succeeded) in [(false, 1), (true, 1)] {
        let (mut rig, mut first, mut second, mut after) = begun_in_both(rules(), 1);
        rig.insert(1, 9);
        assert_eq!(rig.outcome(&mut after[0]).value, 9);
        if is_both {
            rig.answer(&mut first, 1, 5);
        }
        second.step = Step::MakeAnew;
        rig.make_anew(&mut second);
        rig.answer_anew(&second, 6);
        let value = if is_both { 5 } else { 6 };
        assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut second).value), (value, value));
        let counts = rig.shard.flights.counts;
        let ended = counts.succeeded + counts.failed + counts.panicked + counts.dropped;
        assert_eq!((counts.begun, ended, counts.succeeded), (3, 3, succeeded), "{counts:?}");
        assert_eq!((rig.served(1).value, rig.shard.flights.len()), (9, 0));
    }
}

#[test]
fn where_one_flight_is_left_or_both_are() {
    for [leaves_older, leaves_newer] in [[true, false], [false, true], [true, true]] {
        let (mut rig, mut second, mut joined) = heir();
        let Anew { batch, newer, older, twin } = second.anew.take().expect("a load of two epochs");
        assert_eq!(batch.awaited(), Some(2));
        let mut idle = 0;
        if leaves_newer {
            let seat = core::mem::replace(&mut joined, Caller::new(1, rig.rules.call(), None, rig.now));
            rig.leave(seat);
            idle += rig.effects.take_idle_batches().len();
        }
        if leaves_older {
            let seat = core::mem::replace(&mut second, Caller::new(1, rig.rules.call(), None, rig.now));
            rig.leave(seat);
            idle += rig.effects.take_idle_batches().len();
        }
        rig.effects = Effects::default();
        if leaves_older && leaves_newer {
            assert_eq!((idle, batch.close(), rig.census()), (1, true, (2, 0, 1)), "until it is dropped");
            for seat in [&newer, &older] {
                rig.shard.abandon(seat, &mut rig.effects);
                rig.shard.count_dropped(&twin);
            }
            assert_eq!((rig.shard.flights.counts.dropped, rig.census()), (2, (0, 0, 0)), "and the lent one");
            continue;
        }
        assert_eq!((idle, batch.awaited(), rig.census()), (0, Some(1), (2, 1, 1)));
        rig.deliver_in(&newer, &twin, Ok(6));
        rig.deliver_in(&older, &twin, Ok(6));
        let left = if leaves_older { &mut joined } else { &mut second };
        assert_eq!(rig.outcome(left).value, 6);
        assert_eq!((rig.shard.flights.counts.succeeded, rig.census(), rig.served(1).value), (1, (0, 0, 0), 6));
    }
}

/// D93: the budget is used up in the flight whose caller looks first, and then in the other one.
#[test]
fn where_its_budget_is_used_up_in_one_flight_first() {
    for is_newer_first in [false, true] {
        let (mut rig, mut second, mut joined) = heir();
        rig.now += 50;
        let callers = if is_newer_first { [&mut joined, &mut second] } else { [&mut second, &mut joined] };
        for caller in callers {
            rig.poll(caller);
            assert_eq!(rig.error(caller), Some("over budget"));
            assert_eq!((rig.shard.flights.counts.failed, rig.census().2), (1, 0));
        }
        rig.deliver_anew(&second, Ok(6));
        let counts = rig.shard.flights.counts;
        assert_eq!((counts.succeeded, counts.failed, rig.census()), (0, 1, (0, 0, 0)), "it comes too late");
    }
}

/// P5: a panic of the caller's code before the load is part of anything.
#[test]
fn where_a_panic_comes_before_it_is_made() {
    for count in [0, 1] {
        let (mut rig, mut first, mut second, mut after) = begun_in_both(rules(), count);
        let newer = second.waiting.newer.take().expect("a newer epoch");
        rig.fail_unheard(&second, 2, Failure::new(Cause::Panicked));
        let at = At { now: at(rig.now), rules: &rig.rules };
        rig.shard.fail_at(&newer.0, Cause::Panicked, at, &mut rig.effects);
        assert_eq!((rig.shard.flights.counts.panicked, rig.shard.flights.counts.failed), (1, 0));
        assert!(rig.hear(&mut second).is_err_and(|error| error.is_panicked()));
        assert_eq!(
            (flight_of(&rig).is_some(), rig.census()),
            (count == 1, (1 + count, 1 + count as u64, 1 + count as u64))
        );
        for caller in &mut after {
            // Its own load goes on.
            assert_eq!((rig.told(caller), live(&mut rig)), (None, 1));
            rig.answer(caller, 1, 6);
            assert_eq!(rig.outcome(caller).value, 6);
        }
        rig.answer(&mut first, 1, 5);
        assert_eq!((rig.outcome(&mut first).value, rig.census()), (5, (0, 0, 0)));
    }
}

/// P5: if no other load is in flight, the callers that joined are told.
#[test]
fn where_a_panic_comes_before_it_is_made_and_somebody_has_joined() {
    let mut rig = Rig::new(rules());
    let (owner, mut second) = (rig.lend(1), rig.wait(1));
    rig.remove(1);
    rig.leave(owner);
    assert_eq!(rig.visit(&mut second), Step::MakeAnew);
    let mut joined = rig.wait(1);
    let newer = second.waiting.newer.take().expect("a newer epoch");
    rig.fail_unheard(&second, 2, Failure::new(Cause::Panicked));
    let at = At { now: at(rig.now), rules: &rig.rules };
    rig.shard.fail_at(&newer.0, Cause::Panicked, at, &mut rig.effects);
    for caller in [&mut second, &mut joined] {
        assert!(rig.hear(caller).is_err_and(|error| error.is_panicked()));
    }
    assert_eq!((rig.shard.flights.counts.panicked, rig.census()), (1, (0, 0, 0)));
}

/// D63: the load is one of many keys from the beginning.
#[test]
fn where_it_is_one_of_many_keys() {
    let (mut rig, first, mut second, _) = with_a_younger_load(rules(), 0);
    let batch = Together::new();
    (second.is_by_loader, second.batch) = (false, Some(batch.clone()));
    rig.visit_with(&mut second, Some(Start::Batch));
    while second.step == Step::Poll {
        rig.pend(&mut second);
    }
    assert_eq!((second.step, second.own(), batch.awaited()), (Step::Gathered, 2, Some(1)));
    let (newer, twin) = *second.waiting.newer.take().expect("a newer epoch");
    let joined = rig.wait(1);
    assert_eq!((joined.own(), batch.awaited(), rig.census()), (0, Some(2), (2, 3, 2)));
    let older = second.waiting.seat.place_only();
    second.anew = Some(Anew { batch, newer, older, twin });
    rig.answer_anew(&second, 6);
    for mut caller in [first, second, joined] {
        assert_eq!(rig.outcome(&mut caller).value, 6);
    }
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.begun, counts.succeeded, counts.dropped, rig.census()), (2, 1, 1, (0, 0, 0)));
}

/// A call gives back a load that it gathered and did not begin.
#[test]
fn where_it_is_given_back() {
    let (mut rig, _first, mut second, _) = with_a_younger_load(rules(), 0);
    (second.is_by_loader, second.batch) = (false, Some(Together::new()));
    rig.visit_with(&mut second, Some(Start::Batch));
    while second.step == Step::Poll {
        rig.pend(&mut second);
    }
    assert_eq!((second.step, rig.census()), (Step::Gathered, (2, 2, 2)));
    let (newer, _) = *second.waiting.newer.take().expect("a newer epoch");
    rig.shard.abandon(&second.waiting.seat.place_only(), &mut rig.effects);
    rig.shard.abandon(&newer, &mut rig.effects);
    assert_eq!((rig.shard.flights.counts.dropped, rig.census()), (1, (1, 2, 1)));
}
