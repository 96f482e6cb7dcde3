//! What is stored, and the limits of its size and lifetime.

use larder::{Cache, Loaded, Tuned, policy::Lru};
use larder_tests::*;

on_every_runtime! {
    c55_put_and_remove_for_ever
    c55_loaded_cleared_loaded
    c59_expired_entries_go_untouched
    c59_nobody_calls
    c61_what_was_loaded_can_be_read
    direct_calls_tell_what_they_did
    exact_lru_evicts_the_oldest
}

fn value(n: u32) -> V {
    V::new(n)
}

/// C55: one key is put and removed, then ten in turn: no more memory after any number of rounds. (P12)
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

/// C55: 30 000 keys loaded, cleared, loaded: the same memory as after the first time. (P12)
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

/// C59: hits on other keys remove expired entries, a bounded number at a time. (P12)
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
    // The values are removed; the table may keep its width.
    assert!(freed >= 10_000 * size_of::<(usize, usize, u32)>() as i64, "{freed} of {grown} bytes are back");
    assert_clean(&cache.stats());
}

/// C59: `next_deadline` returns when, and `sweep` removes them, for a host that makes no other calls. (P11, P12)
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

/// C61: a cold key is loaded into a cache full of hot keys: the next `get` finds it. (P10)
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

/// `insert`, `remove`, `retain`, `iter` and the counts agree; `peek` and `contains` count nothing. (P12)
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

/// Exact LRU: in a full cache, the least recently used value leaves.
fn exact_lru_evicts_the_oldest<R: Host>() {
    let sim = Sim::new();
    let cache = Cache::builder_with(R::on(sim.clock()), Tuned::<Lru>::new())
        .capacity(3)
        .shards(1)
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
