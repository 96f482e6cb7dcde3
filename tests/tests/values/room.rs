//! All shards share one capacity: what can be stored does not depend on the number of shards.

use std::thread;

use larder::{Cache, Loaded, ManualClock, ManyThreads, RemovalCause, Runtime, parts::Std};
use larder_tests::*;

on_every_runtime! {
    c110_bytes_as_weights
    c110_values_as_heavy_as_the_cache
    c111_shrunk_below_the_shards
    c111_failures_in_shards_that_have_nothing
    c111_panics_and_budgets_in_shards_that_have_nothing
    c130_a_working_set_that_just_fits
    what_leaves_for_others_is_told_and_counted
    what_is_given_up_comes_back
}

const PROCESSORS: [usize; 4] = [1, 2, 16, 64];

/// C110: a value of an eighth of the capacity is always stored, whatever else is held. (D47, D48, P12)
fn c110_bytes_as_weights<R: Host>() {
    for processors in PROCESSORS {
        for capacity in [1000, 16_000, 64 << 20] {
            let sim = Sim::new();
            let cache = sim.cache::<R>(&sim.loads(never()), |c| {
                c.weigher(|_: &u32, value: &V| u64::from(**value)).capacity(capacity).processors(processors)
            });
            // An empty cache, and one full of small values.
            for (heavy, light) in [(0..40, 1000..1000), (100..140, 1000..2000)] {
                for key in light {
                    let weight = capacity as u32 / 1000;
                    assert!(cache.insert(key, V::new(weight)).is_some() && cache.contains(&key));
                }
                for key in heavy {
                    let weight = capacity as u32 / 8;
                    assert!(cache.insert(key, V::new(weight)).is_some(), "{weight} of {capacity} on {processors}");
                    assert!(cache.contains(&key) && cache.weight() <= capacity);
                }
                assert!(cache.len() >= 8, "{} values of an eighth", cache.len());
            }
            assert_clean(&cache.stats());
        }
    }
}

/// C110: a call returns the largest weight, and for such a value all others leave. (D47, D48, D85)
fn c110_values_as_heavy_as_the_cache<R: Host>() {
    for processors in PROCESSORS {
        let sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(1000).processors(processors));
        assert_eq!((cache.capacity(), cache.max_weight()), (1000, 1000));
        (0..1000).for_each(|key| _ = cache.insert(key, V::new(key)));
        let weigh = |key, weight| cache.insert_with(key, Loaded::new(V::new(key)).weight(weight)).is_some();
        assert!(weigh(5000, 1000) && cache.contains(&5000));
        assert_eq!((cache.len(), cache.weight(), cache.stats().evicted), (1, 1000, 1000));
        assert!(weigh(5000, 999) && weigh(5001, 1) && weigh(5000, 1000));
        assert_eq!((cache.len(), cache.weight()), (1, 1000));
        assert!(!weigh(5000, 1001), "too heavy");
        assert_eq!((cache.len(), cache.weight(), cache.stats().refused), (0, 0, 1));
        assert_clean(&cache.stats());
    }
}

/// C111: in 16 shards with a capacity of 4, every loaded or inserted value can be read. (D46, D47, D48, P10, P12)
fn c111_shrunk_below_the_shards<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(7));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10_000).shards(16));
    (0..1000).for_each(|key| _ = cache.insert(key, V::new(key)));
    cache.set_capacity(4);
    assert_eq!((cache.capacity(), cache.len(), cache.stats().evicted), (4, 4, 996));
    for key in 1000..2000 {
        let i = sim.get(&cache, key);
        assert_eq!(sim.saw(i), "0: V7 Miss");
        assert!(cache.contains(&key), "{key} was loaded");
        assert!(cache.insert(key + 1000, V::new(1)).is_some() && cache.contains(&(key + 1000)));
        assert_eq!(cache.weight(), 4);
    }
    cache.set_capacity(100);
    (3000..3200).for_each(|key| _ = cache.insert(key, V::new(key)));
    assert_eq!(cache.len(), 100);
    assert_clean(&cache.stats());
}

