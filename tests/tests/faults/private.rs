//! Answers that are only for their own callers, on many threads.

use core::sync::atomic::{AtomicU32, Ordering};
use std::{collections::BTreeSet, sync::Mutex, thread};

use futures_lite::future::{block_on, yield_now};
use larder::{
    Cache, Loaded, ManualClock, Ttl,
    parts::{Spin, Std},
};
use larder_tests::*;

/// The results of threads that ask again and again for a few keys, alone and many at once.
fn told<R: larder::Runtime<Threads = larder::ManyThreads> + Send + Sync>(runtime: R, alone_for: Duration) -> Vec<u32>
where
    Cache<u32, u32, (), R>: Send + Sync,
{
    let calls = AtomicU32::new(0);
    let calls: &'static AtomicU32 = Box::leak(Box::new(calls));
    let cache = Cache::builder(runtime)
        .loaded_many_fn(move |keys: Vec<u32>| async move {
            yield_now().await;
            let answer = |key| {
                let number = calls.fetch_add(1, Ordering::Relaxed);
                (key, Ok(Loaded::new(number).ttl(Ttl::private(alone_for))))
            };
            Ok::<_, ()>(keys.into_iter().map(answer).collect::<Vec<_>>())
        })
        .attempts(2)
        .hash_seed(7)
        .build()
        .expect("valid");
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200_u32 {
                    let key = round / 20;
                    let one = block_on(cache.get(&key)).expect("a value");
                    let many = block_on(cache.get_many(&[key, key + 1]));
                    let mut all = all.lock().expect("no thread panics");
                    all.push(one);
                    all.extend(many.into_iter().map(|told| told.expect("a value")));
                }
            });
        }
    });
    assert_eq!(cache.len(), 0);
    assert_clean(&cache.stats());
    all.into_inner().expect("no thread panics")
}

/// C106: however many ask at the same time, no two get the same value. (D104)
#[test]
fn c106_on_threads() {
    for alone_for in [0, 1] {
        let alone_for = Duration::from_secs(alone_for);
        for values in [told(Std::new(ManualClock::new()), alone_for), told(Spin::new(ManualClock::new()), alone_for)] {
            assert_eq!(values.len(), 4 * 200 * 3);
            let distinct: BTreeSet<_> = values.iter().collect();
            assert_eq!(distinct.len(), values.len());
        }
    }
}
