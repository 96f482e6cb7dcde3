//! Tokio's adapter without a runtime, or after its runtime has gone.

use core::future::{pending, ready};

use futures_lite::future::zip;
use larder::{Cache, Clock, Instant, LoadError, LookupOptions, ManualClock, OnTimeout, Timer, parts::Hosted};
use larder_tests::{Duration, Poll, assert_clean, wakers};
use larder_tokio::{CurrentRuntime, Tokio};
use tokio::runtime::{Builder, Runtime};

/// A time that never passes within a test.
const LATE: Duration = Duration::from_secs(3600);

/// The time by which a test moves its clock.
const SHORT: Duration = Duration::from_millis(20);

/// Tokio's timer with a clock that a test moves, so that nothing ends too early on a slow machine.
fn own_clock() -> (ManualClock, Hosted<CurrentRuntime, ManualClock>) {
    let clock = ManualClock::new();
    (clock.clone(), Hosted::with_clock(clock))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// C85: nothing panics, and a deadline is noticed by the next caller that is polled.
#[test]
fn deadlines_are_noticed_by_polling() {
    let cache = Cache::builder(Tokio::new())
        .lock_age(LATE)
        .load_budget(LATE)
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .build()
        .expect("valid");
    let mut patient = cache.get(&7);
    assert!(wakers::poll_once(&mut patient).is_pending());
    let mut hurried =
        cache.lookup(&7).options(LookupOptions::new().lock_timeout(Duration::from_nanos(1), OnTimeout::Fail));
    let mut polls = (0..1_000_000).map(|_| wakers::poll_once(&mut hurried));
    assert!(matches!(polls.find(Poll::is_ready), Some(Poll::Ready(Err(LoadError::LockTimeout)))));
    drop(patient);
    assert_clean(&cache.stats());
}

/// C85: a spawning call returns the ticket, which its caller may poll. (P14)
#[test]
fn a_spawning_call_hands_the_ticket_back() {
    let cache = Cache::builder(Tokio::new())
        .ttl(LATE)
        .stale_while_refresh(LATE)
        .load_fn(|_: u8| async {
            futures_lite::future::yield_now().await;
            Ok::<_, ()>(1)
        })
        .build()
        .expect("valid");
    cache.insert(7, 9);
    assert!(cache.expire(&7));
    let stale = wakers::now(cache.get_stale_spawn(&7)).expect("a stale value is there");
    assert_eq!(stale.outcome.into_value(), 9);
    let ticket = stale.refresh.expect("it was handed back");
    wakers::now(ticket);
    assert_eq!((cache.stats().loads_begun, cache.get_if_present(&7)), (1, Some(1)));
    assert_clean(&cache.stats());
    // The same call within a runtime.
    assert!(cache.expire(&7));
    let spawned = runtime().block_on(cache.get_stale_spawn(&7)).expect("a stale value is there");
    assert!(spawned.refresh.is_none());
    assert_clean(&cache.stats()); // that runtime has gone, and the refresh with it
}

/// C85: an abandoned load that no spawner can finish is dropped. (P2)
#[test]
fn an_abandoned_load_is_dropped() {
    let cache = Cache::builder(Tokio::new())
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .finish_abandoned()
        .build()
        .expect("valid");
    let mut only = cache.get(&7);
    assert!(wakers::poll_once(&mut only).is_pending());
    assert_eq!(cache.stats().loads_in_flight, 1);
    drop(only);
    assert_eq!(cache.stats().loads_dropped, 1);
    assert_clean(&cache.stats());
}

/// C85: a runtime that shuts down frees the claims of the tasks that it drops, and a later caller loads anew. (P2)
#[test]
fn a_runtime_that_dies_frees_its_claims() {
    let cache = Cache::<u8, u32, (), _>::builder(Tokio::new()).finish_abandoned().build().expect("valid");
    let dying = runtime();
    dying.block_on(async {
        for _ in 0..3 {
            let cache = cache.clone();
            tokio::spawn(async move { cache.get_or_load(&7, pending::<Result<u32, ()>>).await });
        }
        tokio::task::yield_now().await;
        assert_eq!((cache.stats().loads_in_flight, cache.stats().waiters), (1, 3));
    });
    drop(dying);
    assert_clean(&cache.stats());
    assert_eq!(cache.stats().loads_dropped, 1);
    assert_eq!(wakers::now(cache.get_or_load(&7, || ready(Ok(1)))).ok(), Some(1));
    assert_clean(&cache.stats());
}

/// C85: a caller that slept on a runtime that has gone is woken, and polled without one, on another, or while that one
/// shuts down: it notices its deadline, and nothing panics.
#[test]
fn a_sleep_outlives_its_runtime() {
    let (clock, timer) = own_clock();
    let (first, second) = (runtime(), runtime());
    let deadline = timer.now().saturating_add(SHORT);
    let mut sleeps = [timer.sleep_until(deadline), timer.sleep_until(Instant::NEVER)];
    let (wakes, waker) = wakers::Counting::new();
    first.block_on(async {
        assert!(sleeps.iter_mut().all(|sleep| wakers::poll_with(sleep, &waker).is_pending()));
    });
    let left = first.handle().clone();
    drop(first);
    assert_eq!(wakes.wakes(), 2);
    let [mut sleep, mut endless] = sleeps;
    assert!(wakers::poll_once(&mut endless).is_pending());
    let inside = left.enter();
    assert!(wakers::poll_once(&mut endless).is_pending());
    assert!(wakers::poll_once(&mut timer.sleep_until(Instant::NEVER)).is_pending());
    drop(inside);
    assert!(wakers::poll_once(&mut sleep).is_pending());
    second.block_on(zip(&mut sleep, async { clock.advance(SHORT) }));
    let now = timer.now();
    assert!(wakers::poll_once(&mut timer.sleep_until(now)).is_ready());
}

/// C85: a caller whose runtime shuts down while it waits goes on elsewhere. (P2, P3)
#[test]
fn a_wait_outlives_its_runtime() {
    let (clock, timer) = own_clock();
    let cache = Cache::builder(timer)
        .lock_age(LATE)
        .load_budget(LATE)
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .build()
        .expect("valid");
    let mut patient = cache.get(&7);
    let mut hurried = cache.lookup(&7).options(LookupOptions::new().lock_timeout(SHORT, OnTimeout::Fail));
    let dying = runtime();
    dying.block_on(async {
        assert!(wakers::poll_once(&mut patient).is_pending());
        assert!(wakers::poll_once(&mut hurried).is_pending());
    });
    drop(dying);
    assert!(wakers::poll_once(&mut patient).is_pending());
    let (hurried, ()) = runtime().block_on(zip(hurried, async { clock.advance(SHORT) }));
    assert!(matches!(hurried, Err(LoadError::LockTimeout)));
    cache.insert(7, 9);
    assert_eq!(wakers::now(patient).ok(), Some(9));
    assert_clean(&cache.stats());
}

/// C85: a sleep that is dropped leaves nothing on the runtime. (P2)
#[test]
fn a_dropped_sleep_leaves_nothing() {
    runtime().block_on(async {
        let mut sleep = Tokio::new().sleep_until(Instant::NEVER);
        assert!(wakers::poll_once(&mut sleep).is_pending());
        drop(sleep);
        tokio::task::yield_now().await;
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    });
}
