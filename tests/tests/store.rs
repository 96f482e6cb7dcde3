//! What is stored, how much of it, and for how long at most.

use larder::{Cache, Loaded, policy::Lru};
use larder_tests::*;

on_every_runtime! {
    c55_put_and_remove_for_ever
    c55_loaded_cleared_loaded
    c57_too_heavy
    c57_too_heavy_in_place_of_another
    c57_a_load_that_is_too_heavy
    c58_weight_zero_counts_as_one
    c58_the_heaviest_weight
    c58_capacity_zero
    c58_ten_in_four_shards
    c59_expired_entries_go_untouched
    c59_nobody_calls
    c61_what_was_loaded_can_be_read
    direct_calls_tell_what_they_did
    exact_lru_evicts_the_oldest
}

fn value(n: u32) -> V {
    V::new(n)
}

/// C55: one key put and removed, and ten in turn: not a byte more after any number of rounds. (P12)
fn c55_put_and_remove_for_ever<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(100).ttl(ms(1000)));
    for keys in [1, 10] {
        memory::assert_no_growth(|| {
            for n in 0..50_000 {
                cache.insert(n % keys, value(n));
                assert_eq!(cache.remove(&(n % keys)).map(|v| *v), Some(n));
            }
        });
    }
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.removed, cache.len(), cache.weight()), (200_000, 200_000, 0, 0));
    assert_clean(&stats);
}

/// C55: 30 000 keys loaded, cleared, loaded: as many bytes as after the first time. (P12)
fn c55_loaded_cleared_loaded<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads_by(|key, _| ready().gives(key));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(20_000).ttl(ms(1000)));
    memory::assert_no_growth(|| {
        cache.clear();
        for key in 0..30_000 {
            assert!(matches!(wakers::now(cache.get(&key)), Ok(v) if *v == key));
        }
        assert_eq!((cache.weight(), cache.len()), (20_000, 20_000));
        loads.forget();
    });
    assert_clean(&cache.stats());
}

/// A cache for 100 in one shard with ten entries of 10.
fn ten_tens<R: Host>(sim: &Sim, loads: &Loads) -> Scripted<R> {
    let cache = sim.cache::<R>(loads, |c| c.capacity(100).shards(1));
    for key in 0..10 {
        assert!(cache.insert_with(key, Loaded::new(value(key)).weight(10)).is_some());
    }
    assert_eq!((cache.weight(), cache.len()), (100, 10));
    cache
}

/// C57: what is heavier than everything is refused and moves nobody. (P12)
fn c57_too_heavy<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(50, Loaded::new(value(50)).weight(1000)).is_none());
    assert!(cache.insert_with(51, Loaded::new(value(51)).weight(101)).is_none());
    let stats = cache.stats();
    assert_eq!((cache.len(), stats.refused, stats.evicted, stats.replaced), (10, 2, 0, 0));
    assert_eq!(cache.max_weight(), 100);
    assert_clean(&stats);
}

/// C57: over a stored key it still ends what was there: the old value is not the key's any more. (P12)
fn c57_too_heavy_in_place_of_another<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(3, Loaded::new(value(50)).weight(1000)).is_none());
    assert!(cache.peek(&3).is_none());
    let stats = cache.stats();
    assert_eq!((cache.len(), cache.weight(), stats.refused, stats.replaced, stats.evicted), (9, 90, 1, 1, 0));
    assert_clean(&stats);
}

/// C57: the callers of a load that is too heavy to keep have its value. (P10)
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

/// C58: weight 0 counts as 1, so that entries of no weight are bounded, too. (P12)
fn c58_weight_zero_counts_as_one<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10));
    for key in 0..10_000 {
        cache.insert_with(key, Loaded::new(value(key)).weight(0));
        assert!(cache.weight() <= 10);
    }
    assert_eq!((cache.len(), cache.weight()), (10, 10));
    assert_clean(&cache.stats());
}

/// C58: the heaviest weight there is is refused, and sums do not wrap. (P12)
fn c58_the_heaviest_weight<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = ten_tens::<R>(&sim, &loads);
    assert!(cache.insert_with(50, Loaded::new(value(50)).weight(u64::MAX)).is_none());
    assert_eq!((cache.len(), cache.weight()), (10, 100));
    // Where any weight fits, two of them do not, neither side by side nor one in place of another.
    let endless = sim.cache::<R>(&loads, |c| c.capacity(u64::MAX).shards(1));
    let weigh = |key: u32| if key < 10 { u64::MAX - 10 } else { 7 };
    for key in [0, 10, 1, 11, 2, 12, 2, 2] {
        endless.insert_with(key, Loaded::new(value(key)).weight(weigh(key)));
        let sum: u128 = endless.iter().map(|(key, _)| u128::from(weigh(key))).sum();
        assert_eq!(u128::from(endless.weight()), sum);
    }
    endless.insert_with(11, Loaded::new(value(11)).weight(u64::MAX));
    assert_eq!((endless.weight(), endless.len()), (u64::MAX, 1));
    assert_clean(&endless.stats());
    assert_clean(&cache.stats());
}

/// C58: capacity 0 stores nothing and still shares loads. (P1, P10)
fn c58_capacity_zero<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(0));
    assert!(cache.insert(1, value(1)).is_none());
    let callers = sim.crowd(&cache, 7, 10);
    sim.to(10);
    assert!(callers.iter().all(|i| sim.saw(*i).starts_with("10: V1 ")));
    assert_eq!((loads.calls(), cache.len(), cache.weight(), cache.capacity()), (1, 0, 0, 0));
    assert_clean(&cache.stats());
}

