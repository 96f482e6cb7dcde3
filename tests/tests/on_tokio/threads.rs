//! The tokio adapter on a real runtime with two workers.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use larder::{Cache, Instant};
use larder_tests::{Arc, assert_clean, ms};
use larder_tokio::Tokio;

/// 10 000 tasks on one key that expires: never two loads within one lifetime, never two at once. (P1, P2)
#[test]
fn ten_thousand_tasks_on_one_expiring_key() {
    const TTL: u64 = 3;
    let workers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    workers.block_on(async {
        let clock = Tokio::new();
        let spans: Arc<Mutex<Vec<(Instant, Instant)>>> = Arc::default();
        let loads = Arc::new(AtomicU64::new(0));
        let (record, count) = (spans.clone(), loads.clone());
        let cache = Cache::builder(clock)
            .ttl(ms(TTL))
            .load_fn(move |_: u8| {
                let (clock, record, count) = (clock, record.clone(), count.clone());
                async move {
                    let begun = larder::Clock::now(&clock);
                    let n = count.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    record.lock().expect("no panic").push((begun, larder::Clock::now(&clock)));
                    Ok::<_, ()>(n)
                }
            })
            .build()
            .expect("valid");
        let tasks: Vec<_> = (0..10_000)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move {
                    let mut last = 0;
                    for _ in 0..20 {
                        let value = cache.get(&7).await.expect("no load fails");
                        assert!(value >= last, "a value older than one seen before");
                        last = value;
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics");
        }
        let spans = spans.lock().expect("no panic");
        assert_eq!(spans.len() as u64, loads.load(Ordering::SeqCst));
        for pair in spans.windows(2) {
            let (ended, begun) = (pair[0].1, pair[1].0);
            assert!(begun >= ended.saturating_add(ms(TTL)), "a load began before the value of the one before expired");
        }
        let stats = cache.stats();
        assert_eq!(stats.loads_begun, spans.len() as u64);
        assert_eq!(stats.hits + stats.misses + stats.expired + stats.joined, 200_000);
        assert_clean(&stats);
    });
}

/// C02 on tokio: 2000 keys, 32 first readers each on two workers: exactly 2000 loads. (P1)
#[test]
fn c02_no_window_between_look_and_claim() {
    let workers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    workers.block_on(async {
        let loads = Arc::new(AtomicU64::new(0));
        let count = loads.clone();
        let cache = Cache::builder(Tokio::new())
            .load_fn(move |key: u32| {
                let count = count.clone();
                async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, ()>(key)
                }
            })
            .build()
            .expect("valid");
        let mut readers = Vec::new();
        for key in 0..2000 {
            for _ in 0..32 {
                let cache = cache.clone();
                readers.push(tokio::spawn(async move { cache.get(&key).await.ok() == Some(key) }));
            }
        }
        for reader in readers {
            assert!(reader.await.expect("no reader panics"));
        }
        assert_eq!(loads.load(Ordering::SeqCst), 2000);
        assert_clean(&cache.stats());
    });
}

/// Tasks that are aborted at random leave the load to the others; a task that panics is told apart. (P2, P5)
#[test]
fn aborted_tasks_leave_the_load_to_the_others() {
    let workers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    workers.block_on(async {
        let go = Arc::new(tokio::sync::Semaphore::new(0));
        let permit = go.clone();
        let cache = Cache::builder(Tokio::new())
            .load_fn(move |key: u32| {
                let permit = permit.clone();
                async move {
                    permit.acquire().await.expect("open").forget();
                    Ok::<_, ()>(key)
                }
            })
            .build()
            .expect("valid");
        for key in 0..200 {
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let cache = cache.clone();
                    tokio::spawn(async move { cache.get(&key).await })
                })
                .collect();
            tokio::task::yield_now().await;
            for task in &tasks[..9] {
                task.abort();
            }
            go.add_permits(1);
            for (n, task) in tasks.into_iter().enumerate() {
                match task.await {
                    Ok(value) => assert_eq!(value.ok(), Some(key)),
                    Err(error) => assert!(error.is_cancelled() && n < 9),
                }
            }
        }
        let stats = cache.stats();
        assert_eq!(stats.loads_succeeded, 200);
        assert_clean(&stats);
    });
}