/// C111: the same for failures, which weigh 1, and for the values of a batch. (D30, D34)
fn c111_failures_in_shards_that_have_nothing<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(3));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10_000).shards(16).error_ttl(ms(100)));
    cache.set_capacity(4);
    for key in 0..100 {
        (1000..1004).for_each(|key| _ = cache.insert(key, V::new(key)));
        let callers = [sim.get(&cache, key), sim.get(&cache, key)];
        assert!(callers.iter().all(|i| sim.saw(*i).starts_with("0: E3")));
        assert_eq!((loads.calls(), cache.weight()), (key as usize + 1, 4), "{key}: kept");
    }
    let batches = sim.batches(ready().gives(7));
    let cache = sim.batched::<R>(&batches, |c| c.capacity(10_000).shards(16));
    cache.set_capacity(4);
    for key in (0..100).map(|i| 4 * i) {
        let keys = [key, key + 1, key + 2, key + 3];
        let own = cache.clone();
        sim.call(async move { own.get_many(&keys).await.remove(0) });
        assert!(keys.iter().any(|key| cache.contains(key)), "the last of {key}, which none came after");
        assert!(cache.weight() <= 4);
    }
    assert_clean(&cache.stats());
}

/// C111: the same for loads that panic, or are over their budget, beside a stale value of the key as well. (D27, D93)
fn c111_panics_and_budgets_in_shards_that_have_nothing<R: Host>() {
    for (script, ends) in [(ready().panics(3), ["unwound 3", "Panicked"]), (never(), ["BudgetExceeded"; 2])] {
        for is_held in [false, true] {
            let mut sim = Sim::new();
            let loads = sim.loads(script.clone());
            let cache = sim.cache::<R>(&loads, |c| {
                c.capacity(10_000)
                    .shards(16)
                    .error_ttl(ms(100_000))
                    .load_budget(ms(10))
                    .stale_while_refresh(ms(100_000))
            });
            cache.set_capacity(4);
            for key in 0..100 {
                (1000..1004).for_each(|key| _ = cache.insert(key, V::new(key)));
                if is_held {
                    cache.insert(key, V::new(key));
                    cache.expire(&key);
                }
                let told = [10, 0].map(|later| {
                    let i = sim.get(&cache, key);
                    sim.to(sim.time.ms() + later);
                    sim.end(i).map_or_else(String::new, ToString::to_string)
                });
                assert!(told[0] == ends[0] && told[1].starts_with(ends[1]), "{key}: {told:?}");
                assert_eq!((loads.calls(), cache.weight()), (key as usize + 1, 4), "{key}: kept");
            }
            assert_clean(&cache.stats());
        }
    }
}

