//! Keys with equal hashes, in everything that is kept or done by key.

use larder::{Builder, Cache, Loaded, LookupOptions, Tuned, policy::GatedFifo};
use larder_tests::*;

on_every_runtime! {
    c06_many_keys_at_once
    c06_many_keys_by_a_closure
    c06_kept_failures
    c06_previous_values
}

fn builder<R: Host>(sim: &Sim) -> Builder<u32, V, Boom, R, Tuned<GatedFifo, Same>> {
    Cache::builder_with(R::on(sim.clock()), Tuned::<GatedFifo, _>::with_hasher(Same))
}

/// Returns values for 1 and 4, nothing for 2, an error for 3, and 9 as a surplus; the last key comes first.
fn batches(sim: &Sim) -> Batches {
    let says = |keys: &[u32]| {
        let answered = keys.iter().chain([&9]).rev().filter(|key| **key != 2);
        answered.map(|key| (*key, if *key == 3 { Err(Boom(3)) } else { Ok(Loaded::new(V::new(*key))) })).collect()
    };
    Batches::saying(&sim.time, |_, _| after(50), says)
}

/// C06: each key of a batch is asked for, and gets its own answer, error or none. (P9)
fn c06_many_keys_at_once<R: Host>() {
    let mut sim = Sim::new();
    let batches = batches(&sim);
    let cache = builder::<R>(&sim).many_loader(batches.clone()).build().expect("valid");
    let own = cache.clone();
    let many = sim.call(async move { own.lookup_many(&[1, 2, 3, 4, 1]).await });
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3, 4])]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, Missing, E3, V4 Miss, V1 Miss");
    assert_eq!([1, 2, 3, 4, 9].map(|key| cache.contains(&key)), [true, false, false, true, false]);
    assert_clean(&cache.stats());
}

/// C06: the same if the load borrows from its caller. (P9)
fn c06_many_keys_by_a_closure<R: Host>() {
    let mut sim = Sim::new();
    let batches = batches(&sim);
    let cache = builder::<R>(&sim).loader(sim.loads(never())).build().expect("valid");
    let (own, load) = (cache.clone(), batches.clone());
    let options = LookupOptions::new();
    let many =
        sim.call(async move { own.lookup_many(&[4, 3, 2, 1]).options(options).by(|keys| load.begin(keys)).await });
    sim.to(50);
    assert_eq!(batches.begun(), [(0, vec![4, 3, 2, 1])]);
    assert_eq!(sim.saw(many), "50: V4 Miss, E3, Missing, V1 Miss");
    assert_clean(&cache.stats());
}

/// C06: a failure that is kept for a key counts for no other key. (P4, P9)
fn c06_kept_failures<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| if key < 3 { ready().fails(key) } else { ready().gives(key) });
    let cache = builder::<R>(&sim).loader(loads.clone()).error_ttl(ms(100)).build().expect("valid");
    let mut get = |key: u32| {
        let cache = cache.clone();
        let i = sim.call(async move { cache.lookup(&key).await });
        sim.saw(i)
    };
    assert_eq!([1, 2, 3].map(&mut get), ["0: E1", "0: E2", "0: V3 Miss"]);
    assert_eq!([3, 2, 1].map(&mut get), ["0: V3 Hit", "0: E2 cached", "0: E1 cached"]);
    cache.remove(&2);
    assert_eq!([1, 2].map(&mut get), ["0: E1 cached", "0: E2"]);
    assert_eq!(loads.keys(), [1, 2, 3, 2]);
}

/// C06: a load gets the previous value of its own key. (P9)
fn c06_previous_values<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(20));
    let cache = builder::<R>(&sim).revalidate_fn(loads.revalidator()).build().expect("valid");
    cache.insert(1, V::new(1));
    cache.insert(3, V::new(3));
    for (key, previous) in [(2, None), (3, Some(3)), (1, Some(1)), (2, Some(20))] {
        let own = cache.clone();
        sim.call(async move { own.refresh(&key).await });
        let handed = loads.handed().pop().expect("it was called");
        assert_eq!(handed.map(|previous| **previous.value()), previous, "key {key}");
    }
}
