//! The workloads: each runs one batch on a peer and returns the nanoseconds of one operation.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

use larder_benches::{Random, Zipf};
use tokio::{runtime, task};

use crate::{peer::Peer, source::Source};

/// What is asked of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// When every key is there, and asked for by a direct call.
    SyncHit { threads: usize },
    /// When every key is there, and asked for as if it might have to be loaded.
    AsyncHit,
    /// When no key is there, the load is ready at once and the cache is full.
    AsyncMiss,
    /// When a thousand tasks wait for one load.
    Waiters,
    /// When every key is new and something has to leave for it.
    InsertEvict,
    /// When a tenth of the keys fits and their popularity is uneven.
    Mix { threads: usize },
}

const HITS: u64 = 200_000;
const KEYS: u64 = 1 << 14;
const MISSES: u64 = 30_000;
const WAITERS: usize = 1_000;
const MIX_KEYS: usize = 500_000;
const MIX: usize = 60_000;

/// A peer, filled as the work wants it.
pub(crate) struct Bench<P> {
    work: Work,
    cache: P,
    source: Source,
    next: u64,
    keys: Arc<[u64]>,
}

/// The keys that the mix asks for, in order.
pub(crate) fn mix() -> Arc<[u64]> {
    let zipf = Zipf::new(MIX_KEYS, 0.9);
    let mut random = Random::new(1);
    (0..1 << 20).map(|_| zipf.draw(&mut random)).collect()
}

impl<P: Peer> Bench<P> {
    pub(crate) fn new(work: Work, keys: Arc<[u64]>) -> Self {
        let source = Source::new();
        let capacity = match work {
            Work::SyncHit { .. } | Work::AsyncHit => 2 * KEYS as usize,
            Work::AsyncMiss | Work::InsertEvict | Work::Waiters => KEYS as usize,
            Work::Mix { .. } => MIX_KEYS / 10,
        };
        let cache = P::new(capacity, &source);
        for key in 0..KEYS {
            cache.insert(key, key);
            ready(cache.load(key));
        }
        let mut bench = Self { work, cache, source, next: KEYS, keys };
        if matches!(work, Work::Mix { .. }) {
            bench.through_all_keys();
        }
        bench
    }

    /// Runs one batch; returns nanoseconds an operation.
    pub(crate) fn round(&mut self) -> f64 {
        match self.work {
            Work::SyncHit { threads } => self.on_threads(threads, HITS, |cache, thread, nth| {
                black_box(cache.get((nth * 7 + thread) % KEYS));
            }),
            Work::AsyncHit => self.on_threads(1, HITS, |cache, _, nth| {
                black_box(ready(cache.load((nth * 7) % KEYS)));
            }),
            Work::AsyncMiss => {
                let from = self.fresh(MISSES);
                self.on_threads(1, MISSES, |cache, _, nth| {
                    black_box(ready(cache.load(from + nth)));
                })
            }
            Work::InsertEvict => {
                let from = self.fresh(MISSES);
                self.on_threads(1, MISSES, |cache, _, nth| cache.insert(from + nth, nth))
            }
            Work::Waiters => self.waiters(),
            Work::Mix { threads } => {
                let from = self.fresh(MIX as u64) as usize;
                let keys = self.keys.clone();
                self.on_threads(threads, MIX as u64, |cache, thread, nth| {
                    // Each thread has a place of its own in the sequence.
                    let place = from + nth as usize + thread as usize * keys.len() / 2;
                    black_box(ready(cache.load(keys[place % keys.len()])));
                })
            }
        }
    }

    /// The share of hits over the whole sequence of the mix.
    pub(crate) fn hit_ratio(&mut self) -> f64 {
        let before = self.source.loads();
        self.through_all_keys();
        1.0 - (self.source.loads() - before) as f64 / self.keys.len() as f64
    }

    fn through_all_keys(&mut self) {
        for key in self.keys.iter() {
            ready(self.cache.load(*key));
        }
    }

    /// Returns the first of so many keys that nobody has asked for.
    fn fresh(&mut self, count: u64) -> u64 {
        let from = self.next;
        self.next += count;
        from
    }

    fn on_threads(&self, threads: usize, count: u64, operation: impl Fn(&P, u64, u64) + Sync) -> f64 {
        let run = |thread: usize| (0..count).for_each(|nth| operation(&self.cache, thread as u64, nth));
        let start = Instant::now();
        if threads == 1 {
            run(0);
        } else {
            thread::scope(|scope| {
                let run = &run;
                (0..threads).for_each(|thread| drop(scope.spawn(move || run(thread))));
            });
        }
        start.elapsed().as_nanos() as f64 / count as f64
    }

    fn waiters(&mut self) -> f64 {
        let key = self.fresh(1);
        let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
        self.source.close();
        let start = Instant::now();
        runtime.block_on(async {
            let arrived = Arc::new(AtomicUsize::new(0));
            let tasks = (0..WAITERS).map(|_| {
                let (cache, arrived) = (self.cache.clone(), arrived.clone());
                task::spawn(async move {
                    arrived.fetch_add(1, Ordering::Relaxed);
                    cache.load(key).await
                })
            });
            let tasks: Vec<_> = tasks.collect();
            while arrived.load(Ordering::Relaxed) < WAITERS {
                task::yield_now().await;
            }
            self.source.open();
            for task in tasks {
                black_box(task.await.expect("a task that ends"));
            }
        });
        start.elapsed().as_nanos() as f64 / WAITERS as f64
    }
}

/// Polls a future that has nothing to wait for.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
