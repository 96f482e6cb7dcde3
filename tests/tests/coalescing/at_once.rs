//! A cache does not store a value that expires at once, whatever sets that lifetime.

use larder::{Cache, LookupOptions, Revalidated, Ttl};
use larder_tests::*;

on_every_runtime! {
    by_a_load
    by_a_call
    by_the_cache
    by_the_closure_of_the_cache
    by_an_insert_and_an_entry_call
    by_a_load_of_many_keys
    by_a_load_that_finds_the_value_unchanged
}

/// The three ways to set it.
const WAYS: [Ttl; 3] = [Ttl::NotStored, Ttl::ExpiresAtOnce, Ttl::For(Duration::ZERO)];

/// Runs a case in each way and asserts the same result, and that nothing is left in the cache.
fn same_in_each_way(case: impl Fn(Ttl) -> (Vec<String>, larder::Stats)) {
    let [first, ..] = WAYS.map(|ttl| {
        let (saw, stats) = case(ttl);
        assert_clean(&stats);
        assert_eq!(stats.held, 0, "{ttl:?}");
        (saw, format!("{stats:?}"))
    });
    for ttl in WAYS {
        let (saw, stats) = case(ttl);
        assert_eq!((saw, format!("{stats:?}")), first, "{ttl:?}");
    }
}

fn saw(sim: &Sim) -> Vec<String> {
    (0..sim.callers()).map(|i| sim.saw(i)).collect()
}

/// Three callers of a load, then a later one that loads again.
fn ask<R: Host>(sim: &mut Sim, cache: &Scripted<R>, options: LookupOptions) {
    (0..3).for_each(|_| _ = sim.ask(cache, 7, options));
    sim.to(10);
    sim.ask(cache, 7, options);
    sim.to(20);
    assert!(cache.is_empty() && cache.peek(&7).is_none());
}

/// D74: the load's own lifetime; an earlier stored value is removed.
fn by_a_load<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1).ttl(ttl));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(1000)).error_ttl(ms(50)));
        cache.insert(7, V::new(0));
        ask(&mut sim, &cache, LookupOptions::new().reload());
        assert_eq!(loads.calls(), 2);
        (saw(&sim), cache.stats())
    });
}

/// The call's options.
fn by_a_call<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(50)));
        ask(&mut sim, &cache, LookupOptions::new().ttl(ttl));
        (saw(&sim), cache.stats())
    });
}

/// The cache's own TTL.
fn by_the_cache<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ttl));
        ask(&mut sim, &cache, LookupOptions::new());
        cache.insert(7, V::new(1));
        (saw(&sim), cache.stats())
    });
}

/// Its `expire_after`.
fn by_the_closure_of_the_cache<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let builder = Cache::builder(R::on(sim.clock())).loader(loads.clone()).expire_after(move |_, _| ttl);
        let cache = builder.build().expect("valid");
        for _ in 0..2 {
            let cache = cache.clone();
            sim.call(async move { cache.lookup(&7).await });
        }
        sim.to(10);
        cache.insert(7, V::new(1));
        assert!(cache.is_empty());
        (saw(&sim), cache.stats())
    });
}

/// `insert` acts as `remove`, also during a load, and so does an entry call that stores.
fn by_an_insert_and_an_entry_call<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)));
        sim.get(&cache, 7);
        assert!(cache.insert_with(7, larder::Loaded::new(V::new(2)).ttl(ttl)).is_none());
        sim.to(10);
        assert!(cache.is_empty(), "the load came before it");
        cache.insert(8, V::new(3));
        let stored = cache.compute(&8, |_| larder::Change::Store(larder::Loaded::new(V::new(4)).ttl(ttl)));
        assert!(stored.is_ok_and(|computed| computed.into_value().is_none()) && cache.is_empty());
        (saw(&sim), cache.stats())
    });
}

/// Each answer of a load of many keys, including surplus ones.
fn by_a_load_of_many_keys<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let says = move |_: &[u32]| (1..5).map(|key| (key, Ok(larder::Loaded::new(V::new(key)).ttl(ttl)))).collect();
        let batches = Batches::saying(&sim.time, |_, _| after(10), says);
        let cache = sim.batched::<R>(&batches, |c| c.store_surplus());
        sim.many(&cache, &[1, 2, 3]);
        sim.to(10);
        assert!(cache.is_empty());
        (saw(&sim), cache.stats())
    });
}

/// A value that is found still good, but is not to be kept.
fn by_a_load_that_finds_the_value_unchanged<R: Host>() {
    same_in_each_way(|ttl| {
        let mut sim = Sim::new();
        let load = move |_: u32, _| async move { Ok::<_, Boom>(Revalidated::Unchanged(ttl)) };
        let builder = Cache::builder(R::on(sim.clock())).revalidate_fn(load);
        let cache = builder.build().expect("valid");
        cache.insert(7, V::new(1));
        let own = cache.clone();
        sim.call(async move { own.lookup(&7).options(LookupOptions::new().reload()).await });
        assert!(cache.is_empty());
        (saw(&sim), cache.stats())
    });
}
