//! Direct reads and writes, and what they do to loads in flight.

use super::*;
use crate::Entry;

/// D39: the inserted value is what they asked for, and newer.
#[test]
fn an_insert_ends_the_wait_of_all_with_the_inserted_value() {
    let mut rig = Rig::new(rules());
    let mut leader = rig.wait(1);
    let mut joined = rig.wait(1);
    rig.now += 4;
    let generation = rig.insert(1, Loaded::new(8).ttl(nanos(20)));
    assert!(rig.wakes_somebody());
    assert_eq!(rig.effects.rest().loads, [1], "the load is dropped outside the lock");
    for (caller, status) in [(&mut leader, Status::Miss), (&mut joined, Status::LockHit)] {
        let outcome = rig.outcome(caller);
        assert_eq!((outcome.value, outcome.status, outcome.attempt), (8, status, None));
        assert_eq!((outcome.generation, outcome.waited), (generation, nanos(4)));
        assert_eq!((outcome.age, outcome.time_left), (Duration::ZERO, TimeLeft::For(nanos(20))));
    }
    assert_eq!(rig.shard.flights.counts.dropped, 1);
    assert_eq!(rig.served(1).value, 8);
}

/// D39.
#[test]
fn an_insert_that_is_refused_ends_the_wait_all_the_same() {
    let mut rig = Rig::with(5, rules());
    let mut caller = rig.wait(1);
    assert_eq!(rig.insert(1, Loaded::new(8).weight(6)), None);
    let outcome = rig.outcome(&mut caller);
    assert_eq!((outcome.value, outcome.generation), (8, None));
    assert_eq!(outcome.time_left, TimeLeft::For(Duration::ZERO));
    assert_eq!(rig.shard.values.len(), 0);
}

/// D39, D40.
#[test]
fn an_insert_with_a_lifetime_of_zero_is_a_removal() {
    for ttl in [Ttl::For(Duration::ZERO), Ttl::NotStored] {
        let mut rig = Rig::new(rules());
        rig.insert(1, 5);
        let call = Call { reload: true, ..rig.rules.call() };
        let mut early = rig.wait_with(1, call);
        assert_eq!(rig.insert(1, Loaded::new(8).ttl(ttl)), None);
        assert_eq!((rig.told(&early), rig.peek(1).is_none()), (None, true));
        assert_eq!((rig.shard.values.counts.removed, rig.shard.values.counts.stored), (1, 1));
        assert_eq!(rig.wait(1).own(), 1);
        assert_eq!(rig.visit(&mut early), Step::Poll, "earlier callers have the load's outcome");
    }
}

/// D52.
#[test]
fn an_inserted_value_has_the_caches_lifetime_unless_it_has_its_own() {
    let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), ..rules() });
    rig.insert(1, 5);
    rig.insert(2, Loaded::new(5).ttl(nanos(7)));
    rig.insert(3, Loaded::new(5).ttl(Ttl::Forever));
    let left = [1, 2, 3].map(|key| rig.served(key).time_left);
    assert_eq!(left, [TimeLeft::For(nanos(30)), TimeLeft::For(nanos(7)), TimeLeft::Forever]);
    rig.rules.ttl = Ttl::NotStored;
    assert_eq!((rig.insert(1, 6), rig.contains(1)), (None, false));
}

/// D37, D38.
#[test]
fn a_removal_returns_the_value_only_if_it_was_fresh() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(99)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    assert_eq!((rig.remove(1), rig.remove(1)), (Some(5), None));
    rig.insert(1, Loaded::new(6).ttl(nanos(10)));
    rig.now += 10;
    assert_eq!(rig.remove(1), None);
    assert!(rig.effects.leavers.iter_mut().any(|leaver| leaver.value == 6), "dropped outside the lock");
    assert_eq!((rig.shard.values.counts.removed, rig.shard.values.counts.expired), (1, 1));
    assert!(rig.peek(1).is_none(), "gone, stale or not");
}

