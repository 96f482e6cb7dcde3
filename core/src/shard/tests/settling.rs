//! What is stored when a load ends, and what everybody is told.

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

/// D52, D20: load, then the call of who began the attempt, then the cache.
#[test]
fn lifetimes_and_weights_take_the_first_answer_there_is() {
    let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), lock_age: Some(nanos(5)), ..rules() });
    assert_eq!(rig.load(1, 6).time_left, TimeLeft::For(nanos(30)));
    assert_eq!(rig.load(2, Loaded::new(6).ttl(Ttl::Forever)).time_left, TimeLeft::Forever);

    let call =
        |ttl, weight| Call { terms: Terms { ttl: Ttl::For(nanos(ttl)), weight: Some(weight) }, ..rules().call() };
    let first = rig.wait_with(3, call(40, 4));
    let joined = rig.wait_with(3, call(50, 5));
    rig.now += 5;
    let _second = rig.wait_with(3, call(60, 6));
    rig.shard.flights.check_out(&joined.seat, 0, false, || ()).expect("a job");
    rig.answer(&joined, 1, 6);
    assert_eq!(rig.outcome(&first).time_left, TimeLeft::For(nanos(40)));
    assert_eq!(rig.shard.values.weight(), 1 + 1 + 4);

    let waiting = rig.wait_with(4, call(40, 4));
    rig.shard.flights.check_out(&waiting.seat, 0, false, || ()).expect("a job");
    rig.answer(&waiting, 1, Loaded::new(6).ttl(nanos(7)).weight(2));
    assert_eq!(rig.outcome(&waiting).time_left, TimeLeft::For(nanos(7)));
    assert_eq!(rig.shard.values.weight(), 1 + 1 + 4 + 2);
}

/// D5: a lifetime counts from publication.
#[test]
fn a_slow_load_does_not_eat_its_values_lifetime() {
    let mut rig = Rig::new(Rules { ttl: Ttl::For(nanos(30)), ..rules() });
    let mut waiting = rig.wait(1);
    assert!(matches!(rig.proceed(&mut waiting), Next::Drive(_)));
    rig.now += 500;
    rig.answer(&waiting, 1, 6);
    let outcome = rig.outcome(&waiting);
    assert_eq!((outcome.time_left, outcome.waited), (TimeLeft::For(nanos(30)), nanos(500)));
    assert_eq!((rig.served(1).age, rig.shard.counts.load_time), (Duration::ZERO, nanos(500)));
}

/// D8, D19.
#[test]
fn an_answer_after_the_first_is_discarded() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    assert!(matches!(rig.proceed(&mut first), Next::Drive(job) if job.number == 1));
    assert!(matches!(rig.proceed(&mut second), Next::Drive(job) if job.number == 2));
    rig.answer(&first, 1, 6);
    assert!(rig.effects.wake.is_some());
    rig.answer(&second, 2, 7);
    assert!(rig.effects.wake.is_none(), "nobody is woken twice (D15)");
    assert_eq!(rig.effects.value, Some(7), "dropped outside the lock");
    assert_eq!((rig.told(&second), rig.served(1).value), (Some(Ok(6)), 6));
    rig.fail(&second, 2, "late");
    assert_eq!((rig.told(&second), rig.shard.values.counts.stored), (Some(Ok(6)), 1));
}

/// D9: an answer beats an error, and then no failure is cached.
#[test]
fn a_failure_before_anothers_answer_is_not_kept() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), backoff: BACKOFF, ..rules() });
    let mut first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.wait(1);
    assert!(matches!(rig.proceed(&mut first), Next::Drive(_)));
    rig.fail(&first, 1, "down");
    assert!(rig.effects.wake.is_none());
    assert_eq!((rig.told(&first), rig.told(&second)), (Some(Err("down")), None));
    assert_eq!(rig.shard.failures.len(), 0);
    assert!(matches!(rig.proceed(&mut second), Next::Drive(_)));
    rig.answer(&second, 2, 6);
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
    assert_eq!((first.seat.began(), second.seat.began()), (Some(1), None));
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
    let (mut early, joined) = (rig.wait(1), rig.wait(1));
    assert_eq!(rig.remove(1), None, "it had expired");
    let mut late = rig.wait(1);
    assert_eq!(late.seat.began(), Some(1));
    assert!(matches!(rig.proceed(&mut early), Next::Drive(_)));
    rig.answer(&early, 1, 6);
    let outcome = rig.outcome(&joined);
    assert_eq!((outcome.value, outcome.time_left), (6, TimeLeft::For(Duration::ZERO)));
    assert_eq!((rig.told(&late), rig.peek(1).is_none()), (None, true));
    assert!(matches!(rig.proceed(&mut late), Next::Drive(_)), "beside it, without waiting");

    rig.shard.flights.detach_all();
    rig.fail(&late, 1, "down");
    assert_eq!((rig.told(&late), rig.shard.failures.len()), (Some(Err("down")), 0));
}

/// P8, D42.
#[test]
fn a_load_that_a_write_has_voided_does_not_undo_it() {
    let mut rig = Rig::new(rules());
    let mut early = rig.wait(1);
    assert!(matches!(rig.proceed(&mut early), Next::Drive(_)));
    assert_eq!(rig.remove(1), None, "an absent key, and a write all the same");
    rig.insert(1, 8);
    rig.answer(&early, 1, 6);
    assert_eq!((rig.told(&early), rig.served(1).value), (Some(Ok(6)), 8));
    assert_eq!(rig.shard.values.counts.stored, 1);
}
