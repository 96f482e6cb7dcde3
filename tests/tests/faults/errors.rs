//! A failure is shared by the callers that waited for it, and by no later ones unless it is cached.

use larder::{Cache, Generation, Instant, Tuned, policy::Lru};
use larder_tests::*;

on_every_runtime! {
    c18_a_thousand_and_a_failing_load
    c19_error_ttl
    c19_a_write_ends_a_cached_failure
    c20_back_off
    c20_a_success_ends_the_back_off
    c21_stale_if_error
    c21_not_for_what_was_removed_meanwhile
    a_cached_failure_beside_a_stale_value
    a_kept_failure_leaves_the_value_that_softens_it
    a_dropped_load_is_no_failure
    a_cached_failure_is_an_entry_nobody_sees
}

/// The loader's own error in the result of caller `i`.
#[track_caller]
fn boom(sim: &Sim, i: usize) -> *const Boom {
    match sim.answer(i) {
        Answer::Error(error) => error.error().expect("it failed with an error"),
        other => panic!("caller {i}: {other}"),
    }
}

/// When caller `i` may retry, by the failure that it got.
#[track_caller]
fn retry_at(sim: &Sim, i: usize) -> Option<Instant> {
    match sim.answer(i) {
        Answer::Error(error) => error.failure().and_then(|failure| failure.retry_at()),
        Answer::Outcome(outcome, _) => outcome.error().and_then(|failure| failure.retry_at()),
        other => panic!("caller {i}: {other}"),
    }
}

/// C18: a thousand callers of a failing load share one error, by reference, and one load. (P4)
fn c18_a_thousand_and_a_failing_load<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(50).fails(1), after(50).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c);
    let callers = sim.crowd(&cache, 7, 1000);
    sim.to(50);
    for i in &callers {
        assert_eq!(sim.saw(*i), "50: E1");
        assert_eq!(boom(&sim, *i), boom(&sim, callers[0]));
    }
    assert_eq!(loads.calls(), 1);
    sim.to(51);
    let late = sim.get(&cache, 7);
    sim.to(101);
    assert_eq!(sim.saw(late), "101: V2 Miss");
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.misses, stats.loads_failed, stats.loads_succeeded), (1000, 1, 1, 1));
    assert_clean(&stats);
}

/// C19: within the error TTL callers get the same error, marked as cached; at its end one caller loads. (P4)
fn c19_error_ttl<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(50).fails(1), after(50).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
    let first = sim.get(&cache, 7);
    sim.to(50);
    assert_eq!(sim.saw(first), "50: E1");
    for t in [50, 51, 500, 1049] {
        sim.to(t);
        let told = sim.get(&cache, 7);
        assert_eq!(sim.saw(told), format!("{t}: E1 cached"));
        assert_eq!(boom(&sim, told), boom(&sim, first));
        assert_eq!(retry_at(&sim, told), Some(sim.time.instant(1050)));
    }
    assert_eq!(loads.calls(), 1);
    sim.to(1050);
    let next = sim.get(&cache, 7);
    sim.to(1100);
    assert_eq!(sim.saw(next), "1100: V2 Miss");
    assert_eq!(loads.begun(), [0, 1050]);
    assert_clean(&cache.stats());
}

/// C19: `remove`, `insert` and `clear` end a cached failure. (P4, P8)
fn c19_a_write_ends_a_cached_failure<R: Host>() {
    for write in ["remove", "insert", "insert nothing", "clear"] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([ready().fails(1), ready().gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
        let first = sim.get(&cache, 7);
        assert_eq!(sim.saw(first), "0: E1");
        sim.to(10);
        let mut expected = "10: V2 Miss";
        match write {
            "remove" => assert!(cache.remove(&7).is_none()),
            "clear" => cache.clear(),
            "insert" => {
                cache.insert_with(7, larder::Loaded::new(V::new(9)).ttl(ms(50)));
                expected = "10: V9 Hit";
            }
            _ => assert_eq!(cache.insert_with(7, larder::Loaded::new(V::new(9)).ttl(ms(0))), None::<Generation>),
        }
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next), expected, "{write}");
        // It does not come back when the value has left.
        sim.to(60);
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next).replace("Expired", "Hit"), "60: V2 Hit", "{write}");
        assert_clean(&cache.stats());
    }
}

/// C20: delays of 100, 200, 400 and then 400 between failing loads, however often callers ask. (P4)
fn c20_back_off<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(100)).error_backoff(2.0, ms(400)));
    for t in 0..=120 {
        sim.to(10 * t);
        let i = sim.get(&cache, 7);
        assert!(sim.saw(i).contains(": E1"), "{}", sim.saw(i));
    }
    assert_eq!(loads.begun(), [0, 100, 300, 700, 1100]);
    assert_clean(&cache.stats());
}

/// C20: after a success the next failure waits for the first delay again. (P4)
fn c20_a_success_ends_the_back_off<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| if call == 2 { ready().gives(2).ttl(ms(50)) } else { ready().fails(1) });
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(100)).error_backoff(2.0, ms(400)));
    for t in 0..=80 {
        sim.to(10 * t);
        sim.get(&cache, 7);
    }
    // Failures at 0 and 100, a success at 300 that lives until 350; then the same as at the start.
    assert_eq!(loads.begun(), [0, 100, 300, 350, 450, 650]);
    assert_clean(&cache.stats());
}

