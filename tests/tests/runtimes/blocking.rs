//! Calls that block their thread, with and without a runtime.

use core::{
    future::{pending, poll_fn, ready},
    panic::AssertUnwindSafe,
};
use std::{panic::catch_unwind, sync::OnceLock, thread, time::Instant};

use larder::{
    Cache, Clock, LazySlot, LoadError, Loaded, LookupOptions, ManualClock, OnTimeout, Room, Timer, Ttl, WriteBack,
    WriteBackError,
    parts::{Memory, NoTimer, NotThere, Std, StdClock, block_on},
};
use larder_tests::{Arc, Duration, Poll, assert_clean};
use larder_tokio::Tokio;

/// The length of deadlines; a slow machine may take five times as long. It is real time, as threads that block look at
/// the clock by themselves, and that is what is tested.
const SHORT: Duration = Duration::from_millis(100);

/// A time that never passes within a test.
const LATE: Duration = Duration::from_secs(3600);

#[track_caller]
fn assert_in_time(began: Instant) {
    let took = began.elapsed();
    assert!(took >= SHORT && took < 5 * SHORT, "{took:?}");
}

/// C121: a load that never ends, on a thread without a runtime: the caller gets the error at the end of its budget.
/// (D109)
#[test]
fn c121_no_runtime_at_hand() {
    let cache = Cache::builder(Tokio::new())
        .load_budget(SHORT)
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .build()
        .expect("valid");
    let began = Instant::now();
    assert!(cache.get_blocking(&7).is_err_and(|error| error.is_budget_exceeded()));
    assert_in_time(began);
    // Other calls are waited for in the same way.
    let began = Instant::now();
    let told = block_on(cache.lookup_many(&[7, 8]));
    assert!(told.iter().all(|told| told.as_ref().is_err_and(LoadError::is_budget_exceeded)));
    assert_in_time(began);
    assert_clean(&cache.stats());

    let slot = LazySlot::<u32, (), _>::builder(Tokio::new())
        .fetch_budget(SHORT)
        .fetch_fn(|_| pending::<Result<Loaded<u32>, ()>>())
        .build()
        .expect("valid");
    let began = Instant::now();
    assert!(slot.get_blocking().is_err_and(|error| error.is_budget_exceeded()));
    assert_in_time(began);
}

/// C121: the same for the lock timeout of a thread that waits for another caller's load. (D109)
#[test]
fn c121_a_lock_timeout() {
    let cache =
        Cache::<u8, u32, (), _>::builder(Tokio::new()).lock_timeout(SHORT, OnTimeout::Fail).build().expect("valid");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let began = Instant::now();
                let told = block_on(cache.get_or_load(&7, pending::<Result<u32, ()>>));
                assert!(matches!(told, Err(LoadError::LockTimeout)), "{told:?}");
                assert_in_time(began);
            });
        }
    });
    assert_clean(&cache.stats());
}

/// C121: the same for a caller that waits for room in a write-back cache where all is pinned. (D109, D76)
#[test]
fn c121_room_in_a_write_back_cache() {
    let within = Room::Within(SHORT);
    let disk = Memory::from([(1, 10), (2, 20)]);
    let pages = WriteBack::builder(Tokio::new(), disk).capacity(1).build().expect("valid");
    let pinned = block_on(pages.get_or_load(&1)).expect("it is there");
    let calls: [fn(&Pages, Room) -> Result<(), Refused>; 2] = [
        |pages, within| block_on(pages.get_or_load_with(&2, within)).map(drop),
        |pages, within| block_on(pages.insert(3, 30, within)).map(drop),
    ];
    for call in calls {
        let began = Instant::now();
        assert!(matches!(call(&pages, within), Err(WriteBackError::Full)));
        assert_in_time(began);
    }
    drop(pinned);
    assert!(calls.iter().all(|call| call(&pages, within).is_ok()));
}

type Pages = WriteBack<u8, u32, NotThere, Tokio>;
type Refused = WriteBackError<u8, NotThere>;

/// C121: within a runtime the call is refused, hit or miss. (D109)
#[test]
fn c121_a_runtime_at_hand() {
    let cache = Cache::builder(Tokio::new()).load_fn(|_: u8| ready(Ok::<_, ()>(1))).build().expect("valid");
    let slot = LazySlot::builder(Tokio::new()).fetch_fn(|_| ready(Ok::<_, ()>(Loaded::new(1)))).build().expect("valid");
    cache.insert(7, 9);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for key in [7, 8] {
            assert!(matches!(cache.get_blocking(&key), Err(LoadError::MayNotBlock)));
        }
        assert!(matches!(slot.get_blocking(), Err(LoadError::MayNotBlock)));
    });
    assert_eq!(
        (cache.get_blocking(&7).ok(), cache.get_blocking(&8).ok(), slot.get_blocking().ok()),
        (Some(9), Some(1), Some(1))
    );
    assert_eq!(LoadError::<u8>::MayNotBlock.to_string(), "the call would block a thread that runs tasks");
}

