//! All values at once: expired by a call, or no longer trusted.

use larder::{Cache, Instant, Loaded, LookupOptions, RemovalCause, Status, TimeLeft};
use larder_tests::*;

on_every_runtime! {
    d112_all_values_are_stale
    d112_loads_under_way
    d112_a_part_of_a_batch
    d112_without_limits
    d112_what_comes_later
    d112_a_kept_failure_stays
    d113_until_then
    d38_what_leaves_after_it_had_expired
    d113_a_process_that_was_stopped
    d113_stale_limits_count_from_then
    d113_it_comes_back
    d113_the_earlier_end_counts
    d113_what_is_stored_after_it
    d113_where_nothing_expires
    p10_what_is_fresh_again_softens_a_failure
}

/// D112: as stale ones they are served where a load fails, or while one is under way.
fn d112_all_values_are_stale<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache =
        sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).stale_if_error(ms(50)).stale_while_refresh(ms(30)).shards(4));
    for key in 0..1000 {
        cache.insert(key, V::new(key));
    }
    sim.to(900);
    cache.remove(&0);
    assert_eq!((cache.expire_all(), cache.expire_all(), cache.len()), (999, 0, 999));
    assert!((0..1000).all(|key| !cache.contains(&key)) && cache.iter().next().is_none());
    assert_eq!(cache.peek(&1).map(|found| found.status()), Some(Status::Stale(ms(0))));
    sim.to(930);
    let (stale, failing) = (sim.stale(&cache, 7), sim.get(&cache, 8));
    assert!(sim.saw(stale).starts_with("930: V7 Stale(30)"), "{}", sim.saw(stale));
    sim.to(940);
    assert_eq!(sim.saw(failing), "940: V8 Stale(40) +E1");
    assert_eq!(cache.stats().removed, 1, "nothing else has left by a call");
}

/// D112, P8: who waits has what a load returns that began before; it is not stored, and later callers load again.
fn d112_loads_under_way<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).gives(1), after(10).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)));
    let before = sim.get(&cache, 7);
    sim.to(5);
    assert_eq!(cache.expire_all(), 0);
    let behind = sim.get(&cache, 7);
    sim.to(10);
    assert_eq!(sim.saw(before), "10: V1 Miss");
    assert!(cache.peek(&7).is_none());
    sim.to(15);
    assert_eq!(sim.saw(behind), "15: V2 Miss");
    assert!(cache.contains(&7));
    assert_clean(&cache.stats());
}

/// D112, D65: and so for each key of a load of many.
fn d112_a_part_of_a_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(10));
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(1000)));
    let many = sim.many(&cache, &[1, 2]);
    cache.expire_all();
    sim.to(10);
    assert_eq!(sim.saw(many), "10: V1 Miss, V2 Miss");
    assert_eq!(cache.len(), 0);
    assert_clean(&cache.stats());
}

/// D112: without a limit for stale values they go as any expired ones do.
fn d112_without_limits<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready());
    let cache = sim.cache::<R>(&loads, |c| c);
    for key in 0..100 {
        cache.insert(key, V::new(key));
    }
    assert_eq!((cache.expire_all(), cache.sweep(), cache.len()), (100, 100, 0));
    assert_eq!(cache.stats().expired_out, 100);
}

/// D112: what comes after it is fresh.
fn d112_what_comes_later<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)));
    cache.insert(7, V::new(1));
    cache.expire_all();
    let loaded = sim.get(&cache, 7);
    cache.insert(8, V::new(3));
    assert_eq!(sim.saw(loaded), "0: V2 Expired");
    assert!(cache.contains(&7) && cache.contains(&8));
}

/// D112: as after `expire`.
fn d112_a_kept_failure_stays<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(100)));
    sim.get(&cache, 7);
    cache.expire_all();
    let again = sim.get(&cache, 7);
    assert_eq!((sim.saw(again).as_str(), loads.calls()), ("0: E1 cached", 1));
}

/// What is told of a key: its status and the time left.
fn seen<R: Host>(cache: &Cache<u32, V, Boom, R>, key: u32) -> Option<(Status, TimeLeft)> {
    cache.peek(&key).map(|found| (found.status(), found.time_left()))
}

/// D113, D1: fresh until then and not at it, by every way to ask.
fn d113_until_then<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).stale_while_refresh(ms(500)));
    cache.insert(7, V::new(1));
    cache.insert(8, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(99);
    assert!(cache.contains(&7) && cache.iter().count() == 2);
    assert_eq!(cache.get_if_present(&7).map(|value| *value), Some(1));
    assert_eq!(seen(&cache, 7), Some((Status::Hit, TimeLeft::For(ms(901)))));
    sim.to(100);
    assert!(!cache.contains(&7) && cache.iter().count() == 0 && cache.len() == 2);
    assert!(cache.get_if_present(&7).is_none() && cache.lookup_if_present(&7).is_none());
    assert_eq!(seen(&cache, 7), Some((Status::Stale(ms(0)), TimeLeft::For(ms(0)))));
    assert!(cache.remove(&8).is_none());
    let (lookup, many) = (sim.get(&cache, 7), sim.many(&cache, &[7]));
    assert_eq!((sim.saw(lookup).as_str(), sim.saw(many).as_str()), ("100: V2 Expired", "100: V2 Expired"));
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// D113: nothing has to happen when the time is over.
fn d113_a_process_that_was_stopped<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(2));
    let cache = sim.cache::<R>(&loads, |c| c);
    cache.insert(7, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(1_000_000);
    let hit = sim.get(&cache, 7);
    assert_eq!(sim.saw(hit), "1000000: V2 Expired");
}

