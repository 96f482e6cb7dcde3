//! Copies of hot values, where readers, writers and those who make copies meet.

use std::sync::atomic::{AtomicU32, Ordering};

use larder::Cache;

use super::*;

/// P8, P12: a copy that is made while its value is replaced or removed is neither served nor kept after that.
#[test]
fn no_copy_is_made_of_what_has_gone() {
    check_random(
        || {
            let builder = Cache::<u32, Arc<u32>, (), Scheduled>::builder(Scheduled::default());
            let builder = builder.capacity(10).shards(1).processors(2).hash_seed(1).near_copies(2);
            let cache = Arc::new(builder.build().expect("a valid configuration"));
            let newest = Arc::new(AtomicU32::new(0));
            cache.insert(1, Arc::new(0));
            let readers = [(); 2].map(|()| {
                let (cache, newest) = (Arc::clone(&cache), Arc::clone(&newest));
                thread::spawn(move || {
                    for _ in 0..6 {
                        let before = newest.load(Ordering::SeqCst);
                        let seen = cache.get_if_present(&1).map_or(u32::MAX, |value| *value);
                        assert!(seen >= before, "{seen} after {before}");
                    }
                })
            });
            let mut last = Arc::new(0);
            for value in 1..4 {
                last = Arc::new(value);
                cache.insert(1, Arc::clone(&last));
                newest.store(value, Ordering::SeqCst);
            }
            cache.remove(&1);
            newest.store(u32::MAX, Ordering::SeqCst);
            readers.into_iter().for_each(|reader| reader.join().expect("no panic"));
            assert_eq!((Arc::strong_count(&last), cache.stats().lookups()), (1, 12));
        },
        2000,
    );
}
