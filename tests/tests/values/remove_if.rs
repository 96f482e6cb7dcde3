//! Removal by key affects no other key, neither its value nor its load.

use core::panic::AssertUnwindSafe;
use std::{panic::catch_unwind, thread};

use larder::{Cache, Loaded, ManualClock, RemovalCause, parts::Std};
use larder_tests::*;

on_every_runtime! {
    c105_removal_by_key
    c105_of_a_load_of_many_keys
    c105_of_answers_that_nobody_asked_for
    c105_of_a_kept_failure
    c105_what_begins_meanwhile
    c105_the_closure_calls_the_cache
    c105_the_closure_panics
    c105_keys_move_meanwhile
}

/// The keys from 10 to 19 belong to tenant 1.
fn is_of_tenant_1(key: &u32) -> bool {
    key / 10 == 1
}

/// C105: loads of other keys go on and are stored; a load of a matching key is delivered, and is not stored. (P8, D41)
fn c105_removal_by_key<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(100).gives(key));
    let left = Rc::new(RefCell::new(Vec::new()));
    let heard = left.clone();
    let hears = move |key: &u32, _: &V, cause: RemovalCause| heard.borrow_mut().push((*key, cause));
    let cache = sim.cache::<R>(&loads, |c| c.listener(hears));
    for key in [11, 12, 21] {
        cache.insert(key, V::new(key));
    }
    cache.insert_with(13, Loaded::new(V::new(13)).ttl(ms(10)));
    let waiting = [14, 14, 22].map(|key| sim.get(&cache, key));
    sim.to(30);
    // One of three has expired.
    assert_eq!(cache.remove_if(is_of_tenant_1), 2);
    assert_eq!((cache.len(), cache.contains(&21)), (1, true));
    let mut events = left.take();
    events.sort_by_key(|event| event.0);
    let removed = RemovalCause::Removed;
    assert_eq!(events, [(11, removed), (12, removed), (13, RemovalCause::Expired)]);
    let behind = [14, 22].map(|key| sim.get(&cache, key));
    sim.to(100);
    let saw = waiting.map(|i| sim.saw(i));
    assert_eq!(saw, ["100: V14 Miss", "100: V14 LockHit", "100: V22 Miss"]);
    assert_eq!([14, 22].map(|key| cache.contains(&key)), [false, true]);
    sim.to(130);
    assert_eq!(behind.map(|i| sim.saw(i)), ["130: V14 Miss", "100: V22 LockHit"]);
    assert!(cache.contains(&14));
    assert_eq!(loads.calls(), 3);
    assert_clean(&cache.stats());
}

/// C105: of the keys of one load only matching ones are voided, also those that no caller waits for any more. (D62,
/// D65)
fn c105_of_a_load_of_many_keys<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let gone = sim.many(&cache, &[11, 12, 21, 22]);
    let waits = [11, 22].map(|key| sim.get(&cache, key));
    sim.drop(gone);
    sim.to(20);
    assert_eq!(cache.remove_if(is_of_tenant_1), 0);
    sim.to(50);
    assert_eq!(waits.map(|i| sim.saw(i)), ["50: V11 LockHit", "50: V22 LockHit"]);
    assert_eq!([11, 12, 21, 22].map(|key| cache.contains(&key)), [false, false, true, true]);
    assert_eq!(batches.begun().len(), 1);
    assert_clean(&cache.stats());
}

/// C105: a load that has read matching keys before does not store them as a surplus. (P8, D60)
fn c105_of_answers_that_nobody_asked_for<R: Host>() {
    let mut sim = Sim::new();
    let says = |keys: &[u32]| {
        let own = keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)))));
        own.chain([(19, Ok(Loaded::new(V::new(19))))]).collect()
    };
    let batches = Batches::saying(&sim.time, |_, _| after(50), says);
    let cache = sim.batched::<R>(&batches, |c| c.store_surplus());
    let many = sim.many(&cache, &[21, 22]);
    sim.to(30);
    assert_eq!(cache.remove_if(is_of_tenant_1), 0);
    sim.to(50);
    assert_eq!((sim.saw(many).as_str(), cache.contains(&19)), ("50: V21 Miss, V22 Miss", false));
    let later = sim.many(&cache, &[23]);
    sim.to(100);
    assert_eq!((sim.saw(later).as_str(), cache.contains(&19)), ("100: V23 Miss", true));
}

/// C105: a kept failure of a matching key is forgotten, that of another key is not. (P4, D30)
fn c105_of_a_kept_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
    for key in [11, 21] {
        sim.get(&cache, key);
    }
    assert_eq!((cache.weight(), loads.calls()), (2, 2));
    assert_eq!(cache.remove_if(is_of_tenant_1), 0);
    assert_eq!(cache.weight(), 1);
    for key in [11, 21] {
        sim.get(&cache, key);
    }
    assert_eq!(loads.keys(), [11, 21, 11]);
}

