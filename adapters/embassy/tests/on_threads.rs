//! On a host: the conformance suite, with Embassy's driver for threads and with its executor.

use std::{
    future::Future,
    sync::{Arc, Once, mpsc},
    thread,
    time::Duration,
};

use embassy_executor::{Executor, Spawner};
use embassy_time::Timer;
use futures_lite::future::block_on;
use larder_embassy::{Cache, Embassy, Spawn, background, parts::Hosted};

/// What is spawned runs on Embassy's executor, on a thread of its own; callers run wherever they are polled.
struct OnThreads;

impl larder_conformance::Executor for OnThreads {
    type Runtime = Embassy;
    type Value = Arc<u32>;

    fn run<F: Future<Output = ()>>(check: impl FnOnce(Embassy) -> F) {
        start();
        block_on(check(Embassy::new()));
    }
}

larder_conformance::suite!(OnThreads);

/// Starts the executor and its background task, once.
fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        on_an_executor(|spawner| spawner.spawn(in_the_background().expect("a task is free")));
        while Hosted::spawn(&Embassy::new(), async {}).is_err() {
            thread::yield_now();
        }
    });
}

fn on_an_executor(begin: impl FnOnce(Spawner) + Send + 'static) {
    thread::spawn(|| Box::leak(Box::new(Executor::new())).run(begin));
}

#[embassy_executor::task]
async fn in_the_background() {
    background().await
}

/// Three of Embassy's tasks share a load that sleeps. It is polled with a waker that is none of theirs, which Embassy's
/// default queue of timers does not take.
#[test]
fn tasks_share_a_load_that_sleeps() {
    let (sender, receiver) = mpsc::channel();
    on_an_executor(move |spawner| {
        let load = |key: u32| async move {
            // Real time: it is Embassy's queue of timers that is tested.
            Timer::after_millis(5).await;
            Ok(2 * key)
        };
        let cache = Cache::<u32, u32, ()>::builder(Embassy::new()).load_fn(load).build().expect("it is right");
        for _ in 0..3 {
            spawner.spawn(ask(cache.clone(), sender.clone()).expect("a task is free"));
        }
    });
    let told = (0..3).map(|_| receiver.recv_timeout(Duration::from_secs(30)).expect("nobody waits forever"));
    assert_eq!(told.collect::<Vec<_>>(), [(42, 1); 3]);
}

#[embassy_executor::task(pool_size = 3)]
async fn ask(cache: Cache<u32, u32, ()>, told: mpsc::Sender<(u32, u64)>) {
    let value = cache.get(&21).await.expect("it is there");
    _ = told.send((value, cache.stats().loads_begun));
}
