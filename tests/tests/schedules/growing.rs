//! Shards that split while callers look, load and write.

use std::sync::atomic::{AtomicU32, Ordering};

use larder::Cache;

use super::*;

type Numbers = Cache<u32, u32, (), Scheduled>;

/// A cache of one shard, which may become eight, with these keys.
fn cache(keys: u32) -> Arc<Numbers> {
    let builder = Numbers::builder(Scheduled::default()).capacity(90).processors(1).hash_seed(1);
    let cache = builder.build().expect("a valid configuration");
    (0..keys).for_each(|key| _ = cache.insert(key, key));
    Arc::new(cache)
}

/// C111, P8: what is stored is found all the time, and a removed value does not come back.
#[test]
fn c111_no_value_is_missed_while_shards_split() {
    check_random(
        || {
            let cache = cache(16);
            let threads = [0, 1].map(|thread| {
                let cache = Arc::clone(&cache);
                thread::spawn(move || {
                    for key in (0..8).map(|key| 2 * key + thread) {
                        assert_eq!(cache.get_if_present(&key), Some(key));
                        assert!(cache.contains(&key));
                        if key % 3 == 0 {
                            assert_eq!(cache.remove(&key), Some(key));
                            assert_eq!(cache.get_if_present(&key), None);
                        } else {
                            assert!(cache.insert(key, key + 100).is_some());
                            assert_eq!(cache.get_if_present(&key), Some(key + 100));
                        }
                    }
                })
            });
            [100, 200, 10_000].into_iter().for_each(|capacity| cache.set_capacity(capacity));
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            for key in 0..16 {
                assert_eq!(cache.get_if_present(&key), if key % 3 == 0 { None } else { Some(key + 100) });
            }
            let stats = cache.stats();
            assert_eq!(stats.stored, stats.held + stats.replaced + stats.removed);
            assert_eq!((stats.held, cache.weight()), (10, 10));
        },
        1500,
    );
}

/// C111, P1, P2: each key is loaded once, and every caller gets its value.
#[test]
fn c111_no_load_is_lost_or_made_twice_while_shards_split() {
    check_random(
        || {
            let (cache, loads) = (cache(0), Arc::new(AtomicU32::new(0)));
            let threads = [(); 2].map(|()| {
                let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
                thread::spawn(move || {
                    for key in 0..5 {
                        let loads = Arc::clone(&loads);
                        let load = || async move {
                            yield_now().await;
                            loads.fetch_add(1, Ordering::SeqCst);
                            Ok(key)
                        };
                        assert_eq!(block_on(cache.get_or_load(&key, load)).ok(), Some(key));
                    }
                })
            });
            [100, 10_000].into_iter().for_each(|capacity| cache.set_capacity(capacity));
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            let stats = cache.stats();
            assert_eq!((loads.load(Ordering::SeqCst), stats.loads_succeeded, stats.held), (5, 5, 5));
            assert_eq!((stats.lookups(), stats.flights, stats.waiters, stats.loads_in_flight), (10, 0, 0, 0));
        },
        1500,
    );
}

/// C111: a walk over a cache that grows meets each value once, and a removal removes all that it is to remove.
#[test]
fn c111_walks_are_whole_while_shards_split() {
    check_random(
        || {
            let cache = cache(12);
            let walker = {
                let cache = Arc::clone(&cache);
                thread::spawn(move || {
                    let mut met: Vec<_> = cache.iter().map(|(key, _)| key).collect();
                    met.sort_unstable();
                    assert_eq!(met, (0..12).collect::<Vec<_>>());
                    cache.retain(|key, _| key % 2 == 0);
                    assert_eq!(cache.len(), 6);
                    cache.remove_if(|key| key % 4 == 0);
                    assert_eq!(cache.len(), 3);
                    cache.clear();
                    assert_eq!((cache.len(), cache.weight()), (0, 0));
                })
            };
            [100, 200, 10_000].into_iter().for_each(|capacity| cache.set_capacity(capacity));
            walker.join().expect("no panic");
        },
        1500,
    );
}
