//! Copies of hot values near the threads that use them: what is seen is what is seen without them.

use std::{
    io,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use futures_lite::future::block_on;
use larder::{Cache, Change, Clock, Instant, Loaded, LookupOptions, ManualClock, parts::Std};
use larder_tests::{Counted, locks, most_moved, ms};

type Values = Cache<u32, Arc<u32>, io::Error, Std<ManualClock>>;

fn cache(capacity: u64, ttl: Option<Duration>) -> (Values, ManualClock) {
    let clock = ManualClock::new();
    let mut builder = Cache::builder(Std::new(clock.clone()))
        .capacity(capacity)
        .shards(4)
        .hash_seed(1)
        .processors(3)
        .near_copies(64)
        .load_fn(|key: u32| async move { Ok(Arc::new(key)) });
    if let Some(ttl) = ttl {
        builder = builder.ttl(ttl);
    }
    (builder.build().expect("a valid configuration"), clock)
}

/// Looks so often, on so many threads, that there are copies.
fn warm(cache: &Values, keys: &[u32]) {
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..10 {
                    keys.iter().for_each(|key| _ = cache.get_if_present(key));
                }
            });
        }
    });
}

/// How many of these are alive beside the test's own.
fn alive(values: &[Arc<u32>]) -> usize {
    values.iter().map(|value| Arc::strong_count(value) - 1).sum()
}

/// C111: copies from before a growth are taken out, and those of values that have moved are as good as any.
#[test]
fn c111_no_copy_outlives_a_growth_or_a_write_after_it() {
    let builder = Cache::builder(Std::new(ManualClock::new())).capacity(100).hash_seed(1).processors(3).near_copies(64);
    let cache: Values = builder.load_fn(|key: u32| async move { Ok(Arc::new(key)) }).build().expect("valid");
    let keys: Vec<_> = (0..20).collect();
    let values: Vec<_> = (0..20).map(Arc::new).collect();
    values.iter().for_each(|value| _ = cache.insert(**value, Arc::clone(value)));
    warm(&cache, &keys);
    assert!(alive(&values) > 20, "there are copies");
    for capacity in [1000, 100_000] {
        cache.set_capacity(capacity);
        assert_eq!(alive(&values), 20, "none is left at {capacity}");
        warm(&cache, &keys);
        assert!(alive(&values) > 20, "there are copies again");
        let before = cache.stats().hits;
        for key in (0..20).step_by(2) {
            cache.insert(key, Arc::new(100));
            assert_eq!(cache.get_if_present(&key), Some(Arc::new(100)));
            assert_eq!(Arc::strong_count(&values[key as usize]), 1, "{key} at {capacity}");
            cache.insert(key, Arc::clone(&values[key as usize]));
        }
        assert_eq!(cache.stats().hits, before + 10);
    }
}

/// P8, P12, C08, C55: when a write returns, no copy of what it has changed is served or kept.
#[test]
fn no_copy_outlives_a_write() {
    type Write = fn(&Values, &ManualClock);
    let writes: [(&str, Write); 15] = [
        ("insert", |cache, _| _ = cache.insert(1, Arc::new(0))),
        ("remove", |cache, _| _ = cache.remove(&1)),
        ("remove_if", |cache, _| _ = cache.remove_if(|key| *key == 1)),
        ("retain", |cache, _| cache.retain(|key, _| *key != 1)),
        ("clear", |cache, _| cache.clear()),
        ("invalidate", |cache, _| {
            let generation = cache.peek(&1).and_then(|found| found.generation()).expect("it is stored");
            assert!(cache.invalidate_if(&1, generation));
        }),
        ("expire", |cache, _| assert!(cache.expire(&1))),
        ("expire_all", |cache, _| _ = cache.expire_all()),
        ("compute", |cache, _| _ = cache.compute(&1, |_| Change::Remove)),
        ("compute again", |cache, _| _ = cache.compute(&1, |_| Change::Store(Loaded::new(Arc::new(0))))),
        ("set_capacity", |cache, _| cache.set_capacity(0)),
        ("reload", |cache, _| _ = block_on(cache.lookup(&1).options(LookupOptions::new().reload()))),
        ("refresh", |cache, _| _ = block_on(cache.refresh(&1))),
        ("sweep", |cache, clock| {
            clock.advance(ms(1000));
            assert!(cache.sweep() > 0);
        }),
        ("others", |cache, _| (100..1000).for_each(|key| _ = cache.insert(key, Arc::new(key)))),
    ];
    for (name, write) in writes {
        let (cache, clock) = cache(100, Some(ms(1000)));
        let values: Vec<_> = (0..20).map(Arc::new).collect();
        values.iter().for_each(|value| _ = cache.insert(**value, Arc::clone(value)));
        warm(&cache, &(0..20).collect::<Vec<_>>());
        assert!(alive(&values) > 20, "{name}: there are copies");
        write(&cache, &clock);
        let now: Vec<_> = (0..20).map(|key| cache.peek(&key)).collect();
        for (key, found) in (0..20).zip(now) {
            let (seen, copy) = (cache.get_if_present(&key), found.map(|found| Arc::clone(found.value())));
            let is_fresh = cache.contains(&key);
            assert_eq!(seen, copy.filter(|_| is_fresh), "{name} {key}");
        }
        let is_there = cache.get_if_present(&1).is_some_and(|value| Arc::ptr_eq(&value, &values[1]));
        assert!(!is_there || name == "others", "{name}");
        if cache.is_empty() {
            assert_eq!(alive(&values), 0, "{name}");
        }
        let one = Arc::strong_count(&values[1]) - 1;
        assert!(
            one == 0 || cache.peek(&1).is_some_and(|found| Arc::ptr_eq(found.value(), &values[1])),
            "{name}: {one}"
        );
        drop(cache);
        assert_eq!(alive(&values), 0, "{name}");
    }
}