/// C58: ten in four shards: never more than ten, and the shares add up. (P12)
fn c58_ten_in_four_shards<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(10).shards(4));
    for key in 0..10_000 {
        cache.insert(key, value(key));
        assert!(cache.weight() <= 10 && cache.len() <= 10);
    }
    assert_eq!((cache.weight(), cache.capacity()), (10, 10));
    assert!((2..=10).contains(&cache.max_weight()), "{}", cache.max_weight());
    assert_clean(&cache.stats());
}

/// C59: hits on other keys give back expired entries, a bounded number at a time. (P12)
fn c59_expired_entries_go_untouched<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(20_000));
    for key in 0..1000 {
        cache.insert(key, value(key));
    }
    let grown = memory::growth(|| {
        for key in 1000..11_000 {
            cache.insert_with(key, Loaded::new(value(key)).ttl(ms(100)));
        }
    });
    sim.to(100);
    assert_eq!(cache.len(), 11_000);
    let freed = -memory::growth(|| {
        let (mut before, mut at_once) = (cache.len(), 0);
        for n in 0..160_000 {
            assert!(matches!(wakers::now(cache.get(&(n % 1000))), Ok(v) if *v == n % 1000));
            let now = cache.len();
            at_once = at_once.max(before - now);
            before = now;
        }
        assert!(at_once <= 64, "one hit reclaimed {at_once}");
    });
    assert_eq!((cache.len(), cache.weight(), cache.stats().expired_out), (1000, 1000, 10_000));
    // The values are back; the table may keep its width.
    assert!(freed >= 10_000 * size_of::<(usize, usize, u32)>() as i64, "{freed} of {grown} bytes are back");
    assert_clean(&cache.stats());
}

/// C59: `next_deadline` tells when, and `sweep` does it, for a host that calls nothing else. (P11, P12)
fn c59_nobody_calls<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(20_000));
    for key in 0..1000 {
        cache.insert(key, value(key));
        cache.insert_with(key + 1000, Loaded::new(value(key)).ttl(ms(100)));
    }
    assert_eq!(cache.next_deadline(), Some(sim.time.instant(100)));
    sim.to(99);
    assert_eq!((cache.sweep(), cache.len()), (0, 2000));
    sim.to(100);
    let mut swept = 0;
    while cache.next_deadline().is_some() {
        let now = cache.sweep();
        assert!(now > 0, "a deadline is left that sweep does not reach");
        swept += now;
    }
    assert_eq!((swept, cache.len()), (1000, 1000));
    assert_clean(&cache.stats());
}

/// C61: in a cache full of hot keys a cold one is loaded: the `get` after it finds it. (P10)
fn c61_what_was_loaded_can_be_read<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| ready().gives(key));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(1000));
    for round in 0..20 {
        for key in 0..1000 {
            sim.get(&cache, key);
        }
        let cold = 10_000 + round;
        sim.get(&cache, cold);
        let again = sim.get(&cache, cold);
        assert_eq!(sim.saw(again), format!("0: V{cold} Hit"));
    }
    assert_clean(&cache.stats());
}

/// `insert`, `remove`, `retain`, `iter` and the counts say what is there; `peek` and `contains` count nothing. (P12)
fn direct_calls_tell_what_they_did<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.capacity(1000).ttl(ms(100)));
    let one = cache.insert(1, value(10));
    let two = cache.insert(1, value(11));
    assert!(one.is_some() && two.is_some() && one != two, "generations are not used again");
    assert_eq!(cache.peek(&1).and_then(|outcome| outcome.generation()), two);
    for key in 2..=10 {
        cache.insert(key, value(key + 9));
    }
    cache.retain(|key, value| key % 2 == 0 && **value != 13);
    let mut kept: Vec<_> = cache.iter().map(|(key, value)| (key, *value)).collect();
    kept.sort_unstable();
    assert_eq!(kept, [(2, 11), (6, 15), (8, 17), (10, 19)]);
    assert_eq!(cache.remove(&2).map(|v| *v), Some(11));
    assert!(cache.remove(&2).is_none() && !cache.contains(&2));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.replaced, stats.removed, stats.held), (0, 0, 1, 7, 3));
    sim.to(100);
    assert_eq!((cache.iter().count(), cache.len()), (0, 3), "`iter` shows what is fresh, `len` what is held");
    assert!(cache.remove(&6).is_none(), "only a fresh value is given back");
    cache.clear();
    assert!(cache.is_empty() && cache.weight() == 0);
    assert_eq!(cache.stats().stored, 11);
    assert_clean(&cache.stats());
}

/// Exact LRU: of what is full, the one that was not asked for longest leaves.
fn exact_lru_evicts_the_oldest<R: Host>() {
    let sim = Sim::new();
    let cache = Cache::builder(R::on(sim.clock()))
        .capacity(3)
        .shards(1)
        .policy::<Lru>()
        .loader(sim.loads(never()))
        .build()
        .expect("valid");
    for key in 0..3 {
        cache.insert(key, value(key));
    }
    assert!(cache.get_if_present(&0).is_some());
    assert!(cache.peek(&1).is_some() && cache.contains(&1), "which is not asking for it");
    cache.insert(3, value(3));
    let mut keys: Vec<_> = cache.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    assert_eq!(keys, [0, 2, 3]);
    assert_clean(&cache.stats());
}