/// C21: if a load fails, all waiting callers get the expired value within the limit, its age and the error. (P4)
fn c21_stale_if_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(500)));
    cache.insert(7, V::new(0));
    sim.to(190);
    let callers = sim.crowd(&cache, 7, 10);
    sim.to(200);
    for i in callers {
        assert_eq!(sim.saw(i), "200: V0 Stale(100) +E1");
    }
    assert_eq!(loads.calls(), 1);
    sim.to(590);
    let inside = sim.get(&cache, 7);
    sim.to(600);
    assert_eq!(sim.saw(inside), "600: V0 Stale(500) +E1");
    let beyond = sim.get(&cache, 7);
    sim.to(610);
    assert_eq!(sim.saw(beyond), "610: E1");
    let stats = cache.stats();
    assert_eq!((stats.stale, stats.errors, stats.loads_failed), (11, 1, 3));
    assert_clean(&stats);
}

/// C21: a value that was removed while the load ran is not restored by its failure. (P4, P8)
fn c21_not_for_what_was_removed_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(500)));
    cache.insert(7, V::new(0));
    sim.to(190);
    let caller = sim.get(&cache, 7);
    sim.to(195);
    assert_eq!(cache.remove(&7), None, "only a fresh value is given back");
    sim.to(200);
    assert_eq!(sim.saw(caller), "200: E1");
    assert!(cache.peek(&7).is_none());
    assert_clean(&cache.stats());
}

/// Within the error TTL a value inside the limit is served with the error beside it, and no load begins. (P4)
fn a_cached_failure_beside_a_stale_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(200)).error_ttl(ms(1000)));
    cache.insert(7, V::new(0));
    for (t, expected) in [
        (150, "150: V0 Stale(50) +E1"),
        (151, "151: V0 Stale(51) +E1"),
        (300, "300: V0 Stale(200) +E1"),
        (301, "301: E1 cached"),
        (1149, "1149: E1 cached"),
    ] {
        sim.to(t);
        let i = sim.get(&cache, 7);
        assert_eq!(sim.saw(i), expected);
        // Only a kept failure has a retry time: the one at 150 has just been made.
        assert_eq!(retry_at(&sim, i), (t > 150).then(|| sim.time.instant(1150)));
    }
    assert_eq!(loads.begun(), [150]);
    assert_clean(&cache.stats());
}

/// D32: a kept failure takes its room from other values before the one that is served instead of it. (P4, P12)
fn a_kept_failure_leaves_the_value_that_softens_it<R: Host>() {
    let mut sim = Sim::new();
    let builder = Cache::builder_with(R::on(sim.clock()), Tuned::<Lru>::new()).capacity(8).shards(1);
    let builder = builder.ttl(ms(100)).stale_if_error(ms(200)).error_ttl(ms(1000));
    let cache = builder.loader(sim.loads(ready().fails(1))).build().expect("valid");
    (0..8).for_each(|key| _ = cache.insert(key, V::new(key)));
    for (t, expected) in [(150, "150: V0 Stale(50) +E1"), (160, "160: V0 Stale(60) +E1")] {
        sim.to(t);
        let own = cache.clone();
        let oldest = sim.call(async move { own.lookup(&0).await });
        assert_eq!(sim.saw(oldest), expected);
    }
    assert_eq!((cache.weight(), cache.len()), (8, 7));
    assert_clean(&cache.stats());
}

/// A load that is dropped because its caller left is not a failure: nothing is cached, nothing counted. (P4)
fn a_dropped_load_is_no_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
    let first = sim.get(&cache, 7);
    sim.to(10);
    sim.drop(first);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "10: V2 Miss");
    let stats = cache.stats();
    assert_eq!((stats.loads_dropped, stats.loads_failed, stats.abandoned, stats.errors), (1, 0, 1, 0));
    assert_clean(&stats);
}

/// A cached failure weighs 1 and stays inside the capacity; direct reads, `len` and `iter` do not show it. (P4, P12)
fn a_cached_failure_is_an_entry_nobody_sees<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10).shards(1).error_ttl(ms(1_000_000)));
    for key in 0..1000 {
        sim.get(&cache, key);
        assert!(cache.weight() <= 10);
    }
    assert_eq!((cache.len(), cache.iter().count()), (0, 0));
    assert!(cache.get_if_present(&999).is_none() && cache.peek(&999).is_none() && !cache.contains(&999));
    let before = loads.calls();
    let cached = sim.get(&cache, 999);
    assert_eq!(sim.saw(cached), "0: E1 cached");
    assert_eq!(loads.calls(), before);
    sim.get(&cache, 0);
    assert_eq!(loads.calls(), before + 1, "the oldest failure had to leave");
    cache.clear();
    for key in 0..10 {
        cache.insert(key, V::new(key));
    }
    sim.get(&cache, 500);
    assert_eq!((cache.weight(), cache.len()), (10, 9), "a value had to make room for the failure");
    assert_clean(&cache.stats());
}