/// P11: a copy expires with its value, and is not trusted longer.
#[test]
fn a_copy_expires_with_its_value() {
    let (cache, clock) = cache(100, Some(ms(10)));
    cache.insert(1, Arc::new(1));
    warm(&cache, &[1]);
    clock.advance(ms(9));
    assert!(cache.get_if_present(&1).is_some());
    cache.trust_until(clock.now());
    assert_eq!(cache.get_if_present(&1), None);
    cache.trust_until(Instant::NEVER);
    assert!(cache.get_if_present(&1).is_some());
    clock.advance(ms(1));
    assert_eq!((cache.get_if_present(&1), cache.stats().expired), (None, 2));
}

/// D85: each lookup is counted once, by a copy or by the shard.
#[test]
fn lookups_are_counted() {
    let (cache, _) = cache(100, None);
    for key in 0..4 {
        cache.insert(key, Arc::new(key));
    }
    let threads = 4;
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for nth in 0..1000 {
                    let key = nth % 5;
                    let value = if nth % 2 == 0 { cache.get_if_present(&key) } else { block_on(cache.get(&key)).ok() };
                    assert!(value.is_none_or(|value| *value == key));
                }
            });
        }
    });
    let stats = cache.stats();
    assert_eq!(stats.lookups(), threads * 1000);
    assert!(stats.hits >= threads * 800, "{stats:?}");
}

/// A hit of a copy takes no lock of the shard.
#[test]
fn a_hit_of_a_copy_does_not_touch_the_shard() {
    /// Its clones may be held up, which are made under the lock of the shard.
    struct Held(Option<Arc<(Barrier, Barrier)>>, Arc<AtomicBool>);
    impl Clone for Held {
        fn clone(&self) -> Self {
            if let Some(held) = self.0.as_ref().filter(|_| self.1.load(Ordering::SeqCst)) {
                held.0.wait();
                held.1.wait();
            }
            Self(None, Arc::clone(&self.1))
        }
    }

    let (held, holds) = (Arc::new((Barrier::new(2), Barrier::new(2))), Arc::new(AtomicBool::new(false)));
    let builder = Cache::<u32, Held, io::Error, _>::builder(Std::new(ManualClock::new()));
    let cache = builder.shards(1).processors(1).near_copies(64).hash_seed(1).build().expect("a valid configuration");
    cache.insert(1, Held(None, Arc::clone(&holds)));
    cache.insert(2, Held(Some(Arc::clone(&held)), Arc::clone(&holds)));
    (0..10).for_each(|_| _ = cache.get_if_present(&1));
    holds.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| cache.peek(&2).is_some());
        held.0.wait();
        // The shard is locked until the other barrier.
        let (tells, told) = mpsc::channel();
        scope.spawn({
            let cache = &cache;
            move || tells.send(cache.get_if_present(&1).is_some())
        });
        let seen = told.recv_timeout(Duration::from_secs(20));
        held.1.wait();
        assert_eq!(seen, Ok(true));
    });
}

/// Where hits prolong values, there are no copies, and they do.
#[test]
fn an_idle_time_counts_each_hit() {
    let clock = ManualClock::new();
    let builder = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).near_copies(64);
    let cache = builder.time_to_idle(ms(10)).build().expect("a valid configuration");
    cache.insert(1, 1);
    for _ in 0..50 {
        clock.advance(ms(9));
        assert_eq!(cache.get_if_present(&1), Some(1));
    }
}

