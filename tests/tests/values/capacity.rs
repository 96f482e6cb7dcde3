//! A capacity that changes while the cache is in use.

use larder::{Cache, Loaded, RemovalCause};
use larder_tests::*;

on_every_runtime! {
    c64_a_smaller_capacity
    c64_in_many_shards
    a_larger_capacity_is_there_at_once
    none_at_all_and_back
    a_smaller_capacity_forgets_failures
    a_smaller_capacity_gives_memory_back
}

/// C64: 100 entries, capacity 10 while a load is in flight: shrunk on return, 90 events, the load served and stored.
/// (P12)
fn c64_a_smaller_capacity<R: Host>() {
    shrink::<R>(1);
}

/// C64: the same in shards, which share the capacity. (P12)
fn c64_in_many_shards<R: Host>() {
    shrink::<R>(5);
}

fn shrink<R: Host>(shards: usize) {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(7));
    let evicted = Rc::new(Cell::new(0));
    let heard = evicted.clone();
    let cache = Cache::builder(R::on(sim.clock()))
        .capacity(10_000)
        .shards(shards)
        .loader(loads.clone())
        .listener(move |_: &u32, _: &V, cause| {
            assert_eq!(cause, RemovalCause::Evicted);
            heard.set(heard.get() + 1);
        })
        .build()
        .expect("valid");
    for key in 100..200 {
        cache.insert(key, V::new(key));
    }
    let own = cache.clone();
    let a = sim.call(async move { own.get(&7).await });
    cache.set_capacity(10);
    let held = cache.weight();
    assert_eq!(held, 10);
    assert_eq!((cache.capacity(), cache.max_weight()), (10, 10));
    assert_eq!((evicted.get(), cache.stats().evicted), (100 - held, 100 - held));
    sim.to(50);
    assert_eq!(sim.saw(a), "50: V7");
    assert!(cache.contains(&7) && cache.weight() <= 10);
    for key in 1000..2000 {
        cache.insert(key, V::new(key));
        assert!(cache.weight() <= 10);
    }
    assert_eq!(cache.weight(), 10);
    assert_clean(&cache.stats());
}

/// D46: it can grow, too.
fn a_larger_capacity_is_there_at_once<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(10).shards(4));
    let fill = || (0..1000).for_each(|key| _ = cache.insert(key, V::new(key)));
    fill();
    assert_eq!(cache.len(), 10);
    cache.set_capacity(103);
    assert_eq!((cache.capacity(), cache.max_weight(), cache.len()), (103, 103, 10), "nothing leaves");
    assert!(cache.insert_with(5000, Loaded::new(V::new(0)).weight(25)).is_some());
    cache.remove(&5000);
    fill();
    assert_eq!(cache.weight(), 103);
    cache.set_capacity(u64::MAX);
    fill();
    assert_eq!((cache.capacity(), cache.len()), (u64::MAX, 1000));
    assert_clean(&cache.stats());
}

/// D46: zero stores nothing.
fn none_at_all_and_back<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(7));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(50).shards(2).error_ttl(ms(100)));
    for key in 0..40 {
        cache.insert(key, V::new(key));
    }
    cache.set_capacity(0);
    assert_eq!((cache.len(), cache.weight(), cache.capacity()), (0, 0, 0));
    let a = sim.get(&cache, 7);
    assert_eq!(sim.saw(a), "0: V7 Miss");
    assert!(cache.is_empty() && cache.insert(1, V::new(1)).is_none());
    cache.set_capacity(50);
    assert!(cache.insert(1, V::new(1)).is_some() && cache.contains(&1));
    assert_clean(&cache.stats());
}

/// D30: kept failures count within the capacity.
fn a_smaller_capacity_forgets_failures<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(80).shards(1).error_ttl(ms(1000)));
    for key in 0..10 {
        sim.get(&cache, key);
    }
    assert_eq!(cache.weight(), 10);
    cache.set_capacity(5);
    assert_eq!(cache.weight(), 1);
    cache.set_capacity(0);
    assert_eq!((cache.weight(), cache.next_deadline()), (0, None));
    assert_clean(&cache.stats());
}

/// P12: what the policy remembers of keys that left is bounded by the capacity, also after that has shrunk.
fn a_smaller_capacity_gives_memory_back<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(20_000).shards(1));
    let held = memory::growth(|| {
        (0..40_000).for_each(|key| _ = cache.insert(key, V::new(key)));
        cache.set_capacity(100);
    });
    assert!(held < 20_000, "{held} bytes for 100 entries");
    assert_eq!(cache.len(), 100);
}