/// D36, D53.
#[test]
fn direct_reads_see_fresh_values_and_peek_sees_what_is_held() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(99)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    let peeked = rig.peek(1).expect("it is held");
    assert_eq!((peeked.status, rig.contains(1), rig.get_if_present(1)), (Status::Hit, true, Some(5)));
    rig.now += 15;
    let peeked = rig.peek(1).expect("it is held");
    assert_eq!((peeked.value, peeked.status, peeked.age), (5, Status::Stale(nanos(5)), nanos(15)));
    assert_eq!((rig.contains(1), rig.get_if_present(1)), (false, None));
    assert!(rig.copies().is_empty());
    assert_eq!((rig.shard.values.len(), rig.shard.weight()), (1, 1), "expired ones included");
    let counts = rig.shard.counts;
    assert_eq!((counts.hits, counts.expired, counts.misses, counts.stale), (1, 1, 0, 0), "peek counts nothing (D85)");
}

/// D36: it touches nothing, not even the order of eviction.
#[test]
fn a_peek_does_not_save_a_value_from_eviction_and_a_read_does() {
    let mut rig = Rig::with(2, rules());
    rig.insert(1, 1);
    rig.insert(2, 2);
    assert!(rig.peek(1).is_some() && rig.contains(1));
    rig.insert(3, 3);
    assert_eq!(rig.keys(), [2, 3]);
    assert_eq!(rig.get_if_present(2), Some(2));
    rig.insert(4, 4);
    assert_eq!(rig.keys(), [2, 4]);
}

/// D43.
#[test]
fn a_clear_takes_values_and_failures_and_detaches_loads_but_keeps_the_statistics() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.insert(2, 5);
    rig.load_fails(3, "down");
    let mut early = rig.wait(4);
    rig.now += 10;
    let (cleared, _) = rig.shard.clear(at(rig.now), &mut rig.effects);
    assert_eq!((rig.shard.weight(), rig.shard.first_due(), rig.shard.values.len()), (0, Some(Instant::NEVER), 0));
    rig.shard.values.count_cleared(cleared.counts());
    let counts = rig.shard.values.counts;
    assert_eq!((counts.stored, counts.removed, counts.expired), (2, 1, 1));
    assert_eq!(rig.shard.flights.counts.failed, 1);
    rig.answer(&mut early, 1, 6);
    assert_eq!((rig.told(&early), rig.shard.values.len()), (Some(Ok(6)), 0));
    assert_eq!(rig.insert(2, 7), Some(3), "generations go on (D98)");
}

/// D41: a removal by `retain` is a write of its own: a load from before it brings nothing back.
#[test]
fn a_value_that_is_refused_voids_the_load_that_began_meanwhile() {
    let mut rig = Rig::new(rules());
    let judged = rig.insert(1, 5).expect("a generation");
    let reload = Call { reload: true, ..rig.rules.call() };
    assert!(matches!(rig.arrive_with(1, reload, Some(Start::Made)), Found::Seated(_)));
    let flight = rig.shard.flights.find(hash(1), |k| *k == 1).expect("a flight");
    rig.effects = Effects::default();
    rig.shard.remove_if(hash(1), judged + 1, at(rig.now), |k| *k == 1, &mut rig.effects);
    assert!(rig.shard.flights.at(flight).flight.is_attached(), "it was another value");
    rig.shard.remove_if(hash(1), judged, at(rig.now), |k| *k == 1, &mut rig.effects);
    assert!(!rig.shard.flights.at(flight).flight.is_attached());
    assert!(rig.peek(1).is_none());
}

/// D41: `retain` decides about a copy, and only that very value is removed.
#[test]
fn a_value_replaced_since_it_was_judged_stays() {
    let mut rig = Rig::new(rules());
    let judged = rig.insert(1, 5).expect("a generation");
    let remove_if = |rig: &mut Rig, generation| {
        let now = at(rig.now);
        rig.effects = Effects::default();
        rig.shard.remove_if(hash(1), generation, now, |k| *k == 1, &mut rig.effects);
    };
    let (age, time_left) = (Duration::ZERO, TimeLeft::Forever);
    let deadline = Instant::NEVER;
    let copied = Entry { key: 1, value: 5, age, time_left, deadline, weight: 1, generation: judged };
    assert_eq!(rig.copies(), [copied]);
    let newer = rig.insert(1, 5).expect("a generation");
    remove_if(&mut rig, judged);
    assert_eq!(rig.served(1).generation, Some(newer), "numbers decide, never values (D42)");
    remove_if(&mut rig, newer);
    assert!(rig.peek(1).is_none());
    assert_eq!(rig.shard.values.counts.removed, 1);
}

