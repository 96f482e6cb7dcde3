//! The cases that need real threads.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Barrier;
use std::thread;

use larder::{Cache, LoadError, ManualClock, Tuned, parts::Spin, parts::Std, policy::Lru};
use larder_tests::*;

/// Polls all futures in turn, as one task on this thread, until each has ended.
fn drive<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let (_, waker) = wakers::Counting::new();
    let mut outputs = Vec::new();
    while !futures.is_empty() {
        let mut left = Vec::new();
        for mut future in futures {
            match wakers::poll_with(&mut future, &waker) {
                Poll::Ready(output) => outputs.push(output),
                Poll::Pending => left.push(future),
            }
        }
        futures = left;
        spin_loop();
    }
    outputs
}

/// Makes the threads begin each round together.
struct Rounds(AtomicUsize);

impl Rounds {
    fn meet(&self, round: usize) {
        self.0.fetch_add(1, Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst) < 2 * (round + 1) {
            thread::yield_now();
        }
    }
}

/// Yields once.
async fn yield_once() {
    let mut yielded = false;
    core::future::poll_fn(|context| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls both with one waker: the first on its own thread, the second while the first polls its load.
fn two_threads<A, B>(mut first: A, mut second: B, (polling, goes_on): (&Barrier, &Barrier))
where
    A: Future<Output = Result<u8, LoadError<()>>> + Send + Unpin,
    B: Future<Output = Result<u8, LoadError<()>>> + Unpin,
{
    let (_, waker) = wakers::Counting::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| wakers::poll_with(&mut first, &waker));
        polling.wait();
        let found = wakers::poll_with(&mut second, &waker);
        goes_on.wait();
        assert!(found.is_pending(), "{found:?}");
        assert!(matches!(first.join(), Ok(Poll::Ready(Ok(7)))));
    });
    assert!(matches!(wakers::poll_with(&mut second, &waker), Poll::Ready(Ok(7))));
}

macro_rules! on_each_lock {
    ($($name:ident $part:ident)*) => {$(
        mod $name {
            use super::*;

            /// C02: 2000 keys, 32 first readers each on two threads: exactly 2000 loads. (P1)
            #[test]
            fn c02_no_window_between_look_and_claim() {
                let loads = Arc::new(AtomicUsize::new(0));
                let counter = Arc::clone(&loads);
                let cache = Cache::builder($part::new(ManualClock::new()))
                    .load_fn(move |key: usize| {
                        let counter = Arc::clone(&counter);
                        async move {
                            counter.fetch_add(1, Ordering::SeqCst);
                            yield_once().await;
                            Ok::<_, ()>(key)
                        }
                    })
                    .build()
                    .expect("valid");
                let rounds = Rounds(AtomicUsize::new(0));
                thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(|| {
                            for key in 0..2000 {
                                rounds.meet(key);
                                let answers = drive((0..16).map(|_| cache.get(&key)).collect());
                                assert!(answers.iter().all(|answer| matches!(answer, Ok(value) if *value == key)));
                            }
                        });
                    }
                });
                assert_eq!(loads.load(Ordering::SeqCst), 2000);
                assert_clean(&cache.stats());
            }

            /// C56: two threads put, replace and remove: the weight is that of the stored values, and nothing is
            /// immortal. (P12)
            #[test]
            fn c56_races_do_not_lose_the_count() {
                let cache = Cache::builder_with($part::new(ManualClock::new()), Tuned::<Lru>::new())
                    .capacity(64)
                    .shards(1)
                    .load_fn(|key: u64| async move { Ok::<_, ()>(key) })
                    .weigher(|key: &u64, _: &u64| if *key < 96 { 1 + key % 3 } else { 1 })
                    .build()
                    .expect("valid");
                thread::scope(|scope| {
                    for seed in 0..2 {
                        let cache = &cache;
                        scope.spawn(move || {
                            let mut random = Random::new(seed);
                            for step in 0..50_000 {
                                let key = random.below(96);
                                match random.below(4) {
                                    0 => drop(cache.remove(&key)),
                                    1 => drop(drive(vec![cache.get(&key)])),
                                    _ => drop(cache.insert(key, step)),
                                }
                                assert!(cache.weight() <= 64);
                            }
                        });
                    }
                });
                let weights: u64 = cache.iter().map(|(key, _)| 1 + key % 3).sum();
                assert_eq!(cache.weight(), weights);
                assert!(weights <= 64);
                assert_clean(&cache.stats());
                for key in 1000..11_000 {
                    cache.insert(key, key);
                }
                assert!(cache.iter().all(|(key, _)| key >= 1000), "exact LRU keeps none of the old");
                assert_eq!((cache.weight(), cache.len()), (64, 64));
            }

            /// Two threads that ask with one waker, as `now_or_never` does everywhere, are two callers. One that comes
            /// while the load is being polled waits for it, and is not mistaken for the load asking for its own key.
            /// (P3)
            #[test]
            fn one_waker_on_two_threads() {
                let barriers = Arc::new([2, 2].map(Barrier::new));
                let load = |barriers: Arc<[Barrier; 2]>| async move {
                    barriers[0].wait();
                    barriers[1].wait();
                    Ok::<_, ()>(7)
                };
                let (kept, [polling, goes_on]) = (Arc::clone(&barriers), &*barriers);
                let builder = Cache::builder($part::new(ManualClock::new()));
                let cache = builder.load_fn(move |_| load(Arc::clone(&kept))).build().expect("valid");
                two_threads(cache.get(&1), cache.get(&1), (polling, goes_on));
                let lent = || load(Arc::clone(&barriers));
                two_threads(cache.get_with(&2, lent), cache.get_with(&2, lent), (polling, goes_on));
                assert_clean(&cache.stats());
            }
        }
    )*};
}

on_each_lock! { spinning Spin blocking Std }