/// C105: a load that was under way at the call is voided, though it ends while the closure runs. (P8)
fn c105_what_begins_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(100).gives(key));
    let cache = sim.cache::<R>(&loads, |c| c.shards(1));
    let keys: Vec<u32> = (10..20).chain(100..300).collect();
    let old: Vec<_> = keys.iter().map(|key| sim.get(&cache, *key)).collect();
    let sim = RefCell::new(sim);
    let has_ended = Cell::new(false);
    let removed = cache.remove_if(|key| {
        if !has_ended.replace(true) {
            sim.borrow_mut().to(100);
        }
        is_of_tenant_1(key)
    });
    let sim = sim.into_inner();
    assert!(old.iter().zip(&keys).all(|(i, key)| sim.saw(*i) == format!("100: V{key} Miss")));
    assert_eq!((removed, cache.len()), (10, 200));
    assert!(cache.iter().all(|(key, _)| !is_of_tenant_1(&key)));
    assert_clean(&cache.stats());
}

/// C105: the closure may read, write and remove; it runs outside of every lock. (D44, P13)
fn c105_the_closure_calls_the_cache<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.shards(1));
    for key in 0..200 {
        cache.insert(key, V::new(key));
    }
    let asked = Cell::new(0);
    let removed = cache.remove_if(|key| {
        asked.set(asked.get() + 1);
        cache.get_if_present(key);
        cache.insert(*key, V::new(1000));
        if *key == 150 {
            assert_eq!(cache.remove_if(|key| *key >= 190), 10);
        }
        cache.remove(&1000);
        key % 2 == 0
    });
    assert!(asked.get() >= 190, "{}", asked.get());
    // An entry that leaves and comes back meanwhile may be judged or not.
    assert!((95..=100).contains(&removed), "{removed}");
    assert!((0..190).all(|key| cache.contains(&key) == (key % 2 != 0)));
}

/// C105: what the closure decided before it panicked is done, and told; the cache stays usable. (P5)
fn c105_the_closure_panics<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let left = Rc::new(Cell::new(0));
    let heard = left.clone();
    let cache = sim.cache::<R>(&loads, |c| c.listener(move |_, _, _| heard.set(heard.get() + 1)));
    for key in 0..100 {
        cache.insert(key, V::new(key));
    }
    let mut asked = 0;
    let is_such = |_: &u32| {
        asked += 1;
        if asked == 50 { std::panic::panic_any(Bang(1)) } else { true }
    };
    let unwound = catch_unwind(AssertUnwindSafe(|| cache.remove_if(is_such)));
    assert!(unwound.expect_err("it unwinds").is::<Bang>());
    assert_eq!((left.get(), cache.len()), (49, 51));
    assert_eq!((cache.remove_if(|_| true), left.get(), cache.len()), (51, 100, 0));
}

/// C105: whatever leaves and moves meanwhile, each entry that stays is judged.
fn c105_keys_move_meanwhile<R: Host>() {
    let mut random = Random::new(105);
    for _ in 0..50 {
        let sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.shards(1));
        let keys = 1 + random.below(400) as u32;
        for key in 0..keys {
            cache.insert(key, V::new(key));
        }
        let mut judged = vec![false; keys as usize];
        cache.remove_if(|key| {
            judged[*key as usize] = true;
            if random.below(3) == 0 {
                cache.remove(&(random.below(u64::from(keys)) as u32));
            }
            random.below(3) == 0
        });
        assert!(cache.iter().all(|(key, _)| judged[key as usize]));
    }
}

/// C105: values are neither cloned nor shown.
#[test]
fn c105_values_are_not_touched() {
    struct Untouched;

    impl Clone for Untouched {
        fn clone(&self) -> Self {
            panic!("no copy is needed")
        }
    }

    let cache: Cache<u32, Untouched, Boom, _> = Cache::builder(Std::new(ManualClock::new())).build().expect("valid");
    for key in 0..100 {
        cache.insert(key, Untouched);
    }
    assert_eq!((cache.remove_if(|key| key % 2 == 0), cache.len()), (50, 50));
}

/// C105: beside writers on other threads, earlier matching entries are removed, and others are unchanged. (P8)
#[test]
fn c105_beside_others() {
    let cache: Cache<u32, u32, Boom, _> = Cache::builder(Std::new(ManualClock::new())).build().expect("valid");
    for round in 0..50 {
        for key in 0..500 {
            cache.insert(key, 0);
        }
        thread::scope(|scope| {
            scope.spawn(|| (0..500).filter(|key| key % 4 == 1).for_each(|key| _ = cache.insert(key, round + 1)));
            scope.spawn(|| (0..500).filter(|key| key % 4 == 3).for_each(|key| _ = cache.remove(&key)));
            cache.remove_if(|key| key % 2 == 0);
        });
        for key in 0..500 {
            let expected = [None, Some(round + 1), None, None][key as usize % 4];
            assert_eq!(cache.get_if_present(&key), expected, "{key}");
        }
    }
}