/// C130: keys that just fit are loaded once each, within a twentieth, for any number of shards. (D47)
fn c130_a_working_set_that_just_fits<R: Host>() {
    for processors in [2, 64] {
        for (keys, passes) in [(64, 20), (1000, 20), (100_000, 3)] {
            let loads = Rc::new(Cell::new(0));
            let count = loads.clone();
            let builder = Cache::builder(R::on(ManualClock::new())).capacity(keys).processors(processors);
            let load = move |key: u64| {
                count.set(count.get() + 1);
                async move { Ok::<_, Boom>(key) }
            };
            let cache = builder.load_fn(load).build().expect("valid");
            for key in (0..passes).flat_map(|_| 0..keys) {
                let mut get = core::pin::pin!(cache.get(&key));
                assert!(get.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
            }
            let loads = loads.get();
            assert!(loads <= keys + keys / 20, "{loads} loads of {keys} keys on {processors} processors");
        }
    }
}

/// D38, D51, D85: a value that leaves for one of another shard counts as evicted.
fn what_leaves_for_others_is_told_and_counted<R: Host>() {
    let sim = Sim::new();
    let left = Rc::new(Cell::new(0));
    let heard = left.clone();
    let cache = Cache::builder(R::on(sim.clock()))
        .capacity(160)
        .shards(16)
        .loader(sim.loads(never()))
        .listener(move |_: &u32, _: &V, cause| {
            assert_eq!(cause, RemovalCause::Evicted);
            heard.set(heard.get() + 1);
        })
        .build()
        .expect("valid");
    (0..160).for_each(|key| _ = cache.insert(key, V::new(key)));
    assert_eq!((cache.len(), left.get()), (160, 0));
    assert!(cache.insert_with(1000, Loaded::new(V::new(1)).weight(80)).is_some());
    assert_eq!((cache.len(), cache.weight(), left.get(), cache.stats().evicted), (81, 160, 80, 80));
}

/// P12: room is given back however a value leaves, and any other value may get it.
fn what_is_given_up_comes_back<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(100).shards(7).ttl(ms(10)));
    let fill = |keys: core::ops::Range<u32>| keys.for_each(|key| _ = cache.insert(key, V::new(key)));
    let ways: [&dyn Fn(); 6] = [
        &|| (0..100).for_each(|key| _ = cache.remove(&key)),
        &|| cache.clear(),
        &|| cache.retain(|_, _| false),
        &|| {
            sim.clock().advance(ms(10));
            assert_eq!(cache.sweep(), 100);
        },
        &|| (0..100).for_each(|key| _ = cache.insert_with(key, Loaded::new(V::new(1)).ttl(ms(0)))),
        &|| {
            cache.set_capacity(0);
            cache.set_capacity(100);
        },
    ];
    for (way, give_up) in ways.iter().enumerate() {
        fill(0..100);
        assert_eq!((cache.len(), cache.weight()), (100, 100), "before {way}");
        give_up();
        assert_eq!((cache.len(), cache.weight()), (0, 0), "after {way}");
        // All of it in one place.
        assert!(cache.insert_with(500, Loaded::new(V::new(1)).weight(100)).is_some());
        assert!(cache.remove(&500).is_some());
    }
    assert_clean(&cache.stats());
}

/// D48, P12: two threads each need more than half of the room: each gets it in the end, and none of it is lost.
#[test]
fn d48_heavy_newcomers_on_many_threads() {
    fn run<R: Runtime<Threads = ManyThreads> + Send + Sync + 'static>(runtime: R)
    where
        Cache<u64, u64, Boom, R>: Send + Sync,
    {
        let cache = Cache::<u64, u64, Boom, R>::builder(runtime).capacity(100).shards(16).build().expect("valid");
        thread::scope(|scope| {
            for thread in 0..3 {
                let cache = &cache;
                scope.spawn(move || {
                    let mut random = Random::new(thread);
                    for step in 0..4000 {
                        let (key, weight) = (random.below(60), [1, 1, 3, 30, 80, 100][random.below(6) as usize]);
                        match random.below(8) {
                            0 => drop(cache.remove(&key)),
                            1 if thread == 0 => cache.set_capacity([4, 100, 1000][random.below(3) as usize]),
                            2 => cache.clear(),
                            _ => drop(cache.insert_with(key, Loaded::new(step).weight(weight))),
                        }
                        assert!(cache.weight() <= 1000);
                    }
                });
            }
        });
        cache.set_capacity(100);
        assert!(cache.weight() <= 100);
        cache.clear();
        (1000..1100).for_each(|key| _ = cache.insert(key, key));
        assert_eq!((cache.weight(), cache.len()), (100, 100), "nothing was lost");
        assert!(cache.insert_with(1, Loaded::new(1).weight(100)).is_some() && cache.contains(&1));
        assert_clean(&cache.stats());
    }
    run(Std::new(ManualClock::new()));
    run(larder::parts::Spin::new(ManualClock::new()));
}