/// C121: async-std can tell its tasks from threads that may block. (D109)
#[test]
fn c121_in_a_task() {
    let cache = larder_async_std::Cache::<u8, u32, ()>::builder(larder_async_std::AsyncStd::new())
        .load_fn(|key: u8| ready(Ok(u32::from(key))))
        .build()
        .expect("valid");
    let call = |cache: &larder_async_std::Cache<u8, u32, ()>| cache.get_blocking(&7);
    assert_eq!(call(&cache).ok(), Some(7));
    let (inside, beside) = (cache.clone(), cache.clone());
    async_std::task::block_on(async {
        assert!(matches!(call(&cache), Err(LoadError::MayNotBlock)));
        let told = async_std::task::spawn(async move { call(&inside).err() }).await;
        assert!(matches!(told, Some(LoadError::MayNotBlock)));
        assert_eq!(async_std::task::spawn_blocking(move || call(&beside).ok()).await, Some(7));
    });
}

/// D109, P7: the deadlines of calls hold, though they are in a combinator that polls only what was woken.
#[test]
fn d109_deadlines_in_a_combinator() {
    use futures_util::{StreamExt, stream::FuturesUnordered};
    let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
        .lock_timeout(SHORT, OnTimeout::Fail)
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .build()
        .expect("valid");
    let (ends, ended) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let keys: Vec<u8> = (0..40).collect();
        let calls: FuturesUnordered<_> = keys.iter().map(|key| cache.get(key)).collect();
        let told = larder::parts::block_on(calls.collect::<Vec<_>>());
        let _ = ends.send(told.iter().all(|told| matches!(told, Err(LoadError::LockTimeout))));
    });
    assert_eq!(ended.recv_timeout(600 * SHORT), Ok(true));
}

/// D109, P1: threads share a load, and drive it.
#[test]
fn threads_share_a_load() {
    let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
        .load_fn(|key: u8| async move {
            for _ in 0..1000 {
                futures_lite::future::yield_now().await;
            }
            Ok::<_, ()>(key)
        })
        .build()
        .expect("valid");
    let barrier = std::sync::Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(cache.get_blocking(&7).ok(), Some(7));
            });
        }
    });
    assert_eq!(cache.stats().loads_begun, 1);
    assert_clean(&cache.stats());
}

/// D109: with a clock that a test moves, the thread looks at it again by itself, and keeps its deadline by that clock.
#[test]
fn by_a_clock_that_is_moved() {
    let clock = ManualClock::new();
    let cache = Cache::builder(Std::new(NoTimer::new(clock.clone())))
        .load_budget(SHORT)
        .load_fn(|_: u8| pending::<Result<u32, ()>>())
        .build()
        .expect("valid");
    thread::scope(|scope| {
        let caller = scope.spawn(|| cache.get_blocking(&7));
        while cache.stats().waiters == 0 {
            thread::yield_now();
        }
        clock.advance(SHORT);
        assert!(caller.join().expect("it ends").is_err_and(|error| error.is_budget_exceeded()));
    });
    assert!(clock.now().as_nanos() > 0);
    assert_clean(&cache.stats());
}

type Std_ = Std<NoTimer<StdClock>>;
type Own = Cache<u8, String, (), Std_>;

/// What a blocking call from inside a load of its key gets.
fn heard(itself: &OnceLock<Own>, key: u8) -> String {
    match itself.get().expect("set before the first call").get_blocking(&key) {
        Ok(value) => value,
        Err(error) => format!("{error:?}"),
    }
}

