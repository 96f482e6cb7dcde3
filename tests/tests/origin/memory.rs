//! The cache for direct use, `MemoryCache`.

use larder::{
    Cache, Loaded, Tuned,
    policy::{GatedFifo, Lru, Policy},
};
use larder_tests::*;

on_every_runtime! {
    put_get_remove
    get_expired
    get_stale
    eviction
    multi_get_with_miss
    put_get_with_mismatched_key
}

/// A cache for direct use.
fn memory<R: Host>(sim: &Sim) -> Scripted<R> {
    sim.cache(&sim.loads(never()), |c| c.capacity(10).stale_while_refresh(Duration::MAX))
}

/// `MemoryCache`'s `test_get`, `test_put_get` and `test_put_get_remove`. Here `remove` returns the value.
fn put_get_remove<R: Host>() {
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

/// `test_get_expired`: after its lifetime a value is gone; here, also at its very end.
fn get_expired<R: Host>() {
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

/// `MemoryCache::test_get_stale`: the value is returned, with its staleness; here by `peek`.
fn get_stale<R: Host>() {
    let mut sim = Sim::new();
    let cache = memory::<R>(&sim);
    assert!(cache.peek(&1).is_none());
    cache.insert_with(1, Loaded::new(V::new(2)).ttl(ms(1000)));
    sim.to(1100);
    let stale = cache.peek(&1).expect("it is held");
    assert_eq!((**stale.value(), stale.status().stale()), (2, Some(ms(100))));
}

/// `test_eviction`: the first of three values leaves if there is room for two. Here exact order needs its own policy;
/// with any policy the new value stays. (P12)
fn eviction<R: Host>() {
    fn values<P: Policy, R: Host>() -> [Option<u32>; 3] {
        let sim = Sim::new();
        let cache = Cache::<_, u32, Boom, _, _>::builder_with(R::on(sim.clock()), Tuned::<P>::new()).capacity(2);
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
fn multi_get_with_miss<R: Host>() {
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

/// `test_put_get_with_mismatched_key`: keys are looked up in a borrowed form.
fn put_get_with_mismatched_key<R: Host>() {
    let sim = Sim::new();
    let cache = Cache::<String, u32, Boom, _>::builder(R::on(sim.clock())).build().expect("valid");
    assert_eq!(cache.get_if_present("1"), None);
    cache.insert("1".into(), 2);
    assert_eq!(cache.get_if_present("1"), Some(2));
}
