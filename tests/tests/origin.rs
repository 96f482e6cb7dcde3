//! The scenarios by which pingora-memory-cache 0.9.1 tests itself, in virtual time.
//!
//! Each has the name it has there. First comes what is asserted there, then what is promised here beyond it.

use larder::{
    Cache, Coalescing, Loaded, Loader, LookupOptions, OnTimeout,
    policy::{GatedFifo, Lru, Policy},
};
use larder_tests::*;

on_every_runtime! {
    basic_get
    basic_get_error
    concurrent_get
    concurrent_get_error
    concurrent_get_different_value
    get_lock_age
    get_lock_timeout
    multi_get
    inconsistent_miss_results
    lookup_error_in_a_multi_get
    get_stale
    get_stale_while_update
    c26_by_the_preset
    the_age_is_looked_at_on_arrival
    what_is_set_after_the_preset_counts
    what_was_set_before_the_preset_is_replaced
    memory_put_get_remove
    memory_get_expired
    memory_get_stale
    memory_eviction
    memory_multi_get_with_miss
    memory_put_get_with_mismatched_key
}

/// A loader that answers with the number of its calls: the first takes so long, the others no time.
fn counting(sim: &Sim, first: u64) -> Loads {
    sim.loads_by(move |_, call| if call == 0 { after(first) } else { ready() }.gives(call as u32 + 1))
}

/// `test_basic_get`: a miss, then a hit with the same value.
fn basic_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 1);
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: V1 Miss".into(), "0: V1 Hit".into()));
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_basic_get_error`: the caller has an error. Here it is the loader's own, and the next caller starts afresh.
fn basic_get_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 1);
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: E1".into(), "0: V2 Miss".into()));
    assert_eq!(cache.stats().errors, 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get`: three callers at once have the value of one load, though it takes time. (P1)
fn concurrent_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 50);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(50);
    for (i, status) in callers.into_iter().zip(["Miss", "LockHit", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("50: V1 {status}"));
    }
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get_error`: three callers at once have an error. Here one load costs all of them that error. (P4)
fn concurrent_get_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(50);
    let errors: Vec<_> = callers
        .into_iter()
        .map(|i| {
            assert_eq!(sim.saw(i), "50: E1");
            let Answer::Error(error) = sim.answer(i) else { panic!("it is an error") };
            core::ptr::from_ref(error.error().expect("it is the loader's own"))
        })
        .collect();
    assert!(errors.iter().all(|error| *error == errors[0]), "one error, by reference");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get_different_value`: callers of three keys do not wait for each other: 1 + 2 + 3 = 6. (P13)
fn concurrent_get_different_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(50).gives(call as u32 + 1));
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = [1, 3, 5].map(|key| sim.get(&cache, key));
    sim.to(50);
    for (i, value) in callers.into_iter().zip(1..) {
        assert_eq!(sim.saw(i), format!("50: V{value} Miss"));
    }
    assert_eq!((loads.keys(), loads.most()), (vec![1, 3, 5], 3));
    assert_clean(&cache.stats());
}

/// `test_get_lock_age`: callers who find the load over age load alone: 1 + 2 + 3 = 6. Here it can be seen that nothing
/// of theirs is stored; and by the default one newer attempt serves all, the first caller included. (P6)
fn get_lock_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(Some(ms(1000)), None)));
    let a = sim.get(&cache, 1);
    sim.to(1500);
    let (b, c) = (sim.get(&cache, 1), sim.get(&cache, 1));
    assert_eq!((sim.saw(b), sim.saw(c)), ("1500: V2 Miss".into(), "1500: V3 Miss".into()));
    assert!(!cache.contains(&1));
    sim.to(2000);
    assert_eq!(sim.saw(a), "2000: V1 Miss");
    assert_eq!(cache.get_if_present(&1).map(|v| *v), Some(1));
    assert_clean(&cache.stats());

    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(1000)));
    let a = sim.get(&cache, 1);
    sim.to(1500);
    let (b, c) = (sim.get(&cache, 1), sim.get(&cache, 1));
    assert_eq!((sim.saw(b), sim.saw(c)), ("1500: V2 Miss".into(), "1500: V2 Hit".into()));
    assert!(sim.saw(a).ends_with("V2 Miss"), "{}", sim.saw(a));
    assert_clean(&cache.stats());
}