/// D98: stale or not; a write only if the value was that one.
#[test]
fn an_invalidation_takes_the_value_of_that_generation_and_touches_nothing_else() {
    let invalidate = |rig: &mut Rig, generation| {
        rig.effects = Effects::default();
        rig.shard.invalidate(hash(1), generation, at(rig.now), |k| *k == 1, &mut rig.effects)
    };
    let mut rig = Rig::new(Rules { backoff: BACKOFF, stale_if_error: Some(nanos(99)), ..rules() });
    let old = rig.insert(1, 5).expect("a generation");
    let new = rig.insert(1, Loaded::new(6).ttl(nanos(10))).expect("a generation");
    let reload = Call { reload: true, ..rig.rules.call() };
    let waiting = rig.wait_with(1, reload);
    assert!(!invalidate(&mut rig, old));
    assert!(rig.is_attached(&waiting), "it was no write");
    rig.now += 10;
    assert!(invalidate(&mut rig, new), "a value that may be served stale is still that one");
    assert!(!rig.is_attached(&waiting));
    assert_eq!((rig.shard.values.counts.expired, rig.shard.values.len()), (1, 0));
    assert!(!invalidate(&mut rig, new));
}

/// D96.
#[test]
fn what_is_made_to_expire_is_held_as_a_stale_value_and_loads_are_voided() {
    let expire = |rig: &mut Rig| rig.shard.expire(hash(1), at(rig.now), |k| *k == 1, &mut rig.effects);
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(20)), ..rules() });
    assert!(!expire(&mut rig), "there is none");
    rig.insert(1, Loaded::new(5).ttl(nanos(50)));
    let waiting = rig.wait_with(1, Call { reload: true, ..rig.rules.call() });
    assert!(expire(&mut rig));
    assert!(!rig.is_attached(&waiting));
    rig.now += 20;
    assert!(!expire(&mut rig), "an earlier deadline stays");
    assert_eq!(rig.arrive_stale(1).0, Status::Stale(nanos(20)));
    assert_eq!((rig.contains(1), rig.shard.values.counts.expired), (false, 0));
    rig.now += 1;
    rig.shard.reclaim(at(rig.now), 9, &mut rig.effects);
    assert_eq!((rig.shard.values.len(), rig.shard.values.counts.expired), (0, 1), "due as soon as it is of no use");
}

/// D30, D46.
#[test]
fn a_smaller_capacity_is_kept_to_by_values_and_failures_together() {
    let mut rig = Rig::with(80, Rules { backoff: BACKOFF, ..rules() });
    for key in 0..10 {
        rig.load_fails(key, "down");
    }
    for key in 10..90 {
        rig.insert(key, key);
    }
    assert_eq!((rig.shard.failures.len(), rig.shard.values.len()), (10, 70));
    for (capacity, kept) in [(16, (2, 14)), (5, (1, 4)), (0, (0, 0)), (80, (0, 0))] {
        rig.set_capacity(capacity);
        assert_eq!((rig.shard.failures.len(), rig.shard.values.len()), kept, "of {capacity}");
    }
    rig.load_fails(1, "down");
    assert!(rig.insert(2, Loaded::new(2).weight(79)).is_some(), "and it grows");
    assert_eq!(rig.shard.weight(), 80);
}

/// P9.
#[test]
fn writes_of_one_key_leave_another_of_the_same_hash_alone() {
    let mut rig = Rig::new(rules());
    rig.insert(0, 5);
    let mut waiting = rig.wait(1);
    rig.insert(0, 6);
    rig.remove(0);
    assert_eq!((rig.told(&waiting), rig.wait(1).own()), (None, 0));
    rig.answer(&mut waiting, 1, 7);
    assert_eq!((rig.served(1).value, rig.peek(0).is_none()), (7, true));
}

