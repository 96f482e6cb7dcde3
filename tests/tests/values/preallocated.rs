//! A cache that takes its memory when it is built.

use larder::{Cache, ConfigError, Loaded, ManualClock, RemovalCause, Ttl, Tuned, parts::Local, policy::Lru};
use larder_tests::{
    memory::{allocations, growth},
    *,
};
use std::time::Duration;

const ENTRIES: usize = 100;

type Plain<S> = Cache<u64, u64, (), Local<ManualClock>, S>;

/// Whatever comes and goes: no memory is kept that was not there after the build, none is taken for as long as nothing
/// expires, and there are never more entries. (P12)
fn takes_none<S: larder::Tuning>(cache: &Plain<S>, clock: &ManualClock) {
    assert_eq!(allocations(|| churn(cache, |_| {})), 0);
    assert_eq!(
        growth(|| churn(cache, |key| {
            _ = cache.expire(&key);
            clock.advance(Duration::from_millis(1));
        })),
        0
    );
    assert!(cache.len() > ENTRIES / 2);
}

fn churn<S: larder::Tuning>(cache: &Plain<S>, pass: impl Fn(u64)) {
    for step in 0..20_000_u64 {
        let key = step * step % 313;
        match step % 7 {
            0 => _ = cache.remove(&key),
            1 => _ = cache.insert_with(key, Loaded::new(step).ttl(Ttl::Forever)),
            2 => pass(key),
            _ => _ = cache.insert(key, step),
        }
        assert!(cache.len() <= ENTRIES);
    }
}

#[test]
fn no_memory_is_taken_after_the_build() {
    let clock = ManualClock::new();
    let builder = || Cache::builder(Local::new(clock.clone())).ttl(Duration::from_secs(1)).hash_seed(7);
    takes_none(&builder().preallocate(ENTRIES).build().expect("valid"), &clock);
    takes_none(&builder().preallocate(ENTRIES).time_to_idle(Duration::from_secs(1)).build().expect("valid"), &clock);
    let least_recent = Cache::builder_with(Local::new(clock.clone()), Tuned::<Lru>::new()).ttl(Duration::from_secs(1));
    takes_none(&least_recent.hash_seed(7).preallocate(ENTRIES).build().expect("valid"), &clock);
}

#[test]
fn what_is_beyond_them_is_evicted_though_it_would_fit() {
    let cache: Plain<_> =
        Cache::builder(Local::new(ManualClock::new())).capacity(10_000).preallocate(8).build().expect("valid");
    (0..20).for_each(|key| assert!(cache.insert(key, key).is_some()));
    assert_eq!((cache.len(), cache.weight(), cache.stats().evicted), (8, 8, 12));
    cache.set_capacity(100_000);
    (20..40).for_each(|key| assert!(cache.insert(key, key).is_some()));
    assert_eq!(cache.len(), 8);
}

#[test]
fn each_of_several_shards_has_its_part() {
    let builder = Cache::builder(Local::new(ManualClock::new())).capacity(10_000).hash_seed(7);
    let cache: Plain<_> = builder.shards(4).preallocate(40).build().expect("valid");
    let allocations = allocations(|| (0..1_000).for_each(|key| _ = cache.insert(key, key)));
    assert_eq!((cache.len(), allocations), (40, 0));
}

#[test]
fn a_cleared_cache_keeps_its_memory() {
    let left = Rc::new(Cell::new(0));
    let heard = Rc::clone(&left);
    let cache: Plain<_> = Cache::builder(Local::new(ManualClock::new()))
        .preallocate(ENTRIES)
        .listener(move |_, _, cause| {
            assert!(matches!(cause, RemovalCause::Removed | RemovalCause::Evicted));
            heard.set(heard.get() + 1);
        })
        .build()
        .expect("valid");
    let fill = || (0..150).for_each(|key| _ = cache.insert(key, key));
    for round in 1..4 {
        fill();
        cache.clear();
        assert_eq!((cache.len(), left.get()), (0, 150 * round));
        assert_eq!(allocations(fill), 0);
        assert_eq!(cache.len(), ENTRIES);
        cache.clear();
        left.set(150 * round);
    }
}

/// What a listener stores while it is cleared is stored, and the cache has its memory again in the end.
#[test]
fn a_listener_stores_while_it_is_cleared() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let cache: Plain<_> = Cache::builder(Local::new(ManualClock::new()))
        .preallocate(10)
        .build_cyclic(|builder, weak| {
            let weak = weak.clone();
            builder.listener(move |key: &u64, _, cause| {
                if let Some(cache) = weak.upgrade().filter(|_| cause == RemovalCause::Removed && *key < 3) {
                    sender.send(cache.insert(key + 100, 1).is_some()).expect("it is read");
                }
            })
        })
        .expect("valid");
    (0..10).for_each(|key| _ = cache.insert(key, key));
    cache.clear();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [true; 3]);
    assert_eq!(cache.len(), 3);
    let allocations = allocations(|| (0..50).for_each(|key| _ = cache.insert(key, key)));
    assert_eq!((allocations, cache.len()), (0, 10));
}

/// What is stored while the cache is cleared is found, and is there once, also while its index moves to a larger one.
#[test]
fn d43_what_comes_during_a_clear_is_found() {
    for (entries, coming) in [(10, 1), (2000, 900)] {
        let cache: Plain<_> = Cache::builder(Local::new(ManualClock::new()))
            .preallocate(entries)
            .build_cyclic(|builder, weak| {
                let weak = weak.clone();
                builder.listener(move |key: &u64, _, _| {
                    if let Some(cache) = weak.upgrade().filter(|_| *key == 0) {
                        (5000..5000 + coming).for_each(|key| _ = cache.insert(key, 1));
                    }
                })
            })
            .expect("valid");
        (0..10).for_each(|key| _ = cache.insert(key, key));
        cache.clear();
        assert!((5000..5000 + coming).all(|key| cache.contains(&key)), "{coming}");
        (5000..5000 + coming).for_each(|key| _ = cache.insert(key, 2));
        assert_eq!(cache.len(), coming as usize);
        assert_eq!(allocations(|| (0..9000).for_each(|key| _ = cache.insert(key, key))), 0);
        assert_eq!(cache.len(), entries);
    }
}

/// Neither the policy's memory is given back when the capacity shrinks, nor when all is cleared. (P12)
#[test]
fn p12_another_capacity_takes_no_memory() {
    for shards in [1, 4] {
        let builder = Cache::builder(Local::new(ManualClock::new())).capacity(10_000).hash_seed(7).shards(shards);
        let cache: Plain<_> = builder.preallocate(400).build().expect("valid");
        let fill = || (0..1_000).for_each(|key| _ = cache.insert(key, key));
        fill();
        for capacity in [200, 10_000, 0, 10_000] {
            let resize = || {
                cache.set_capacity(capacity);
                (0..1_000).for_each(|key| _ = cache.insert(key, key));
            };
            assert_eq!(growth(resize), 0, "{shards}, {capacity}");
        }
    }
}

#[test]
fn too_little_memory_is_refused() {
    let builder = || Cache::<u64, u64, (), _>::builder(Local::new(ManualClock::new()));
    assert_eq!(builder().preallocate(usize::MAX / 2).build().err(), Some(ConfigError::Memory));
    let cyclic = builder().build_cyclic(|builder, _| builder.preallocate(usize::MAX / 2));
    assert_eq!(cyclic.err(), Some(ConfigError::Memory));
    assert!(builder().preallocate(0).build().expect("at least one").insert(1, 1).is_some());
}
