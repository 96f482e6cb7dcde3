//! Waits with a deadline on tokio: one task for all of a runtime, gone with the last of them.

use larder::{Cache, Clock, LoadError, LookupOptions, OnTimeout, Timer};
use larder_tests::{Arc, Duration, Wake, assert_clean, ms, wakers};
use larder_tokio::{CurrentRuntime, Tokio, TokioDelay, parts::Host};
use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{Instant, advance, sleep},
};

/// How many tasks there are; the test itself is none.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// P14: a thousand waits with deadlines of their own are one task, and each ends when it is due. (D1)
#[tokio::test(start_paused = true)]
async fn a_thousand_waits_are_one_task() {
    let timer = Tokio::new();
    let begun = timer.now();
    // In no order.
    let length = |number: u64| ms(10 * (number * 7 % 1000 + 1));
    let mut sleeps: Vec<_> = (0..1000).map(|number| timer.sleep_until(begun.saturating_add(length(number)))).collect();
    let (wakes, waker) = wakers::Counting::new();
    assert!(sleeps.iter_mut().all(|sleep| wakers::poll_with(sleep, &waker).is_pending()));
    assert_eq!(tasks(), 1);
    for passed in [ms(3000), ms(3005), ms(7000), ms(10_000)] {
        let left = passed.saturating_sub(timer.now().saturating_since(begun));
        advance(left).await;
        yield_now().await;
        let due = (0..1000).filter(|number| length(*number) <= passed).count();
        assert_eq!((wakes.wakes(), tasks()), (due, usize::from(due < 1000)), "{passed:?}");
    }
    assert!(sleeps.iter_mut().all(|sleep| wakers::poll_once(sleep).is_ready()));
}

/// P7, P14: callers of one load with a lock timeout each. (D18)
#[tokio::test(start_paused = true)]
async fn callers_with_timeouts_are_no_tasks() {
    let cache = Cache::builder(Tokio::new())
        .load_fn(|_: u8| async {
            sleep(ms(5000)).await;
            Ok::<_, ()>(1)
        })
        .build()
        .expect("valid");
    let mut callers: Vec<_> = (1..=100)
        .map(|n| cache.lookup(&7).options(LookupOptions::new().lock_timeout(ms(100 * n), OnTimeout::Fail)))
        .collect();
    assert!(callers.iter_mut().all(|caller| wakers::poll_once(caller).is_pending()));
    assert_eq!(tasks(), 1);
    let begun = Instant::now();
    for (n, caller) in (1..).zip(callers) {
        let told = caller.await;
        assert_eq!(begun.elapsed(), ms(100 * n).min(ms(5000)));
        // (At the very instant the answer goes before the deadline.)
        assert_eq!(matches!(told, Err(LoadError::LockTimeout)), n < 50, "{n}");
        if n == 50 {
            break;
        }
    }
    yield_now().await;
    assert_eq!(tasks(), 0);
    assert_clean(&cache.stats());
}

/// P14: what is due earlier ends earlier, though it came later; and what is dropped leaves nothing.
#[tokio::test(start_paused = true)]
async fn an_earlier_one_that_comes_later() {
    let begin = |time| CurrentRuntime.delay(time).expect("a runtime is at hand");
    let mut long = begin(ms(1000));
    assert!(wakers::poll_once(&mut long).is_pending());
    yield_now().await;
    let begun = Instant::now();
    begin(ms(10)).await;
    assert_eq!((begun.elapsed(), tasks()), (ms(10), 1));
    drop(begin(ms(20)));
    long.await;
    assert_eq!(begun.elapsed(), ms(1000));
    yield_now().await;
    assert_eq!(tasks(), 0);
    // The next one begins anew, also where the task has not looked yet.
    let (one, other) = (begin(ms(5)), begin(ms(50)));
    drop(one);
    assert_eq!(tasks(), 1);
    other.await;
    assert_eq!(begun.elapsed(), ms(1050));
    drop(begin(Duration::ZERO));
    yield_now().await;
    assert_eq!(tasks(), 0);
}

/// P5: a waker that panics keeps nobody else from being woken.
#[tokio::test(start_paused = true)]
async fn a_waker_that_panics() {
    let begin = |time| CurrentRuntime.delay(time).expect("a runtime is at hand");
    let (mut hostile, mut other, mut later) = (begin(ms(10)), begin(ms(10)), begin(ms(20)));
    let (wakes, waker) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut hostile, &wakers::panicking()).is_pending());
    assert!(wakers::poll_with(&mut other, &waker).is_pending());
    assert!(wakers::poll_with(&mut later, &waker).is_pending());
    sleep(ms(15)).await;
    assert_eq!(wakes.wakes(), 1);
    later.await;
    assert!(wakers::poll_once(&mut hostile).is_ready());
}

/// Holds a wait, as the waker of a task does.
struct Holds(#[expect(dead_code)] TokioDelay);

impl Wake for Holds {
    fn wake(self: Arc<Self>) {}
}

/// P13: a waker that drops another wait of the same runtime, when it is woken and when it is dropped.
#[tokio::test(start_paused = true)]
async fn a_waker_that_drops_another_wait() {
    let begin = |time| CurrentRuntime.delay(time).expect("a runtime is at hand");
    for replaced in [false, true] {
        let mut holder = begin(ms(10));
        let waker = Arc::new(Holds(begin(ms(10)))).into();
        assert!(wakers::poll_with(&mut holder, &waker).is_pending());
        drop(waker);
        if replaced {
            assert!(wakers::poll_once(&mut holder).is_pending());
        }
        drop(holder);
    }
    let mut first = begin(ms(10));
    assert!(wakers::poll_with(&mut first, &wakers::dropping(begin(ms(10)))).is_pending());
    // (That task and this one are woken at once.)
    sleep(ms(15)).await;
    assert!(!wakers::victim_is_alive());
    drop(first);
    yield_now().await;
    assert_eq!(tasks(), 0);
}
