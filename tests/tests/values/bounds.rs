//! Weights and capacities, ordinary and odd.

use larder::{Cache, Loaded, LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c57_too_heavy
    c57_too_heavy_in_place_of_another
    c57_a_load_that_is_too_heavy
    c57_what_is_refused_has_no_time_left
    the_weight_of_load_call_and_weigher
    a_value_that_grows_beside_a_kept_failure
    a_value_that_needs_the_room_of_a_kept_failure
    a_failure_takes_no_room_from_the_value_that_softens_it
    d30_a_failure_does_not_evict_the_value_that_softens_it
    c58_weight_zero_counts_as_one
    c58_the_heaviest_weight
    c58_capacity_zero
    c58_ten_in_four_shards
}

/// A cache for 100 in one shard with ten entries of 10.
fn ten_tens<R: Host>(sim: &Sim, loads: &Loads) -> Scripted<R> {
    let cache = sim.cache::<R>(loads, |c| c.capacity(100).shards(1));
    for key in 0..10 {
        assert!(cache.insert_with(key, Loaded::new(V::new(key)).weight(10)).is_some());
    }
    assert_eq!((cache.weight(), cache.len()), (100, 10));
    cache
}

/// C57: a value that is heavier than the whole capacity is refused, and no other value leaves. (P12)
fn c57_too_heavy<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(50, Loaded::new(V::new(50)).weight(1000)).is_none());
    assert!(cache.insert_with(51, Loaded::new(V::new(51)).weight(101)).is_none());
    let stats = cache.stats();
    assert_eq!((cache.len(), stats.refused, stats.evicted, stats.replaced), (10, 2, 0, 0));
    assert_eq!(cache.max_weight(), 100);
    assert_clean(&stats);
}

/// C57: over a stored key it still removes the old value, which is no longer the value of the key. (P12)
fn c57_too_heavy_in_place_of_another<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(3, Loaded::new(V::new(50)).weight(1000)).is_none());
    assert!(cache.peek(&3).is_none());
    let stats = cache.stats();
    assert_eq!((cache.len(), cache.weight(), stats.refused, stats.replaced, stats.evicted), (9, 90, 1, 1, 0));
    assert_clean(&stats);
}

/// C57: the callers of a load that is too heavy to keep get its value. (P10)
fn c57_a_load_that_is_too_heavy<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1).weight(1000));
    let cache = ten_tens::<R>(&sim, &loads);
    let callers = sim.crowd(&cache, 50, 3);
    sim.to(10);
    for i in callers {
        assert!(sim.saw(i).starts_with("10: V1 "), "{}", sim.saw(i));
    }
    assert_eq!((cache.len(), cache.stats().refused), (10, 1));
    assert_clean(&cache.stats());
}

/// C57, D7: callers that waited for a refused value are told that it is not kept, loaded or inserted. (P10)
fn c57_what_is_refused_has_no_time_left<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1).weight(1000));
    let cache = ten_tens::<R>(&sim, &loads);
    let loaded = sim.crowd(&cache, 50, 2);
    let inserted = sim.crowd(&cache, 51, 2);
    assert!(cache.insert_with(51, Loaded::new(V::new(2)).weight(1000)).is_none());
    sim.to(10);
    for i in [loaded, inserted].concat() {
        let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
        assert_eq!((outcome.time_left(), outcome.generation()), (TimeLeft::For(Duration::ZERO), None));
    }
    assert_clean(&cache.stats());
}

/// D52: the load's weight, else the call's, else the weigher's, else 1. (P12)
fn the_weight_of_load_call_and_weigher<R: Host>() {
    for (load, call, expected) in [(Some(2), Some(3), 2), (Some(2), None, 2), (None, Some(3), 3), (None, None, 4)] {
        let mut sim = Sim::new();
        let script = load.into_iter().fold(ready(), Script::weight);
        let cache =
            Cache::builder(R::on(sim.clock())).loader(sim.loads(script)).weigher(|_, _| 4).build().expect("valid");
        let options = call.into_iter().fold(LookupOptions::new(), LookupOptions::weight);
        let own = cache.clone();
        sim.call(async move { own.lookup(&7).options(options).await });
        assert_eq!(cache.weight(), expected, "load {load:?}, call {call:?}");
        let inserted = load.into_iter().fold(Loaded::new(V::new(1)), Loaded::weight);
        cache.insert_with(7, inserted);
        assert_eq!(cache.weight(), load.unwrap_or(4), "inserted with {load:?}");
    }
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    cache.insert(7, V::new(1));
    assert_eq!(cache.weight(), 1);
}

/// D30: a kept failure keeps its part of the room when a value grows in its place. (P12)
fn a_value_that_grows_beside_a_kept_failure<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(ready().fails(1)), |c| c.capacity(10).shards(1).error_ttl(ms(100)));
    (0..9).for_each(|key| _ = cache.insert(key, V::new(key)));
    sim.get(&cache, 50);
    assert_eq!((cache.len(), cache.weight()), (9, 10));
    cache.insert_with(0, Loaded::new(V::new(0)).weight(2));
    assert_eq!((cache.len(), cache.weight()), (8, 10));
    let kept = sim.get(&cache, 50);
    assert_eq!(sim.saw(kept), "0: E1 cached");
}

/// D30: a kept failure leaves for a value that needs all the room there is. (P12)
fn a_value_that_needs_the_room_of_a_kept_failure<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(ready().fails(1)), |c| c.capacity(10).shards(1).error_ttl(ms(100)));
    sim.get(&cache, 50);
    assert_eq!((cache.len(), cache.weight()), (0, 1));
    assert!(cache.insert_with(7, Loaded::new(V::new(7)).weight(10)).is_some());
    assert_eq!((cache.len(), cache.weight()), (1, 10));
    let anew = sim.get(&cache, 50);
    assert_eq!(sim.saw(anew), "0: E1");
}