/// `test_get_lock_timeout`: callers who have waited long enough load alone: 1 + 2 + 3 = 6. Here it can be seen that
/// nothing of theirs is stored; and by the default the first of them serves all. (P6, P7)
fn get_lock_timeout<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, Some(ms(1000)))));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(1000);
    assert_eq!((sim.saw(callers[1]), sim.saw(callers[2])), ("1000: V2 Miss".into(), "1000: V3 Miss".into()));
    assert!(!cache.contains(&1));
    sim.to(2000);
    assert_eq!(sim.saw(callers[0]), "2000: V1 Miss");
    assert_eq!(cache.get_if_present(&1).map(|v| *v), Some(1));
    assert_eq!(cache.stats().timeouts, 2);
    assert_clean(&cache.stats());

    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(1000), OnTimeout::Load));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(1000);
    for (i, status) in callers.into_iter().zip(["Miss", "Miss", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("1000: V2 {status}"));
    }
    assert_eq!((loads.calls(), loads.live()), (2, 0));
    assert_clean(&cache.stats());
}

/// `test_multi_get`: of three keys one is a hit; all are, the next time. Here duplicates cost nothing, and lookups of
/// single keys join. (P1)
fn multi_get<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    let alone = sim.get(&cache, 1);
    sim.to(50);
    assert_eq!(sim.saw(alone), "50: V1 Miss");
    let again = sim.get(&cache, 1);
    assert_eq!(sim.saw(again), "50: V1 Hit");
    let many = sim.many(&cache, &[1, 2, 3, 2]);
    let single = sim.get(&cache, 2);
    sim.to(100);
    assert_eq!(sim.saw(many), "100: V1 Hit, V2 Miss, V3 Miss, V2 Miss");
    assert_eq!(sim.saw(single), "100: V2 LockHit");
    let again = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(again), "100: V1 Hit, V2 Hit, V3 Hit");
    assert_eq!(batches.begun(), [(0, vec![1]), (50, vec![2, 3])]);
    assert_clean(&cache.stats());
}

/// `test_inconsistent_miss_results`: a batch load without answers panics there. Here each key fails by itself, a hit
/// stays one, and the next caller starts afresh. (P4, P5)
fn inconsistent_miss_results<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::saying(&sim.time, |_, _| after(50), |_| Vec::new());
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    cache.insert(1, V::new(1));
    for t in [50, 100] {
        let many = sim.many(&cache, &[4, 1, 5, 6]);
        sim.to(t);
        assert_eq!(sim.saw(many), format!("{t}: Missing, V1 Hit, Missing, Missing"));
        let Answer::Many(answers) = sim.answer(many) else { panic!("it asked for many") };
        assert!(matches!(&answers[0], Answer::Error(error) if error.is_missing()));
    }
    assert_eq!(batches.begun(), [(0, vec![4, 5, 6]), (50, vec![4, 5, 6])]);
    assert_clean(&cache.stats());
}

/// No test of theirs, but said there: an error of the batch load discards the hits. Here they are returned. (P4)
fn lookup_error_in_a_multi_get<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50).fails(1));
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    cache.insert(1, V::new(1));
    let many = sim.many(&cache, &[1, 2, 3]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Hit, E1, E1");
    assert_clean(&cache.stats());
}

/// A call of `get_stale` as it is made there: lifetime and staleness are the call's own.
fn ask_stale<R: Host>(sim: &mut Sim, cache: &Scripted<R>, limit: u64) -> usize {
    let cache = cache.clone();
    let options = LookupOptions::new().ttl(ms(100)).stale_while_refresh(ms(limit));
    sim.call(async move { cache.lookup_stale(&1, options).await })
}

/// `RTCache::test_get_stale`: a value of that staleness is served, and loaded anew where the limit is tighter. Here the
/// limit includes its last instant, and the refresh is at hand, to be dropped.
fn get_stale<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(1000)));
    let options = LookupOptions::new().ttl(ms(100));
    let (first, second) = (sim.ask(&cache, 1, options), sim.ask(&cache, 1, options));
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: V1 Miss".into(), "0: V1 Hit".into()));
    sim.to(150);
    for limit in [1000, 50] {
        let stale = ask_stale(&mut sim, &cache, limit);
        assert_eq!(sim.saw(stale), "150: V1 Stale(50) +ticket");
        drop(sim.ticket(stale));
    }
    let fussy = ask_stale(&mut sim, &cache, 30);
    assert_eq!(sim.saw(fussy), "150: V2 Expired");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// `test_get_stale_while_update`: the stale value at once, and a hit of the new one after that. Here the caller has the
/// refresh, and only one caller has it; one that wants it spawned says so. (P1)
fn get_stale_while_update<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(1000)));
    let first = sim.get(&cache, 1);
    assert_eq!(sim.saw(first), "0: V1 Miss");
    sim.to(150);
    let (stale, other) = (sim.stale(&cache, 1), sim.stale(&cache, 1));
    assert_eq!(sim.saw(stale), "150: V1 Stale(50) +ticket");
    assert_eq!(sim.saw(other), "150: V1 Stale(50)");
    sim.refresh(stale);
    let after = sim.get(&cache, 1);
    assert_eq!(sim.saw(after), "150: V2 Hit");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// The same where the runtime spawns: one task, however many stale hits there are. (P1, P12)
