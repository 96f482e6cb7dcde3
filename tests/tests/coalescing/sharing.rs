//! Callers that ask for the same key share one load.

use larder::{Cache, LoadError, Loaded, Tuned, policy::GatedFifo};
use larder_tests::*;

on_every_runtime! {
    c01_a_hundred_at_once
    c03_keys_do_not_wait_for_each_other
    c04_every_way_of_asking_shares_the_load
    c04_a_borrowing_leader_is_joined_as_well
    c04_owned_loads_of_each_call
    c05_shared_though_nothing_can_be_kept
    c05_many_keys_through_capacity_one
    c06_equal_hashes
}

/// C01: a hundred callers cost one load, and all get its value at once. (P1)
fn c01_a_hundred_at_once<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let callers = sim.crowd(&cache, 7, 100);
    sim.to(49);
    assert!(callers.iter().all(|i| sim.saw(*i) == "waits"));
    sim.to(50);
    assert_eq!(sim.saw(callers[0]), "50: V1 Miss");
    for i in &callers[1..] {
        assert_eq!(sim.saw(*i), "50: V1 LockHit");
    }
    assert_eq!(loads.calls(), 1);
    sim.to(51);
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "51: V1 Hit");
    let Answer::Outcome(outcome, _) = sim.answer(late) else { panic!("a lookup has an outcome") };
    assert_eq!((outcome.age(), outcome.led(), outcome.waited()), (ms(1), false, ms(0)));
    let Answer::Outcome(outcome, _) = sim.answer(callers[0]) else { panic!("a lookup has an outcome") };
    assert_eq!((outcome.age(), outcome.led(), outcome.waited(), outcome.attempt()), (ms(0), true, ms(50), Some(1)));
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.joined, stats.hits), (1, 99, 1));
    assert_clean(&stats);
}

/// C03: 200 keys load side by side, and all are there after the time of one load. (P13)
fn c03_keys_do_not_wait_for_each_other<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(50).gives(key));
    let cache = sim.cache::<R>(&loads, |c| c);
    let callers: Vec<_> = (0..200).map(|key| sim.get(&cache, key)).collect();
    assert_eq!(loads.live(), 200);
    sim.to(50);
    for (key, i) in callers.into_iter().enumerate() {
        assert_eq!(sim.saw(i), format!("50: V{key} Miss"));
    }
    assert_clean(&cache.stats());
}

/// C04: `get`, `lookup` and `get_with` on one missing key share the load of the first caller. (P1)
fn c04_every_way_of_asking_shares_the_load<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let get = sim.call(get(&cache));
    let lookup = sim.get(&cache, 7);
    let never_called = Rc::new(Cell::new(false));
    let with = sim.call(get_with(&cache, &sim.time, &never_called, 0, 9));
    let stale = sim.stale(&cache, 7);
    sim.to(50);
    assert_eq!(sim.saw(get), "50: V1");
    assert_eq!(sim.saw(lookup), "50: V1 LockHit");
    assert_eq!(sim.saw(with), "50: V1");
    assert_eq!(sim.saw(stale), "50: V1 LockHit");
    assert!(!never_called.get());
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C04: the same if the borrowing closure of `get_with` is first: the cache's loader is not called. (P1)
fn c04_a_borrowing_leader_is_joined_as_well<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let called = Rc::new(Cell::new(false));
    let with = sim.call(get_with(&cache, &sim.time, &called, 40, 9));
    let lookup = sim.get(&cache, 7);
    let get = sim.call(get(&cache));
    sim.to(40);
    assert_eq!(sim.saw(with), "40: V9");
    assert_eq!(sim.saw(lookup), "40: V9 LockHit");
    assert_eq!(sim.saw(get), "40: V9");
    assert!(called.get());
    assert_eq!(loads.calls(), 0);
    assert_clean(&cache.stats());
}

/// C04: a cache without a loader of its own: the first caller's owned future serves all. (P1, P2)
fn c04_owned_loads_of_each_call<R: Host>() {
    let mut sim = Sim::new();
    let cache = Cache::<_, V, Boom, _>::builder(R::on(sim.clock())).build().expect("valid");
    let calls = Rc::new(Cell::new(0));
    let load = |n: u32| {
        let (calls, time) = (calls.clone(), sim.time.clone());
        async move || {
            calls.set(calls.get() + 1);
            sleep(&time, 50).await;
            Ok::<_, Boom>(V::new(n))
        }
    };
    let (one, two, three) = (load(1), load(2), load(3));
    let (a, b, c) = (cache.clone(), cache.clone(), cache.clone());
    let first = sim.call(async move { a.get_or_load(&7, one).await });
    let second = sim.call(async move { b.get_or_load(&7, two).await });
    let third = sim.call(async move { c.lookup(&7).by(async move || three().await.map(Loaded::from)).await });
    sim.drop(first);
    sim.to(50);
    assert_eq!(sim.saw(second), "50: V1");
    assert_eq!(sim.saw(third), "50: V1 LockHit");
    assert_eq!(calls.get(), 1);
    assert_clean(&cache.stats());
}

