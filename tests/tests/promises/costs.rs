//! What calls cost: allocations, readings of the clock, sizes.

use larder::Cache;
use larder_tests::*;

on_every_runtime! {
    c62_a_hit_is_free
    c62_a_hit_reads_the_clock_only_if_something_expires
    c62_a_miss_reads_the_clock_twice
    c62_a_batch_reads_the_clock_once
    direct_reads_are_free_as_well
    a_miss_costs_few_allocations
}

/// C62: 10 000 hits allocate nothing, by every kind of call. (P14)
fn c62_a_hit_is_free<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let settings: [fn(Setup<R>) -> Setup<R>; 2] =
        [|c| c, |c| c.ttl(ms(1000)).lock_age(ms(10)).load_budget(ms(10)).stale_while_refresh(ms(10))];
    for setup in settings {
        let cache = sim.cache(&loads, setup);
        cache.insert(7, V::new(1));
        let asked = memory::allocations(|| {
            for _ in 0..10_000 {
                assert!(matches!(wakers::now(cache.get(&7)), Ok(v) if *v == 1));
                assert!(wakers::now(cache.lookup(&7)).is_ok_and(|outcome| outcome.status().is_hit()));
                assert!(wakers::now(cache.get_stale(&7)).is_ok_and(|answer| answer.refresh.is_none()));
                assert!(wakers::now(cache.get_with(&7, || async { Ok(V::new(2)) })).is_ok_and(|v| *v == 1));
            }
        });
        assert_eq!(asked, 0);
    }
}

/// C62: a hit reads the clock at most once, and not at all if nothing expires. (P11)
fn c62_a_hit_reads_the_clock_only_if_something_expires<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    for (expires, reads) in [(true, 10_000), (false, 0)] {
        let cache = sim.cache::<R>(&loads, |c| if expires { c.ttl(ms(1000)) } else { c });
        cache.insert(7, V::new(1));
        let before = sim.clock().reads();
        for _ in 0..10_000 {
            assert!(wakers::now(cache.get(&7)).is_ok());
        }
        let read = sim.clock().reads() - before;
        assert!(read <= reads, "{read} readings of the clock for 10 000 hits, expiring: {expires}");
    }
}

/// C62: a load reads the clock once at its claim and once at its publication. (P11)
fn c62_a_miss_reads_the_clock_twice<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)));
    let before = sim.clock().reads();
    let mut get = cache.get(&7);
    assert!(wakers::poll_once(&mut get).is_pending());
    assert!(sim.clock().reads() - before <= 1, "{} at the claim", sim.clock().reads() - before);
    gate.open_quietly();
    assert!(wakers::poll_once(&mut get).is_ready());
    assert!(sim.clock().reads() - before <= 2, "{} in all", sim.clock().reads() - before);
}

/// C62: a call for many keys reads the clock once for all that it finds and claims. (P11)
fn c62_a_batch_reads_the_clock_once<R: Host>() {
    let sim = Sim::new();
    let settings: [fn(BatchSetup<R>) -> BatchSetup<R>; 2] = [|c| c, |c| c.ttl(ms(1000))];
    for setup in settings {
        let cache = sim.batched::<R>(&sim.batches(never()), setup);
        (0..10).for_each(|key| _ = cache.insert(key, V::new(key)));
        let keys: Vec<_> = (0..100).collect();
        let before = sim.clock().reads();
        let mut lookup = cache.lookup_many(&keys);
        assert!(wakers::poll_once(&mut lookup).is_pending());
        assert_eq!(sim.clock().reads() - before, 1);
    }
}

/// `get_if_present`, `peek` and `contains` allocate nothing and read the clock once at most. (P11, P14)
fn direct_reads_are_free_as_well<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)));
    cache.insert(7, V::new(1));
    let before = sim.clock().reads();
    let asked = memory::allocations(|| {
        for _ in 0..1000 {
            assert!(cache.get_if_present(&7).is_some() && cache.peek(&7).is_some() && cache.contains(&7));
            assert!(cache.get_if_present(&8).is_none() && cache.peek(&8).is_none() && !cache.contains(&8));
        }
    });
    assert_eq!(asked, 0);
    assert!(sim.clock().reads() - before <= 6000);
}

/// A miss that is ready at once and cannot be kept costs a few allocations, most of them for the flight. (P14)
fn a_miss_costs_few_allocations<R: Host>() {
    let sim = Sim::new();
    let load = |key: u32| core::future::ready(Ok::<u32, Boom>(key));
    let cache = Cache::builder(R::on(sim.clock())).capacity(10).load_fn(load).build().expect("valid");
    for key in 0..1000 {
        assert!(wakers::now(cache.get(&key)).is_ok());
    }
    let asked = memory::allocations(|| {
        for key in 1000..2000 {
            assert!(wakers::now(cache.get(&key)).is_ok());
        }
    });
    assert!(asked <= 4000, "{asked} allocations for 1000 misses");
}
