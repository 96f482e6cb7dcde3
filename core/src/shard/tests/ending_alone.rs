//! A load of a lone caller answers: its flight ends at once.

use super::*;

/// The load that a caller was handed answers, and the caller needs only the value, if that comes from its own load.
fn finish_for_value(rig: &mut Rig, caller: &mut Caller, number: u32, loaded: impl Into<Loaded<u32>>) -> Step {
    rig.effects = Effects::default();
    rig.effects.number = number;
    (caller.waiting.after, caller.load) = (number, None);
    let news = News::new(loaded.into(), Judgement::default());
    rig.step(caller, false, |shard, waiting, visit, effects| {
        let visit = Visit { wants_value: true, ..*visit };
        shard.finish(waiting, &mut Some(Ok(news)), visit.reached, &visit, effects)
    })
}

fn sums(rig: &Rig) -> (u64, u64, u64) {
    let counts = rig.shard.flights.counts;
    (counts.begun, counts.succeeded, counts.dropped)
}

#[test]
fn it_is_told_and_stored_and_nothing_stays_behind() {
    for polls in [0, 2] {
        let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(50)), ..rules() });
        let mut caller = rig.seat(1);
        for _ in 0..polls {
            assert_eq!(rig.rest(&mut caller), Step::Wait);
            rig.visit(&mut caller);
        }
        rig.now += 7;
        assert_eq!(rig.finish(&mut caller, 1, 5), Step::Told);
        assert!(!caller.is_seated() && !rig.wakes_somebody());
        let outcome = rig.outcome(&mut caller);
        assert_eq!((outcome.value, outcome.status, outcome.led, outcome.attempt), (5, Status::Miss, true, Some(1)));
        assert_eq!((outcome.waited, outcome.age, outcome.time_left), (nanos(7), nanos(0), TimeLeft::For(nanos(50))));
        assert_eq!(rig.peek(1).and_then(|held| held.generation), outcome.generation);
        assert!(outcome.generation.is_some());
        assert_eq!((sums(&rig), rig.shard.counts.misses, rig.shard.counts.load_time), ((1, 1, 0), 1, 7));
        assert_eq!(rig.census(), (0, 0, 0));
        assert!(rig.shard.flights.find(hash(1), |k| *k == 1).is_none());
    }
}

/// D7.
#[test]
fn it_is_expired_if_that_was_found() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(4).ttl(nanos(10)));
    rig.now += 20;
    let outcome = rig.load(1, 5);
    assert_eq!((outcome.value, outcome.status, rig.shard.counts.expired), (5, Status::Expired, 1));
    assert_eq!(rig.served(1).value, 5);
}

#[test]
fn the_value_alone_is_told_where_nothing_else_is_needed() {
    for found in [false, true] {
        let mut rig = Rig::new(rules());
        if found {
            rig.insert(1, Loaded::new(4).ttl(nanos(10)));
            rig.now += 20;
        }
        let mut caller = rig.seat(1);
        assert_eq!(finish_for_value(&mut rig, &mut caller, 1, 5), Step::Told);
        assert_eq!((rig.effects.value.take(), caller.told.is_none(), caller.is_seated()), (Some(5), true, false));
        let counts = (rig.shard.counts.misses, rig.shard.counts.expired);
        assert_eq!((counts, sums(&rig)), (if found { (0, 1) } else { (1, 0) }, (1, 1, 0)));
        assert_eq!((rig.served(1).value, rig.census()), (5, (0, 0, 0)));
    }
}

/// A caller that is not alone is told as usual, whatever it needs.
#[test]
fn the_whole_outcome_is_told_where_others_wait() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.drive(&mut first, 1);
    assert_eq!(finish_for_value(&mut rig, &mut first, 1, 5), Step::Told);
    assert_eq!((rig.effects.value, rig.wakes_somebody()), (None, true));
    assert_eq!((rig.outcome(&mut first).status, rig.outcome(&mut second).status), (Status::Miss, Status::LockHit));
    assert_eq!((sums(&rig), rig.census()), ((1, 1, 0), (0, 0, 0)));
}

#[test]
fn the_whole_outcome_is_told_of_the_load_of_another_who_has_left() {
    let mut rig = Rig::new(rules());
    let (first, mut second) = (rig.wait(1), rig.wait(1));
    rig.leave(first);
    rig.drive(&mut second, 1);
    assert_eq!(rig.finish(&mut second, 1, 5), Step::Told);
    let outcome = rig.outcome(&mut second);
    assert_eq!((outcome.status, outcome.led, outcome.attempt), (Status::LockHit, false, Some(1)));
    assert_eq!((rig.shard.counts.joined, sums(&rig), rig.census()), (1, (1, 1, 0), (0, 0, 0)));
}

/// P8, D40: a write has come meanwhile, so the answer is told and not stored.
#[test]
fn it_is_not_stored_after_a_write() {
    for (wants_value, is_clear) in [(false, false), (true, false), (false, true)] {
        let mut rig = Rig::new(rules());
        let mut caller = rig.seat(1);
        if is_clear {
            drop(rig.shard.clear(at(rig.now), &mut rig.effects));
        } else {
            rig.remove(1);
        }
        let value = if wants_value {
            finish_for_value(&mut rig, &mut caller, 1, 5);
            rig.effects.value.take()
        } else {
            rig.finish(&mut caller, 1, 5);
            let told = caller.told.take().and_then(Result::ok);
            assert!(told.as_ref().is_some_and(|outcome| outcome.generation.is_none() && outcome.attempt == Some(1)));
            told.map(|outcome| outcome.value)
        };
        assert_eq!((value, rig.contains(1), sums(&rig), rig.census()), (Some(5), false, (1, 1, 0), (0, 0, 0)));
        assert_eq!(rig.effects.rest().keys, [1], "its key is dropped outside the lock (P13)");
    }
}

