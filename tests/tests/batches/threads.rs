//! Lookups of many keys that overlap, on real threads.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;

use larder::{Cache, ManualClock, parts::Std};
use larder_tests::*;

const KEYS: u32 = 1_000_000;
const TOGETHER: usize = 250;

/// Polls one lookup until it ends, and sleeps while it has to wait.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread, AtomicBool);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.1.store(true, Ordering::SeqCst);
            self.0.unpark();
        }
    }

    let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(unpark.clone());
    let mut future = core::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !unpark.1.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// C45, P1, P13: three threads ask for a million keys in overlapping batches, in any order: each key is loaded once.
#[test]
fn c45_batches_overlap_on_real_threads_for_a_million_keys() {
    let loaded: Arc<Vec<AtomicU8>> = Arc::new((0..KEYS).map(|_| AtomicU8::new(0)).collect());
    let counts = loaded.clone();
    let load = move |keys: Vec<u32>| {
        keys.iter().for_each(|key| _ = counts[*key as usize].fetch_add(1, Ordering::Relaxed));
        let mut polled = false;
        core::future::poll_fn(move |context| {
            if core::mem::replace(&mut polled, true) {
                return Poll::Ready(Ok::<_, ()>(keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>()));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    };
    let runtime = Std::new(ManualClock::new());
    let cache = Cache::builder(runtime).load_many_fn(load).capacity(4 * u64::from(KEYS)).build().expect("valid");
    thread::scope(|scope| {
        for number in 0..3 {
            let cache = &cache;
            scope.spawn(move || {
                let mut random = Random::new(number);
                let mut keys = Vec::new();
                for start in (0..KEYS).step_by(TOGETHER) {
                    // The same range for all threads, but cut and ordered differently.
                    let shift = if number == 0 { 0 } else { random.below(TOGETHER as u64) as u32 };
                    keys.extend((start..start + TOGETHER as u32).map(|key| (key + shift) % KEYS));
                    match number {
                        0 => {}
                        1 => keys.reverse(),
                        _ => (1..TOGETHER).for_each(|i| keys.swap(i, random.below(i as u64 + 1) as usize)),
                    }
                    for (key, found) in keys.iter().zip(block_on(cache.get_many(&keys))) {
                        assert_eq!(found.ok(), Some(*key));
                    }
                    keys.clear();
                }
            });
        }
    });
    let wrong = loaded.iter().position(|count| count.load(Ordering::Relaxed) != 1);
    assert_eq!(wrong, None, "a key was not loaded exactly once");
    let stats = cache.stats();
    assert!(stats.joined > 0, "no batch ever met another: {stats:?}");
    assert_eq!((stats.misses, stats.loads_succeeded), (u64::from(KEYS), u64::from(KEYS)));
    assert_clean(&stats);
}
