//! How long a value is held for its next load, and how it counts meanwhile.

use larder::{Cache, Loaded, LookupOptions, Tuned, policy::Lru};
use larder_tests::*;

use crate::{assert_books, handed, pages};

on_every_runtime! {
    a_use_like_any
    its_weight_stays
    held_until_room_is_needed
    held_within_a_limit
}

/// For the policy a renewal is a use, like a new value.
fn a_use_like_any<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged());
    let builder = Cache::builder_with(R::on(sim.clock()), Tuned::<Lru>::new()).ttl(ms(100)).capacity(2).shards(1);
    let cache = builder.revalidate_fn(loads.revalidator()).build().expect("the configuration is valid");
    cache.insert(7, V::new(1));
    cache.insert(8, V::new(2));
    sim.to(300);
    let seven = {
        let cache = cache.clone();
        sim.call(async move { cache.lookup(&7).await })
    };
    assert_eq!(sim.saw(seven), "300: V1 Expired");
    cache.insert(9, V::new(3));
    assert!(cache.contains(&7) && cache.peek(&8).is_none(), "8 was used longer ago");
    assert_clean(&cache.stats());
}

/// The weight that was set for a value still counts, also if it has to be stored again. (P12)
fn its_weight_stays<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).weight(3), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(4).shards(1));
    sim.get(&cache, 7);
    for evicts in [false, true] {
        sim.to(if evicts { 600 } else { 300 });
        sim.ask(&cache, 7, LookupOptions::new().weight(1));
        if evicts {
            cache.insert_with(8, Loaded::new(V::new(2)).weight(4));
            assert!(cache.peek(&7).is_none());
        }
        sim.to(if evicts { 610 } else { 310 });
        assert_eq!((cache.contains(&7), cache.weight()), (true, 3));
    }
    assert_books(&cache, 3);
}

/// By default an expired value is held until its room is needed. (P12)
fn held_until_room_is_needed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1));
    cache.insert(7, V::new(1));
    sim.to(1_000_000);
    assert_eq!((cache.sweep(), cache.next_deadline(), cache.len()), (0, None, 1));
    let caller = sim.get(&cache, 7);
    assert_eq!(sim.saw(caller), "1000000: V1 Expired");
    cache.insert(8, V::new(2));
    assert_eq!(cache.len(), 1);
    assert_books(&cache, 1);
}

/// With a limit it is held exactly that long, or as long as it may be served stale. (D56)
fn held_within_a_limit<R: Host>() {
    for (stale, limit, held) in [(0, 50, 50), (80, 50, 80), (80, 200, 200)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = pages::<R>(&sim, &loads, |c| c.stale_while_refresh(ms(stale)).revalidate_within(ms(limit)));
        cache.insert(7, V::new(1));
        sim.to(100 + held);
        assert_eq!(cache.sweep(), 0, "a load at this very instant is handed it");
        sim.to(101 + held);
        assert_eq!((cache.sweep(), cache.len()), (1, 0));
        let caller = sim.get(&cache, 7);
        assert_eq!((sim.saw(caller), handed(&loads)), (format!("{}: V2 Miss", 101 + held), vec![None]));
        assert_books(&cache, 1);
    }
}