/// D109: a load that blocks for its own key, however it is polled, alone or as one of many, shared or not.
#[test]
fn d109_from_inside() {
    for is_private in [false, true] {
        let ttl = if is_private { Ttl::private(LATE) } else { Ttl::NotStored };
        let runtime = || Std::new(NoTimer::new(StdClock::new()));
        let (one, many) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let (asks_one, asks_many) = (Arc::clone(&one), Arc::clone(&many));
        let by_one = Cache::builder(runtime())
            .loaded_fn(move |key| {
                let asks = Arc::clone(&asks_one);
                async move { Ok::<_, ()>(Loaded::new(heard(&asks, key)).ttl(ttl)) }
            })
            .build()
            .expect("valid");
        let by_many = Cache::builder(runtime())
            .loaded_many_fn(move |keys: Vec<u8>| {
                let asks = Arc::clone(&asks_many);
                async move {
                    let answer = |key| (key, Ok(Loaded::new(heard(&asks, key)).ttl(ttl)));
                    Ok::<_, ()>(keys.into_iter().map(answer).collect::<Vec<_>>())
                }
            })
            .build()
            .expect("valid");
        assert!(one.set(by_one.clone()).is_ok() && many.set(by_many.clone()).is_ok());
        for _ in 0..3 {
            for cache in [&by_one, &by_many] {
                assert_eq!(cache.get_blocking(&7).ok().as_deref(), Some("Reentrant"), "{is_private}");
                // With an executor that the core does not know.
                let told = futures_lite::future::block_on(cache.get(&7)).ok();
                assert_eq!(told.as_deref(), Some("Reentrant"), "{is_private}");
                let told = futures_lite::future::block_on(cache.get_many(&[7, 8]));
                assert!(
                    told.iter().all(|told| told.as_ref().is_ok_and(|told| told == "Reentrant")),
                    "{is_private}: {told:?}"
                );
            }
        }
        assert_clean(&by_one.stats());
        assert_clean(&by_many.stats());
    }
}

/// D109: a load may block for other keys, on its own thread as well.
#[test]
fn a_load_blocks_for_another_key() {
    let itself = Arc::new(OnceLock::<Cache<u8, u32, (), Std_>>::new());
    let asks = Arc::clone(&itself);
    let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
        .load_fn(move |key: u8| {
            let asks = Arc::clone(&asks);
            async move {
                futures_lite::future::yield_now().await;
                let before = key.checked_sub(1).map(|key| asks.get().expect("it is set").get_blocking(&key));
                Ok::<_, ()>(before.map_or(0, |before| before.expect("a value") + 1))
            }
        })
        .build()
        .expect("valid");
    assert!(itself.set(cache.clone()).is_ok());
    assert_eq!(cache.get_blocking(&9).ok(), Some(9));
    assert_clean(&cache.stats());
}

/// P5: a load that needs tokio's timers panics without a runtime; this counts as any panic of a load.
#[test]
fn a_load_that_needs_a_runtime() {
    let cache = Cache::builder(Tokio::new())
        .load_fn(|_: u8| async {
            futures_lite::future::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, ()>(1)
        })
        .build()
        .expect("valid");
    let mut other = cache.get(&7);
    let mut polled = false;
    // A caller has joined it, and gets the error.
    block_on(poll_fn(|cx| {
        if !core::mem::replace(&mut polled, true) {
            assert!(core::pin::Pin::new(&mut other).poll(cx).is_pending());
        }
        Poll::Ready(())
    }));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let unwound = catch_unwind(AssertUnwindSafe(|| cache.get_blocking(&7)));
    std::panic::set_hook(hook);
    assert!(unwound.is_err());
    assert!(block_on(other).is_err_and(|error| error.is_panicked()));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    assert_eq!(runtime.block_on(cache.get(&7)).ok(), Some(1));
    assert_clean(&cache.stats());
}

/// D109, P2: a load that sleeps, on threads without a runtime: the one that has looked at it last leaves, and the other goes on.
#[test]
fn d109_a_sleep_inside_a_load() {
    let timer = Tokio::new();
    let cache = Cache::builder(timer)
        .load_fn(move |key: u8| async move {
            timer.sleep_until(timer.now().saturating_add(3 * SHORT)).await;
            Ok::<_, ()>(key)
        })
        .build()
        .expect("valid");
    assert_eq!(cache.get_blocking(&1).ok(), Some(1));
    let (ends, ended) = std::sync::mpsc::channel();
    let waits = cache.clone();
    thread::spawn(move || ends.send(waits.get_blocking(&7).ok()));
    while cache.stats().waiters == 0 {
        thread::yield_now();
    }
    let brief = LookupOptions::new().lock_timeout(Duration::from_millis(1), OnTimeout::Fail);
    let told = block_on(cache.lookup(&7).options(brief)).map(|outcome| *outcome.value());
    assert!(matches!(told, Err(LoadError::LockTimeout)), "{told:?}");
    assert_eq!(ended.recv_timeout(600 * SHORT), Ok(Some(7)));
    assert_clean(&cache.stats());
}