/// A load that began after the write flies beside it, and goes on.
#[test]
fn it_leaves_what_was_begun_after_a_write() {
    let mut rig = Rig::new(rules());
    let mut caller = rig.wait(1);
    rig.remove(1);
    let mut after = rig.wait(1);
    rig.answer(&mut caller, 1, 5);
    assert_eq!((rig.outcome(&mut caller).value, rig.contains(1), rig.census()), (5, false, (1, 1, 1)));
    let joined = rig.wait(1);
    assert_eq!(joined.own(), 0, "it is found still");
    rig.leave(joined);
    rig.answer(&mut after, 1, 6);
    assert_eq!((rig.outcome(&mut after).value, rig.served(1).value), (6, 6));
}

/// D39: a value that was inserted meanwhile is told, and the answer of the load comes too late.
#[test]
fn what_was_inserted_meanwhile_is_told_in_its_place() {
    let mut rig = Rig::new(rules());
    let mut caller = rig.seat(1);
    rig.insert(1, 9);
    assert_eq!(finish_for_value(&mut rig, &mut caller, 1, 5), Step::Told);
    assert_eq!((rig.effects.value, &rig.effects.rest().values[..]), (None, &[5][..]));
    assert_eq!((rig.outcome(&mut caller).value, rig.served(1).value), (9, 9));
    assert_eq!((sums(&rig), rig.census()), ((1, 0, 1), (0, 0, 0)));
}

/// D25: a caller that loads alone has no key there.
#[test]
fn who_loads_alone_is_told_and_stores_nothing() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), over_age_alone: true, ..rules() });
    let first = rig.wait(1);
    rig.now += 5;
    for wants_value in [false, true] {
        let mut alone = rig.seat(1);
        assert!(alone.waiting.is_alone && alone.step == Step::Make);
        if wants_value {
            finish_for_value(&mut rig, &mut alone, 1, 5);
            assert_eq!(rig.effects.value.take(), Some(5));
        } else {
            rig.finish(&mut alone, 1, 5);
            let outcome = rig.outcome(&mut alone);
            assert_eq!((outcome.attempt, outcome.generation, outcome.led), (None, None, true));
        }
        assert_eq!((rig.contains(1), rig.live(&first), rig.census()), (false, 1, (1, 1, 1)));
    }
    assert_eq!(sums(&rig), (3, 2, 0));
}

/// P13, P2: it is polled with its own waker, which nothing holds any more and which is dropped outside the lock.
#[test]
fn its_waker_is_handed_out_to_be_dropped() {
    let mut rig = Rig::new(rules());
    let mut caller = rig.wait(1);
    let count = Arc::clone(&caller.count);
    rig.drive(&mut caller, 1);
    rig.finish(&mut caller, 1, 5);
    assert!(rig.effects.old.is_some());
    drop(caller);
    rig.effects = Effects::default();
    assert_eq!(Arc::strong_count(&count), 1, "only this test holds it");
}

/// An answer that is not stored removes the held value.
#[test]
fn what_is_not_to_be_stored_removes_what_was_there() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(4).ttl(nanos(10)));
    rig.now += 20;
    let outcome = rig.load(1, Loaded::new(5).ttl(Ttl::NotStored));
    assert_eq!((outcome.value, outcome.generation, rig.peek(1).is_none()), (5, None, true));
    assert_eq!((sums(&rig), rig.census()), ((1, 1, 0), (0, 0, 0)));
}

/// A failed load of the caller, or another load beside it, means that it is not alone with the answer.
#[test]
fn beside_another_attempt_it_ends_as_ever() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    rig.leave(first);
    rig.drive(&mut second, 2);
    assert_eq!(finish_for_value(&mut rig, &mut second, 2, 6), Step::Told);
    assert_eq!((rig.effects.value, &rig.effects.rest().loads[..]), (None, &[1][..]), "the other load is dropped");
    assert_eq!((rig.outcome(&mut second).value, sums(&rig), rig.census()), (6, (2, 1, 1), (0, 0, 0)));
}

/// A key that was never stored and never failed is not looked up when it is published.
#[test]
fn only_a_key_of_which_nothing_is_known_is_blank() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    let mut first = rig.seat(1);
    assert!(rig.shard.flights.slot(&first.waiting.seat).is_blank);
    rig.finish(&mut first, 1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut second = rig.seat(1);
    assert!(!rig.shard.flights.slot(&second.waiting.seat).is_blank, "a value is held that has expired");
    rig.finish(&mut second, 1, 6);
    rig.remove(1);
    rig.load_fails(1, "down");
    rig.now += 10;
    let mut third = rig.seat(1);
    assert!(!rig.shard.flights.slot(&third.waiting.seat).is_blank, "a failure is kept");
    rig.finish(&mut third, 1, 7);
    assert_eq!((rig.served(1).value, rig.shard.failures.len()), (7, 0));
}