/// D98.
#[test]
fn each_stored_value_has_a_generation_of_its_own_and_what_is_not_stored_has_none() {
    let mut rig = Rig::new(rules());
    let inserted = rig.insert(1, 5);
    let loaded = rig.load(2, 5).generation;
    let again = rig.insert(1, 5);
    assert!(inserted < loaded && loaded < again && inserted.is_some());
    assert_eq!(rig.load(3, Loaded::new(5).ttl(Ttl::NotStored)).generation, None);
    assert_eq!(rig.peek(1).and_then(|outcome| outcome.generation), again);
}

/// D85.
#[test]
fn what_was_stored_is_held_or_has_left_for_one_reason() {
    let mut rig = Rig::with(10, Rules { backoff: BACKOFF, stale_if_error: Some(nanos(7)), ..rules() });
    let mut random = crate::store::policy::tests::shelf::Random(5);
    for _ in 0..20_000 {
        rig.now += random.below(4);
        let key = random.below(30) as u32;
        let loaded = Loaded::new(key).ttl(nanos(random.below(40))).weight(1 + random.below(11));
        match random.below(8) {
            0..3 => _ = rig.insert(key, loaded),
            3 => _ = rig.remove(key),
            4 => _ = rig.get_if_present(key),
            5 if random.below(50) == 0 => {
                let (cleared, _) = rig.shard.clear(at(rig.now), &mut rig.effects);
                rig.shard.values.count_cleared(cleared.counts());
            }
            choice => match rig.arrive(key) {
                Found::Seated(mut caller) => {
                    assert_eq!(caller.step, Step::Make);
                    if choice == 6 {
                        rig.finish_with_failure(&mut caller, 1, failure("down"))
                    } else {
                        rig.finish(&mut caller, 1, loaded)
                    };
                    assert!(!caller.is_seated() && caller.told.is_some());
                }
                Found::Served(outcome) => assert_eq!(outcome.value, key),
                _ => {}
            },
        }
        let (values, loads) = (&rig.shard.values.counts, &rig.shard.flights.counts);
        let left = values.evicted + values.expired + values.replaced + values.removed;
        assert_eq!(values.stored, rig.shard.values.len() as u64 + left);
        assert_eq!(loads.begun, loads.succeeded + loads.failed);
        assert!(rig.shard.weight() <= 10, "P12");
        assert_eq!(rig.census(), (0, 0, 0), "P2");
    }
}

/// D60: if nothing fresh is stored, nothing is in flight, and nothing was written since the load began (P8).
#[test]
fn what_nobody_asked_for_is_stored_only_where_it_undoes_nothing() {
    let surplus = |rig: &mut Rig, key: u32, writes: u64| {
        let mut unasked = Unasked { hash: hash(key), coming: Some((key, Loaded::new(9))), writes };
        let now = At { now: at(rig.now), rules: &rig.rules };
        rig.effects = Effects::default();
        rig.shard.insert_surplus(&mut unasked, Judgement::default(), now, &mut rig.effects);
        let is_dropped = rig.effects.rest().values == [9];
        assert!(rig.peek(key).is_some_and(|outcome| outcome.value == 9) || is_dropped);
        rig.peek(key).map(|outcome| outcome.value)
    };
    let mut rig = Rig::new(rules());
    let writes = rig.shard.writes;
    assert_eq!(surplus(&mut rig, 1, writes), Some(9));
    assert_eq!(rig.shard.writes, writes, "it is no write");
    let waiting = rig.wait(2);
    assert_eq!((surplus(&mut rig, 2, writes), rig.told(&waiting)), (None, None));
    rig.insert(3, 5);
    let after = rig.shard.writes;
    assert_ne!(after, writes);
    assert_eq!(surplus(&mut rig, 3, after), Some(5), "it is fresh");
    assert_eq!(surplus(&mut rig, 4, writes), None, "written since, be it another key");
    let writes: [fn(&mut Rig); 2] =
        [|rig| _ = rig.remove(5), |rig| drop(rig.shard.clear(at(rig.now), &mut rig.effects))];
    for write in writes {
        let before = rig.shard.writes;
        write(&mut rig);
        assert_eq!(surplus(&mut rig, 5, before), None);
    }
}