/// P8, P12: with writers and readers at once, what a reader sees is never older than what was there when it came.
#[test]
fn readers_never_see_what_was_replaced_before_they_came() {
    let (cache, _) = cache(100, None);
    let newest = AtomicUsize::new(0);
    cache.insert(1, Arc::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while newest.load(Ordering::SeqCst) < 3000 {
                    let before = newest.load(Ordering::SeqCst);
                    let seen = cache.get_if_present(&1).expect("it is there");
                    assert!(*seen as usize >= before, "{seen} after {before}");
                }
            });
        }
        for value in 1..=3000 {
            cache.insert(1, Arc::new(value));
            newest.store(value as usize, Ordering::SeqCst);
            for _ in 0..value % 50 {
                std::hint::spin_loop();
            }
        }
    });
    let last = cache.remove(&1).expect("it is there");
    assert_eq!(Arc::strong_count(&last), 1);
}

/// P5, P12: drops of copies that panic keep neither other copies nor what else is to be done.
#[test]
fn drops_that_panic_keep_no_copies() {
    struct Bomb(Arc<AtomicUsize>, Arc<()>);
    impl Clone for Bomb {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0), Arc::clone(&self.1))
        }
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            assert!(left.is_err(), "this drop panics");
        }
    }

    for shards in [1, 2] {
        let (armed, alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
        let builder = Cache::<u32, Bomb, io::Error, _>::builder(Std::new(ManualClock::new()));
        let builder = builder.shards(shards).processors(1).near_copies(64).hash_seed(1);
        let cache = builder.build().expect("a valid configuration");
        for key in 0..8 {
            cache.insert(key, Bomb(Arc::clone(&armed), Arc::clone(&alive)));
        }
        (0..4).for_each(|_| (0..8).for_each(|key| drop(cache.get_if_present(&key))));
        let copies = Arc::strong_count(&alive) - 1 - 8;
        assert!(copies > 4, "{copies}");
        armed.store(3, Ordering::SeqCst);
        let outdated = || cache.trust_until(Instant::NEVER);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(outdated)).is_err());
        assert_eq!((armed.load(Ordering::SeqCst), Arc::strong_count(&alive)), (0, 1 + 8), "{shards}: only the values");
    }
}

/// However many copies are asked for, there are as many as hashes choose among.
#[test]
fn more_copies_than_can_be_are_not_made() {
    let builder = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()));
    let cache = builder.shards(4).processors(1).near_copies(usize::MAX).build().expect("a valid configuration");
    cache.insert(1, 1);
    assert!((0..10).all(|_| cache.get_if_present(&1) == Some(1)));
    assert_eq!(cache.stats().hits, 10);
}

/// D49: hits of copies reclaim what has expired at the pace of all calls. (P12)
#[test]
fn d49_hits_of_copies_reclaim() {
    let clock = ManualClock::new();
    let builder = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).capacity(1000);
    let cache = builder.shards(1).processors(1).near_copies(64).build().expect("a valid configuration");
    (0..100).for_each(|key| _ = cache.insert_with(key, Loaded::new(key).ttl(ms(1))));
    cache.insert(500, 500);
    assert!((0..10).all(|_| cache.get_if_present(&500) == Some(500)));
    clock.advance(ms(1));
    for nth in 1..=5 {
        assert!((0..16 * 20).all(|_| cache.get_if_present(&500) == Some(500)));
        assert_eq!(cache.len(), 101 - 20 * nth);
    }
}

/// C113: outdated copies are looked for a few hundred slots at a time. (D49)
#[test]
fn c113_many_copies_are_taken_out() {
    let builder = Cache::<u32, u32, io::Error, _>::builder(Counted::new(ManualClock::new()));
    let cache = builder.shards(1).processors(1).near_copies(50_000).build().expect("a valid configuration");
    for key in 0..1000 {
        cache.insert(key, key);
        assert!((0..4).all(|_| cache.get_if_present(&key) == Some(key)));
    }
    assert_eq!(locks(|| assert_eq!(cache.get_if_present(&1), Some(1))), 1, "there is a copy");
    let locked = locks(|| _ = cache.insert(1, 2));
    assert!(locked >= 50_000 / 300, "{locked} locks");
    assert_eq!(cache.get_if_present(&1), Some(2));
}

/// C113: the room for many copies is made outside the locks. (D49)
#[test]
fn c113_room_for_many_copies() {
    let builder = Cache::<u32, u32, io::Error, _>::builder(Counted::new(ManualClock::new()));
    let cache = builder.shards(4).processors(1).near_copies(100_000).build().expect("a valid configuration");
    cache.insert(1, 1);
    let most = most_moved(|| assert!((0..10).all(|_| cache.get_if_present(&1) == Some(1))));
    assert!(most < 10_000, "{most} bytes under one lock");
    assert_eq!(locks(|| assert_eq!(cache.get_if_present(&1), Some(1))), 1, "there is a copy");
}