/// D30, D33: a kept failure is worth less than the value of its own key. If there is no room for both, it is not kept;
/// if there is, it is, and other failures leave for it. (P12)
fn a_failure_takes_no_room_from_the_value_that_softens_it<R: Host>() {
    for (capacity, weight, is_kept) in [(1, 1, false), (100, 100, false), (2, 1, true), (100, 99, true)] {
        let mut sim = Sim::new();
        let loads =
            sim.loads_by(move |_, call| if call > 0 { ready().fails(9) } else { ready().gives(7).weight(weight) });
        let cache = sim.cache::<R>(&loads, |c| {
            c.capacity(capacity).shards(1).ttl(ms(100)).stale_if_error(ms(1000)).error_ttl(ms(50))
        });
        sim.get(&cache, 7);
        sim.to(150);
        if is_kept {
            // Another key's failure leaves for the failure of this one.
            sim.get(&cache, 8);
            assert_eq!(cache.weight(), capacity);
        }
        let begun = loads.calls();
        let own = [sim.get(&cache, 7), sim.get(&cache, 7)];
        assert_eq!(own.map(|caller| sim.saw(caller)), ["150: V7 Stale(50) +E9", "150: V7 Stale(50) +E9"]);
        assert_eq!((loads.calls() - begun, cache.weight()), (if is_kept { 1 } else { 2 }, weight + u64::from(is_kept)));
        assert_clean(&cache.stats());
    }
}

/// D30, D33: nor does that value leave for it as the one whose turn it is, whatever is evicted first. (C21, P12)
fn d30_a_failure_does_not_evict_the_value_that_softens_it<R: Host>() {
    for (key, weight) in [(10, 1), (0, 1), (5, 1), (10, 4), (0, 4)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().fails(9));
        let cache = sim
            .cache::<R>(&loads, |c| c.capacity(10).shards(1).ttl(ms(100)).stale_if_error(ms(1000)).error_ttl(ms(50)));
        (0..=10).filter(|other| *other != key).for_each(|other| _ = cache.insert(other, V::new(other)));
        cache.insert_with(key, Loaded::new(V::new(key)).weight(weight));
        for at in [150, 250, 350] {
            sim.to(at);
            let saw = format!("{at}: V{key} Stale({}) +E9", at - 100);
            assert_eq!([(); 2].map(|()| sim.get(&cache, key)).map(|caller| sim.saw(caller)), [&*saw, &*saw]);
            assert!(cache.weight() <= 10);
            // Others come, and are the first to leave.
            cache.insert_with(100 + at as u32, Loaded::new(V::new(0)).ttl(Ttl::Forever));
        }
        assert_eq!(loads.calls(), 3);
        assert_clean(&cache.stats());
    }
}

/// C58: weight 0 counts as 1, so that entries of weight 0 are bounded, too. (P12)
fn c58_weight_zero_counts_as_one<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10));
    for key in 0..10_000 {
        cache.insert_with(key, Loaded::new(V::new(key)).weight(0));
        assert!(cache.weight() <= 10);
    }
    assert_eq!((cache.len(), cache.weight()), (10, 10));
    assert_clean(&cache.stats());
}

/// C58: the largest weight is refused, and sums do not wrap. (P12)
fn c58_the_heaviest_weight<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(50, Loaded::new(V::new(50)).weight(u64::MAX)).is_none());
    assert_eq!((cache.len(), cache.weight()), (10, 100));
    // If any weight fits, two of them do not, neither side by side nor one in place of the other.
    let endless = sim.cache::<R>(&loads, |c| c.capacity(u64::MAX).shards(1));
    let weigh = |key: u32| if key < 10 { u64::MAX - 10 } else { 7 };
    for key in [0, 10, 1, 11, 2, 12, 2, 2] {
        endless.insert_with(key, Loaded::new(V::new(key)).weight(weigh(key)));
        let sum: u128 = endless.iter().map(|(key, _)| u128::from(weigh(key))).sum();
        assert_eq!(u128::from(endless.weight()), sum);
    }
    endless.clear();
    for (key, weight) in [(2, u64::MAX - 10), (12, 7), (12, u64::MAX - 5)] {
        assert!(endless.insert_with(key, Loaded::new(V::new(key)).weight(weight)).is_some());
    }
    assert_eq!((endless.weight(), endless.len()), (u64::MAX - 5, 1));
    assert_clean(&endless.stats());
    assert_clean(&cache.stats());
}

/// C58: capacity 0 stores nothing and still shares loads. (P1, P10)
fn c58_capacity_zero<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(0));
    assert!(cache.insert(1, V::new(1)).is_none());
    let callers = sim.crowd(&cache, 7, 10);
    sim.to(10);
    assert!(callers.iter().all(|i| sim.saw(*i).starts_with("10: V1 ")));
    assert_eq!((loads.calls(), cache.len(), cache.weight(), cache.capacity()), (1, 0, 0, 0));
    assert_clean(&cache.stats());
}

/// C58: ten in four shards: never more than ten, and one value may take all of it. (P12)
fn c58_ten_in_four_shards<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10).shards(4));
    for key in 0..10_000 {
        cache.insert(key, V::new(key));
        assert!(cache.weight() <= 10 && cache.len() <= 10);
    }
    assert_eq!((cache.weight(), cache.capacity()), (10, 10));
    assert_eq!(cache.max_weight(), 10);
    assert_clean(&cache.stats());
}