/// C05: all waiting callers get an answer that may not be kept. (P10)
fn c05_shared_though_nothing_can_be_kept<R: Host>() {
    type Twist<R> = fn(Setup<R>) -> Setup<R>;
    let runs: [(Script, Twist<R>); 4] = [
        (after(50).gives(1).ttl(ms(0)), |c| c),
        (after(50).gives(1).ttl(larder::Ttl::NotStored), |c| c),
        (after(50).gives(1), |c| c.capacity(0)),
        (after(50).gives(1).weight(101), |c| c.capacity(100)),
    ];
    for (script, twist) in runs {
        let mut sim = Sim::new();
        let loads = sim.loads(script);
        let cache = sim.cache(&loads, twist);
        let callers = sim.crowd(&cache, 7, 1000);
        sim.to(50);
        assert_eq!(sim.saw(callers[0]), "50: V1 Miss");
        for i in &callers[1..] {
            assert_eq!(sim.saw(*i), "50: V1 LockHit");
        }
        assert_eq!(loads.calls(), 1);
        let late = sim.get(&cache, 7);
        assert_eq!((sim.saw(late).as_str(), loads.calls()), ("waits", 2));
        sim.to(100);
        assert_eq!(sim.saw(late), "100: V1 Miss");
        assert_eq!((cache.len(), cache.weight()), (0, 0));
        assert_clean(&cache.stats());
    }
}

/// C05: 50 keys with 20 waiters each through a capacity of one entry: 50 loads. (P10, P12)
fn c05_many_keys_through_capacity_one<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(50).gives(key));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(1));
    let mut callers = Vec::new();
    for _ in 0..20 {
        for key in 0..50 {
            callers.push((key, sim.get(&cache, key)));
        }
    }
    sim.to(50);
    for (key, i) in callers {
        assert!(sim.saw(i).starts_with(&format!("50: V{key} ")), "{}", sim.saw(i));
    }
    assert_eq!(loads.calls(), 50);
    assert_eq!(cache.weight(), 1);
    assert_clean(&cache.stats());
}

/// C06: with a hasher that returns 0 for every key, each key still has its own load, value and error. (P9)
fn c06_equal_hashes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| if key == 13 { after(50).fails(13) } else { after(50).gives(key) });
    let cache = Cache::builder_with(R::on(sim.clock()), Tuned::<GatedFifo, _>::with_hasher(Same))
        .loader(loads.clone())
        .build()
        .expect("valid");
    let callers: Vec<_> = (0..40)
        .map(|i| {
            let cache = cache.clone();
            sim.call(async move { cache.get(&(i % 20)).await })
        })
        .collect();
    assert_eq!(loads.live(), 20);
    sim.to(50);
    for (i, caller) in callers.into_iter().enumerate() {
        let expected = if i % 20 == 13 { "50: E13".into() } else { format!("50: V{}", i % 20) };
        assert_eq!(sim.saw(caller), expected);
    }
    for key in 0..20 {
        assert_eq!(cache.get_if_present(&key).map(|v| *v), (key != 13).then_some(key));
    }
    assert_eq!(loads.calls(), 20);
    assert_clean(&cache.stats());
}

fn get<R: Host>(cache: &Scripted<R>) -> impl Future<Output = Result<V, LoadError<Boom>>> + use<R> {
    let cache = cache.clone();
    async move { cache.get(&7).await }
}

fn get_with<R: Host>(
    cache: &Scripted<R>,
    time: &Time,
    called: &Rc<Cell<bool>>,
    delay: u64,
    n: u32,
) -> impl Future<Output = Result<V, LoadError<Boom>>> + use<R> {
    let (cache, time, called) = (cache.clone(), time.clone(), called.clone());
    async move {
        let called = &called; // a closure that borrows from its caller
        let load = || async {
            called.set(true);
            sleep(&time, delay).await;
            Ok::<_, Boom>(V::new(n))
        };
        cache.get_with(&7, load).await
    }
}
