//! What is stored when a load ends, and what callers are told.

use super::*;

/// P10, D7: what is not stored is delivered all the same.
#[test]
fn a_value_that_is_not_stored_is_told_with_no_time_left() {
    for loaded in [Loaded::new(6).ttl(Ttl::NotStored), Loaded::new(6).ttl(Duration::ZERO), Loaded::new(6).weight(101)] {
        let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), ..rules() });
        let outcome = rig.load(1, loaded);
        assert_eq!((outcome.value, outcome.time_left), (6, TimeLeft::For(Duration::ZERO)));
        assert_eq!((outcome.generation, rig.shard.values.len()), (None, 0));
    }
}

/// D52, D20: the load decides first, then the call that began the attempt, then the cache.
#[test]
fn lifetimes_and_weights_take_the_first_answer_there_is() {
    let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), lock_age: Some(nanos(5)), ..rules() });
    assert_eq!(rig.load(1, 6).time_left, TimeLeft::For(nanos(30)));
    assert_eq!(rig.load(2, Loaded::new(6).ttl(Ttl::Forever)).time_left, TimeLeft::Forever);

    let call =
        |ttl, weight| Call { terms: Terms { ttl: Ttl::For(nanos(ttl)), weight: Some(weight) }, ..rules().call() };
    let mut first = rig.wait_with(3, call(40, 4));
    let mut joined = rig.wait_with(3, call(50, 5));
    rig.now += 5;
    let _second = rig.wait_with(3, call(60, 6));
    rig.answer(&mut joined, 1, 6);
    assert_eq!(rig.outcome(&mut first).time_left, TimeLeft::For(nanos(40)));
    assert_eq!(rig.shard.values.weight(), 1 + 1 + 4);

    let mut caller = rig.wait_with(4, call(40, 4));
    rig.answer(&mut caller, 1, Loaded::new(6).ttl(nanos(7)).weight(2));
    assert_eq!(rig.outcome(&mut caller).time_left, TimeLeft::For(nanos(7)));
    assert_eq!(rig.shard.values.weight(), 1 + 1 + 4 + 2);
}

/// D5: a lifetime counts from publication.
#[test]
fn a_slow_load_does_not_eat_its_values_lifetime() {
    let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), ..rules() });
    let mut caller = rig.seat(1);
    rig.now += 500;
    rig.finish(&mut caller, 1, 6);
    let outcome = rig.outcome(&mut caller);
    assert_eq!((outcome.time_left, outcome.waited), (TimeLeft::For(nanos(30)), nanos(500)));
    assert_eq!((rig.served(1).age, rig.shard.counts.load_time), (Duration::ZERO, 500));
}

/// D8, D19.
#[test]
fn an_answer_after_the_first_is_discarded() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let mut first = rig.seat(1);
    rig.now += 5;
    let mut second = rig.seat(1);
    assert_eq!((first.step, second.step, second.own()), (Step::Make, Step::Make, 2));
    let mut third = rig.wait(1);
    rig.finish(&mut first, 1, 6);
    assert!(rig.wakes_somebody());
    assert_eq!(rig.finish(&mut second, 2, 7), Step::Told);
    assert!(!rig.wakes_somebody(), "no caller is woken twice (D15)");
    assert_eq!(rig.effects.rest().values, [7], "dropped outside the lock");
    assert_eq!((rig.told(&second), rig.served(1).value), (Some(Ok(6)), 6));
    rig.fail_unheard(&third, 2, failure("late"));
    assert_eq!((rig.told(&third), rig.shard.values.counts.stored), (Some(Ok(6)), 1));
    assert_eq!(rig.outcome(&mut third).attempt, Some(1));
}

/// D9: an answer beats an error, and then no failure is cached.
#[test]
fn a_failure_before_anothers_answer_is_not_kept() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), backoff: BACKOFF, ..rules() });
    let mut first = rig.seat(1);
    rig.now += 5;
    let mut second = rig.seat(1);
    assert_eq!(rig.finish_with_failure(&mut first, 1, failure("down")), Step::Told);
    assert_eq!((rig.told(&first), rig.told(&second)), (Some(Err("down")), None));
    assert_eq!(rig.shard.failures.len(), 0);
    rig.finish(&mut second, 2, 6);
    assert_eq!((rig.told(&second), rig.shard.failures.len(), rig.served(1).value), (Some(Ok(6)), 0, 6));
}

/// D47, D51.
#[test]
fn a_loaded_value_too_heavy_to_be_stored_ends_the_one_before() {
    let mut rig = Rig::new(rules());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    rig.load(1, Loaded::new(6).weight(101));
    assert_eq!((rig.keys().len(), rig.shard.values.counts.expired, rig.shard.values.counts.refused), (0, 1, 1));

    rig.insert(2, 5);
    assert_eq!(rig.insert(2, Loaded::new(6).weight(101)), None);
    assert_eq!((rig.keys().len(), rig.shard.values.counts.replaced, rig.shard.values.counts.refused), (0, 1, 2));
}

/// D46.
#[test]
fn a_capacity_of_zero_coalesces_and_stores_nothing() {
    let mut rig = Rig::with(0, Rules { backoff: BACKOFF, ..rules() });
    assert_eq!(rig.load(1, 6).value, 6);
    rig.load_fails(1, "down");
    assert_eq!((rig.insert(1, 5), rig.shard.weight()), (None, 0));
    let (first, second) = (rig.wait(1), rig.wait(1));
    assert_eq!((first.own(), second.own()), (1, 0));
}

/// D48: what was loaded can be read.
#[test]
fn a_newcomer_that_fits_is_admitted() {
    let mut rig = Rig::with(3, rules());
    for key in 0..50 {
        rig.load(key, Loaded::new(key).weight(u64::from(1 + key % 3)));
        assert_eq!(rig.served(key).value, key);
        assert!(rig.shard.weight() <= 3);
    }
}

/// D40: nothing of a detached load is stored, neither value nor failure.
#[test]
fn those_who_came_before_a_removal_have_the_loads_outcome_and_those_after_lead_anew() {
    let mut rig = Rig::new(Rules { backoff: BACKOFF, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    let (mut early, mut joined) = (rig.wait(1), rig.wait(1));
    assert_eq!(rig.remove(1), None, "it had expired");
    let mut late = rig.seat(1);
    assert_eq!((late.own(), late.step), (1, Step::Make), "beside it, without waiting");
    rig.answer(&mut early, 1, 6);
    let outcome = rig.outcome(&mut joined);
    assert_eq!((outcome.value, outcome.time_left), (6, TimeLeft::For(Duration::ZERO)));
    assert_eq!((rig.told(&late), rig.peek(1).is_none()), (None, true));

    rig.shard.flights.detach_all();
    rig.finish_with_failure(&mut late, 1, failure("down"));
    assert_eq!((rig.told(&late), rig.shard.failures.len()), (Some(Err("down")), 0));
}

/// P8, D42.
#[test]
fn a_load_that_a_write_has_voided_does_not_undo_it() {
    let mut rig = Rig::new(rules());
    let mut early = rig.seat(1);
    assert_eq!(rig.remove(1), None, "an absent key, and a write all the same");
    rig.insert(1, 8);
    rig.finish(&mut early, 1, 6);
    assert_eq!((rig.told(&early), rig.served(1).value), (Some(Ok(6)), 8));
    assert_eq!(rig.shard.values.counts.stored, 1);
}