#[test]
fn get_stale_while_update_spawned() {
    run(|| {
        let mut sim = Sim::new();
        let loads = counting(&sim, 0);
        let spawner = Spawning::new(sim.clock());
        let cache: Cache<u32, Loader<Loads>, Spawning> = Cache::builder(spawner.clone())
            .loader(loads.clone())
            .ttl(ms(100))
            .stale_while_refresh(ms(1000))
            .build()
            .expect("valid");
        let ask = |sim: &mut Sim| {
            let cache = cache.clone();
            sim.call(async move { cache.get_stale_spawn(&1).await })
        };
        let first = ask(&mut sim);
        assert_eq!(sim.saw(first), "0: V1 Miss");
        sim.to(150);
        for _ in 0..3 {
            let stale = ask(&mut sim);
            assert_eq!(sim.saw(stale), "150: V1 Stale(50)");
        }
        let mut tasks = spawner.take();
        assert_eq!(tasks.len(), 1);
        sim.call(tasks.remove(0));
        let after = ask(&mut sim);
        assert_eq!(sim.saw(after), "150: V2 Hit");
        assert_eq!(loads.calls(), 2);
        assert_clean(&cache.stats());
    });
}

/// C26 by the preset: over-age callers load alone, are not shared, and store nothing. (P6)
fn c26_by_the_preset<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(300).gives(1), after(30).gives(2), after(30).gives(3)]);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(Some(ms(100)), None)));
    let a = sim.get(&cache, 7);
    sim.to(150);
    let c = sim.get(&cache, 7);
    sim.to(180);
    assert_eq!(sim.saw(c), "180: V2 Miss");
    assert!(!cache.contains(&7));
    sim.to(200);
    let d = sim.get(&cache, 7);
    sim.to(230);
    assert_eq!(sim.saw(d), "230: V3 Miss");
    assert!(!cache.contains(&7));
    sim.to(300);
    assert_eq!(sim.saw(a), "300: V1 Miss");
    assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
    assert_eq!(loads.calls(), 3);
    assert_clean(&cache.stats());
}

/// Both bounds of the preset: who waits already is not driven off by the age, but by the timeout. (P6, P7)
fn the_age_is_looked_at_on_arrival<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(400).gives(1), after(30).gives(2), after(30).gives(3)]);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(Some(ms(100)), Some(ms(200)))));
    let a = sim.get(&cache, 7);
    sim.to(50);
    let b = sim.get(&cache, 7);
    sim.to(150);
    let c = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 150]);
    sim.to(180);
    assert_eq!((sim.saw(b), sim.saw(c)), ("waits".into(), "180: V2 Miss".into()));
    sim.to(280);
    assert_eq!(sim.saw(b), "280: V3 Miss");
    assert_eq!(loads.begun(), [0, 150, 250]);
    sim.to(400);
    assert_eq!(sim.saw(a), "400: V1 Miss");
    assert_eq!((cache.stats().takeovers, cache.stats().timeouts), (0, 1));
    assert_clean(&cache.stats());
}

/// What is set after the preset replaces its own: an age that it was not given, another end of patience.
fn what_is_set_after_the_preset_counts<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(300).gives(1), ready().gives(2)]);
    let preset = Coalescing::pingora(None, Some(ms(10)));
    let cache =
        sim.cache::<R>(&loads, |c| c.coalescing(preset).lock_age(ms(100)).lock_timeout(ms(50), OnTimeout::Fail));
    let a = sim.ask(&cache, 7, LookupOptions::new().no_lock_timeout());
    let b = sim.get(&cache, 7);
    sim.to(50);
    assert_eq!(sim.saw(b), "50: LockTimeout");
    sim.to(150);
    let c = sim.get(&cache, 7);
    assert_eq!(sim.saw(c), "150: V2 Miss");
    assert!(!cache.contains(&7), "over-age callers load alone, as the preset says");
    sim.to(300);
    assert_eq!(sim.saw(a), "300: V1 Miss");
    assert_clean(&cache.stats());
}