/// D113, D2: a caller's limits apply.
fn d113_stale_limits_count_from_then<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(5).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(30)).stale_if_error(ms(60)));
    cache.insert(7, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(130);
    let (stale, fussy) = (sim.stale(&cache, 7), sim.ask(&cache, 7, LookupOptions::new().stale_if_error(ms(34))));
    assert_eq!(sim.saw(stale), "130: V1 Stale(30) +ticket");
    sim.to(135);
    assert_eq!(sim.saw(fussy), "135: E1");
    sim.to(155);
    let last = sim.get(&cache, 7);
    sim.to(160);
    assert_eq!(sim.saw(last), "160: V1 Stale(60) +E1");
    let none = sim.get(&cache, 7);
    sim.to(165);
    assert_eq!(sim.saw(none), "165: E1");
}

/// D113: renewed, the values are what they were; nothing has been voided or dropped.
fn d113_it_comes_back<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)));
    let generation = cache.insert(7, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(200);
    let (beside, over) = (sim.get(&cache, 8), sim.get(&cache, 7));
    assert_eq!(cache.sweep(), 0);
    cache.trust_until(sim.time.instant(5000));
    let hit = sim.get(&cache, 7);
    assert_eq!(sim.saw(hit), "200: V1 Hit");
    assert_eq!(cache.peek(&7).and_then(|found| found.generation()), generation);
    assert_eq!(seen(&cache, 7), Some((Status::Hit, TimeLeft::For(ms(800)))));
    sim.to(250);
    assert_eq!((sim.saw(beside).as_str(), sim.saw(over).as_str()), ("250: V2 Miss", "250: V2 Expired"));
    assert!(cache.contains(&8));
    cache.trust_until(Instant::NEVER);
    sim.to(1249);
    assert!(cache.contains(&8));
    assert_clean(&cache.stats());
}

/// D113: a lifetime that is over is not prolonged.
fn d113_the_earlier_end_counts<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(50)).stale_while_refresh(ms(1000)));
    cache.insert(7, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(150);
    assert_eq!(seen(&cache, 7), Some((Status::Stale(ms(100)), TimeLeft::For(ms(0)))));
    cache.trust_until(sim.time.instant(5000));
    assert!(!cache.contains(&7));
}

/// D113, P10: it is delivered, and counts as expired until the time is moved on.
fn d113_what_is_stored_after_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c);
    cache.trust_until(sim.time.instant(0));
    let (first, second) = (sim.get(&cache, 7), sim.get(&cache, 7));
    assert_eq!((sim.saw(first).as_str(), sim.saw(second).as_str()), ("0: V1 Miss", "0: V2 Expired"));
    cache.trust_until(sim.time.instant(1));
    let hit = sim.get(&cache, 7);
    assert_eq!(sim.saw(hit), "0: V2 Hit");
}

/// D113, P11: the clock is read from the first call on, by hits of idle time, too.
fn d113_where_nothing_expires<R: Host>() {
    for idle in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = sim.cache::<R>(&loads, |c| if idle { c.time_to_idle(ms(1_000_000)) } else { c });
        sim.to(1000);
        cache.insert(7, V::new(1));
        cache.trust_until(Instant::NEVER);
        assert!(cache.contains(&7));
        cache.trust_until(sim.time.instant(900));
        assert!(!cache.contains(&7) && cache.get_if_present(&7).is_none());
        let hit = sim.get(&cache, 7);
        assert_eq!(sim.saw(hit), "1000: V2 Expired");
    }
}

/// D38, D113: what leaves when it is not trusted any more had expired, whatever takes it out.
fn d38_what_leaves_after_it_had_expired<R: Host>() {
    let acts: [fn(&Scripted<R>); 6] = [
        |cache| assert!(cache.remove(&7).is_none()),
        |cache| _ = cache.insert(7, V::new(8)),
        |cache| cache.clear(),
        |cache| cache.set_capacity(0),
        |cache| _ = cache.insert_with(7, Loaded::new(V::new(8)).weight(1000)),
        |cache| _ = cache.remove_if(|_| true),
    ];
    for (n, act) in acts.into_iter().enumerate() {
        let mut sim = Sim::new();
        let heard = Rc::<RefCell<Vec<_>>>::default();
        let hears = heard.clone();
        let listener = move |key: &u32, value: &V, cause| hears.borrow_mut().push((*key, **value, cause));
        let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(100).listener(listener));
        cache.insert(7, V::new(7));
        cache.trust_until(Instant::from_nanos(100_000_000));
        sim.to(100);
        act(&cache);
        assert_eq!(heard.borrow().first(), Some(&(7, 7, RemovalCause::Expired)), "{n}");
        let stats = cache.stats();
        assert_eq!((stats.expired_out, stats.removed, stats.replaced, stats.evicted), (1, 0, 0, 0), "{n}");
        assert_clean(&stats);
    }
}

/// P10: a load that fails takes nothing from its caller that any other call gets: neither what is fresh again, nor what
/// somebody else has stored meanwhile.
fn p10_what_is_fresh_again_softens_a_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).stale_if_error(ms(500)));
    cache.insert(7, V::new(1));
    cache.trust_until(sim.time.instant(100));
    sim.to(150);
    let first = sim.get(&cache, 7);
    sim.to(155);
    cache.trust_until(sim.time.instant(5000));
    sim.to(160);
    assert_eq!(sim.saw(first), "160: V1 Hit +E1");
    let second = sim.get(&cache, 8);
    let reload = sim.ask(&cache, 8, LookupOptions::new().reload());
    sim.to(165);
    cache.remove(&8);
    cache.insert(8, V::new(2));
    sim.to(170);
    assert_eq!((sim.saw(second), sim.saw(reload)), ("170: V2 Hit +E1".into(), "170: E1".into()));
    assert_clean(&cache.stats());
}
