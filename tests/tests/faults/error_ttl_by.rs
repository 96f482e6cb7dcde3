//! How long a failure is kept may depend on the error.

use larder::{Cache, Loaded};
use larder_tests::*;

on_every_runtime! {
    d108_by_the_error
    d108_it_neither_lengthens_nor_ends_the_backoff
    d108_where_nothing_else_keeps_failures
    d108_by_the_errors_of_a_load_of_many_keys
    d108_a_closure_that_panics
    d108_it_runs_outside_the_lock
}

/// The first error is kept for 50, the second not at all; the others by the cache's setting.
fn by_number(error: &Boom) -> Option<Duration> {
    match error.0 {
        1 => Some(ms(50)),
        2 => Some(ms(0)),
        _ => None,
    }
}

/// D108: it precedes the error TTL, and neither increases nor ends the back-off.
fn d108_by_the_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().fails(2), ready().fails(3), ready().fails(1)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(100)).error_backoff(2.0, ms(1000)).error_ttl_by(by_number));
    let ask = |sim: &mut Sim| {
        let caller = sim.get(&cache, 7);
        sim.saw(caller)
    };
    assert_eq!(ask(&mut sim), "0: E1");
    sim.to(49);
    assert_eq!(ask(&mut sim), "49: E1 cached");
    sim.to(50);
    assert_eq!(ask(&mut sim), "50: E2");
    assert_eq!(ask(&mut sim), "50: E3", "the second is not kept");
    sim.to(149);
    assert_eq!(ask(&mut sim), "149: E3 cached");
    sim.to(150);
    assert_eq!(ask(&mut sim), "150: E1");
    sim.to(199);
    assert_eq!(ask(&mut sim), "199: E1 cached");
    sim.to(200);
    assert_eq!((ask(&mut sim).as_str(), loads.calls()), ("200: E1", 5));
    assert_clean(&cache.stats());
}

/// D108: a length of its own, longer or shorter, does not count for the failures after it.
fn d108_it_neither_lengthens_nor_ends_the_backoff<R: Host>() {
    let ask = |sim: &mut Sim, cache: &Scripted<R>| {
        let caller = sim.get(cache, 7);
        sim.saw(caller)
    };
    let backoff = |c: Setup<R>| c.error_ttl(ms(10)).error_backoff(2.0, ms(1000));
    let (mut sim, longer) = (Sim::new(), |error: &Boom| (error.0 == 1).then_some(ms(300)));
    let loads = sim.loads_in_turn([ready().fails(1), ready().fails(3), ready().fails(4)]);
    let cache = sim.cache::<R>(&loads, |c| backoff(c).error_ttl_by(longer));
    assert_eq!(ask(&mut sim, &cache), "0: E1");
    sim.to(299);
    assert_eq!(ask(&mut sim, &cache), "299: E1 cached");
    sim.to(300);
    assert_eq!(ask(&mut sim, &cache), "300: E3");
    sim.to(309);
    assert_eq!(ask(&mut sim, &cache), "309: E3 cached");
    sim.to(310);
    assert_eq!(ask(&mut sim, &cache), "310: E4");

    let (mut sim, shorter) = (Sim::new(), |error: &Boom| (error.0 == 1).then_some(ms(5)));
    let fails = [3, 3, 3, 1, 3, 9].map(|error| ready().fails(error));
    let cache = sim.cache::<R>(&sim.loads_in_turn(fails), |c| backoff(c).error_ttl_by(shorter));
    for (at, error) in [(0, 3), (10, 3), (30, 3), (70, 1), (75, 3)] {
        sim.to(at);
        assert_eq!(ask(&mut sim, &cache), format!("{at}: E{error}"));
    }
    sim.to(154);
    assert_eq!(ask(&mut sim, &cache), "154: E3 cached");
    sim.to(155);
    assert_eq!(ask(&mut sim, &cache), "155: E9");
}

/// D108: the clock is read from then on.
fn d108_where_nothing_else_keeps_failures<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).fails(1), after(10).fails(3), after(10).gives(4)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl_by(by_number));
    let callers = sim.crowd(&cache, 7, 3);
    sim.to(10);
    assert!(callers.iter().all(|caller| sim.saw(*caller) == "10: E1"));
    sim.to(59);
    let early = sim.get(&cache, 7);
    assert_eq!((sim.saw(early).as_str(), cache.weight()), ("59: E1 cached", 1));
    sim.to(60);
    let late = sim.get(&cache, 7);
    sim.to(70);
    assert_eq!(sim.saw(late), "70: E3");
    let next = sim.get(&cache, 7);
    sim.to(80);
    assert_eq!(sim.saw(next), "80: V4 Miss");
    assert_clean(&cache.stats());
}

/// D108: each key by its own error, or all keys by that of the load.
fn d108_by_the_errors_of_a_load_of_many_keys<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { ready() } else { ready().fails(1) };
    let says = |keys: &[u32]| keys.iter().map(|key| (*key, Err(Boom(*key)))).collect();
    let batches = Batches::saying(&sim.time, script, says);
    let cache = sim.batched::<R>(&batches, |c| c.error_ttl(ms(100)).error_ttl_by(by_number));
    let many = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(many), "0: E1, E2, E3");
    let many = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(many), "0: E1 cached, E1, E3 cached");
    sim.to(60);
    let many = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(many), "60: E1, E1, E3 cached");
    assert_clean(&cache.stats());
}

/// D27: its panic counts as the load's; the others get an error at once, and the key stays usable.
fn d108_a_closure_that_panics<R: Host>() {
    for many in [false, true] {
        let mut sim = Sim::new();
        let script = |_: &[u32], call| if call == 0 { after(10).fails(1) } else { after(10) };
        let batches = Batches::new(&sim.time, script);
        let cache =
            sim.batched::<R>(&batches, |c| c.error_ttl(ms(100)).error_ttl_by(|_| std::panic::panic_any(Bang(8))));
        let callers = if many { vec![sim.many(&cache, &[7]), sim.many(&cache, &[7])] } else { sim.crowd(&cache, 7, 2) };
        sim.to(10);
        let mut saw: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
        saw.sort_unstable();
        assert_eq!(saw, ["10: Panicked", "10: unwound 8"]);
        sim.to(110);
        let late = sim.get(&cache, 7);
        sim.to(120);
        assert_eq!(sim.saw(late), "120: V7 Miss");
        callers.into_iter().for_each(|caller| sim.drop(caller));
        assert_eq!(cache.stats().loads_panicked, 1);
        assert_clean(&cache.stats());
    }
}

/// D44: it may call the cache.
fn d108_it_runs_outside_the_lock<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let itself: Rc<RefCell<Option<Scripted<R>>>> = Rc::default();
    let asks = itself.clone();
    let builder = Cache::builder(R::on(sim.clock())).loader(loads.clone()).shards(1);
    let cache = builder
        .error_ttl_by(move |_| {
            let cache = asks.borrow().clone().expect("set before the first call");
            cache.insert_with(8, Loaded::new(V::new(8)));
            cache.get_if_present(&8).map(|_| ms(50))
        })
        .build()
        .expect("valid");
    itself.replace(Some(cache.clone()));
    let caller = sim.get(&cache, 7);
    assert_eq!(sim.saw(caller), "0: E1");
    let cached = sim.get(&cache, 7);
    assert_eq!(sim.saw(cached), "0: E1 cached");
    itself.take();
}