/// What was set before the preset is replaced by it, also where it was given no bound; the rest stays.
fn what_was_set_before_the_preset_is_replaced<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let cache = sim.cache::<R>(&loads, |c| {
        let c = c.lock_age(ms(100)).lock_timeout(ms(50), OnTimeout::Fail).ttl(ms(500));
        c.coalescing(Coalescing::pingora(None, None))
    });
    let a = sim.get(&cache, 7);
    let b = sim.get(&cache, 7);
    sim.to(150);
    let c = sim.get(&cache, 7);
    sim.to(300);
    for (i, status) in [(a, "Miss"), (b, "LockHit"), (c, "LockHit")] {
        assert_eq!(sim.saw(i), format!("300: V1 {status}"));
    }
    assert_eq!(loads.calls(), 1);
    sim.to(800);
    assert!(!cache.contains(&7));
    assert_clean(&cache.stats());
}

/// A cache for direct use.
fn memory<R: Host>(sim: &Sim) -> Scripted<R> {
    sim.cache(&sim.loads(never()), |c| c.capacity(10).stale_while_refresh(Duration::MAX))
}

/// `MemoryCache`'s `test_get`, `test_put_get` and `test_put_get_remove`. Here `remove` gives the value back.
fn memory_put_get_remove<R: Host>() {
    let sim = Sim::new();
    let cache = memory::<R>(&sim);
    let get = |key| cache.get_if_present(&key).map(|v| *v);
    assert_eq!(get(1), None);
    for (key, value) in [(1, 2), (3, 4), (5, 6)] {
        cache.insert(key, V::new(value));
    }
    assert_eq!(get(1), Some(2));
    assert_eq!(cache.remove(&1).map(|v| *v), Some(2));
    assert_eq!(cache.remove(&3).map(|v| *v), Some(4));
    assert_eq!((get(1), get(3), get(5)), (None, None, Some(6)));
    assert_eq!(cache.remove(&1), None);
}

/// `test_get_expired`: after its lifetime a value is gone. Here, too, at its very end.
fn memory_get_expired<R: Host>() {
    let mut sim = Sim::new();
    let cache = memory::<R>(&sim);
    cache.insert_with(1, Loaded::new(V::new(2)).ttl(ms(1000)));
    sim.to(999);
    assert!(cache.contains(&1));
    for t in [1000, 1100] {
        sim.to(t);
        assert_eq!(cache.get_if_present(&1), None);
    }
}

/// `MemoryCache::test_get_stale`: the value is shown, and how stale it is; it is `peek` that looks here.
fn memory_get_stale<R: Host>() {
    let mut sim = Sim::new();
    let cache = memory::<R>(&sim);
    assert!(cache.peek(&1).is_none());
    cache.insert_with(1, Loaded::new(V::new(2)).ttl(ms(1000)));
    sim.to(1100);
    let stale = cache.peek(&1).expect("it is held");
    assert_eq!((**stale.value(), stale.status().stale()), (2, Some(ms(100))));
}

/// `test_eviction`: the first of three has to go where there is room for two. Here exact order is a policy of its own;
/// by any, the newcomer stays. (P12)
fn memory_eviction<R: Host>() {
    fn values<P: Policy, R: Host>() -> [Option<u32>; 3] {
        let sim = Sim::new();
        let cache = Cache::builder(R::on(sim.clock())).capacity(2).policy::<P>().per_call::<u32, Boom>();
        let cache = cache.build().expect("valid");
        for key in 1..=3 {
            cache.insert(key, 2 * key);
        }
        assert_eq!((cache.len(), cache.stats().evicted), (2, 1));
        [1, 2, 3].map(|key| cache.get_if_present(&key))
    }
    assert_eq!(values::<Lru, R>(), [None, Some(4), Some(6)]);
    assert_eq!(values::<GatedFifo, R>()[2], Some(6));
}

/// `MemoryCache::test_multi_get`: each key's value, and the keys without one.
fn memory_multi_get_with_miss<R: Host>() {
    let sim = Sim::new();
    let cache = memory::<R>(&sim);
    cache.insert(2, V::new(4));
    let keys = [1, 2, 3];
    let found = keys.map(|key| (key, cache.get_if_present(&key).map(|v| *v)));
    assert_eq!(found, [(1, None), (2, Some(4)), (3, None)]);
    let missed: Vec<_> = found.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
    assert_eq!(missed, [1, 3]);
    assert_eq!((cache.stats().hits, cache.stats().misses), (1, 2));
}

/// `test_put_get_with_mismatched_key`: keys are asked for in a borrowed form.
fn memory_put_get_with_mismatched_key<R: Host>() {
    let sim = Sim::new();
    let cache = Cache::builder::<String>(R::on(sim.clock())).per_call::<u32, Boom>().build().expect("valid");
    assert_eq!(cache.get_if_present("1"), None);
    cache.insert("1".into(), 2);
    assert_eq!(cache.get_if_present("1"), Some(2));
}
