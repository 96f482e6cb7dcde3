//! The tokio adapter in tokio's own virtual time.

use core::sync::atomic::{AtomicU32, Ordering};

use larder::{Cache, LoadError, LookupOptions, OnTimeout, Status};
use larder_tests::{Arc, assert_clean, ms};
use larder_tokio::Tokio;
use tokio::time::{advance, sleep, timeout};

/// A loader that takes `delay` and returns the number of its calls, from 1 on.
fn counting(
    delay: u64,
    calls: &Arc<AtomicU32>,
) -> impl Fn(u8) -> core::pin::Pin<Box<dyn Future<Output = Result<u32, ()>> + Send>> + Send + Sync + 'static {
    let calls = calls.clone();
    move |_| {
        let n = calls.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            sleep(ms(delay)).await;
            Ok(n)
        })
    }
}

/// C32 on tokio: fresh until its TTL has passed, then loaded anew. (P11)
#[tokio::test(start_paused = true)]
async fn c32_time_to_live() {
    let calls = Arc::default();
    let cache = Cache::builder(Tokio::new()).ttl(ms(100)).load_fn(counting(10, &calls)).build().expect("valid");
    assert_eq!(cache.get(&7).await.ok(), Some(1));
    advance(ms(99)).await;
    let hit = cache.lookup(&7).await.expect("no load fails");
    assert_eq!((*hit.value(), hit.status(), hit.age()), (1, Status::Hit, ms(99)));
    advance(ms(1)).await;
    let expired = cache.lookup(&7).await.expect("no load fails");
    assert_eq!((*expired.value(), expired.status(), expired.waited()), (2, Status::Expired, ms(10)));
    assert_clean(&cache.stats());
}

/// C27, C29 on tokio: a bounded wait ends in time, by failing or by loading alone. (P7)
#[tokio::test(start_paused = true)]
async fn c27_lock_timeout() {
    let calls = Arc::<AtomicU32>::default();
    let count = calls.clone();
    let cache = Cache::builder(Tokio::new())
        .load_fn(move |_: u8| {
            let n = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                sleep(if n == 1 { ms(500) } else { ms(30) }).await;
                Ok::<_, ()>(n)
            }
        })
        .build()
        .expect("valid");
    let begun = tokio::time::Instant::now();
    let (own, other) = (cache.clone(), cache.clone());
    let first = tokio::spawn(async move { own.get(&7).await });
    tokio::task::yield_now().await;
    let failing = tokio::spawn(async move {
        let options = LookupOptions::new().lock_timeout(ms(50), OnTimeout::Fail);
        other.lookup(&7).options(options).await.map(|outcome| *outcome.value())
    });
    let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
    let second = cache.lookup(&7).options(options).await.expect("no load fails");
    assert_eq!((*second.value(), begun.elapsed().as_millis()), (2, 130));
    assert!(matches!(failing.await.expect("no panic"), Err(LoadError::LockTimeout)));
    assert_eq!(first.await.expect("no panic").ok(), Some(2));
    assert_eq!((calls.load(Ordering::SeqCst), begun.elapsed().as_millis()), (2, 130));
    assert_clean(&cache.stats());
}

/// C23 on tokio: the lock age passes while a caller waits for a load that hangs. (P6)
#[tokio::test(start_paused = true)]
async fn c23_lock_age() {
    let calls = Arc::<AtomicU32>::default();
    let count = calls.clone();
    let cache = Cache::builder(Tokio::new())
        .lock_age(ms(100))
        .load_fn(move |_: u8| {
            let n = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                if n == 1 {
                    core::future::pending::<()>().await;
                }
                Ok::<_, ()>(n)
            }
        })
        .build()
        .expect("valid");
    let begun = tokio::time::Instant::now();
    let own = cache.clone();
    let first = tokio::spawn(async move { own.get(&7).await });
    tokio::task::yield_now().await;
    assert_eq!(cache.get(&7).await.ok(), Some(2));
    assert_eq!(first.await.expect("no panic").ok(), Some(2));
    assert_eq!(begun.elapsed().as_millis(), 100);
    assert_clean(&cache.stats());
}

/// C41 on tokio: one task refreshes, by one load, however many stale hits there are. (P1, P12)
#[tokio::test(start_paused = true)]
async fn c41_one_refresh_task() {
    let calls = Arc::<AtomicU32>::default();
    let cache = Cache::builder(Tokio::new())
        .ttl(ms(100))
        .stale_while_refresh(ms(1000))
        .load_fn(counting(50, &calls))
        .build()
        .expect("valid");
    assert_eq!(cache.get(&7).await.ok(), Some(1));
    advance(ms(120)).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..20_000 {
        let stale = cache.get_stale_spawn(&7).await.expect("a value is there");
        assert_eq!((*stale.outcome.value(), stale.outcome.status()), (1, Status::Stale(ms(20))));
        assert!(stale.refresh.is_none(), "it was spawned");
        assert!(tasks() <= before + 1);
    }
    sleep(ms(60)).await;
    assert_eq!(cache.get_if_present(&7), Some(2));
    assert_eq!((calls.load(Ordering::SeqCst), tasks()), (2, before));
    assert_clean(&cache.stats());
}

/// C96 on tokio: the only caller gives up; with the option, the load goes on and is stored. (P2)
#[tokio::test(start_paused = true)]
async fn c96_abandoned_and_finished() {
    let calls = Arc::<AtomicU32>::default();
    let cache = Cache::builder(Tokio::new()).load_fn(counting(150, &calls)).finish_abandoned().build().expect("valid");
    assert!(timeout(ms(50), cache.get(&7)).await.is_err());
    sleep(ms(50)).await;
    let joined = cache.lookup(&7).await.expect("no load fails");
    assert_eq!((*joined.value(), joined.status(), joined.waited()), (1, Status::LockHit, ms(50)));
    assert_eq!((calls.load(Ordering::SeqCst), cache.get_if_present(&7)), (1, Some(1)));
    tokio::task::yield_now().await; // so that the spawned task notices its end
    assert_clean(&cache.stats());
    // No caller comes: it is stored all the same.
    assert!(timeout(ms(50), cache.get(&8)).await.is_err());
    sleep(ms(101)).await;
    assert_eq!(cache.get_if_present(&8), Some(2));
    assert_clean(&cache.stats());
}

/// C96 on tokio: without the option the load is dropped with its only caller. (P2)
#[tokio::test(start_paused = true)]
async fn c96_abandoned_and_dropped() {
    let calls = Arc::<AtomicU32>::default();
    let cache = Cache::builder(Tokio::new()).load_fn(counting(150, &calls)).build().expect("valid");
    assert!(timeout(ms(50), cache.get(&7)).await.is_err());
    assert_clean(&cache.stats());
    sleep(ms(200)).await;
    assert_eq!(cache.get_if_present(&7), None);
    assert_eq!(cache.stats().loads_dropped, 1);
}
