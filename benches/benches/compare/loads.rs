//! Values that are asked for as if they had to be loaded.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use larder_benches::{
    Random, Zipf,
    peers::{Loads, Setup},
};
use tokio::{runtime, task};

use crate::{contest::Entrant, hits::on_threads};

const ENTRIES: u64 = 1 << 14;
const HITS: u64 = 200_000;
const MISSES: u64 = 30_000;
const WAITERS: usize = 1_000;
const MIX_KEYS: usize = 500_000;
const MIX: usize = 60_000;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    /// Keys that are there.
    Present,
    /// Keys that are not, of a cache that is full; the load is ready at once.
    Absent,
    /// Keys by Zipf's law, of which a tenth fits.
    Mix,
    /// The same, and each call is timed for itself.
    Tail,
}

pub(crate) struct Asks<P> {
    cache: P,
    ask: Ask,
    threads: usize,
    setup: Setup,
    keys: Arc<[u64]>,
    next: u64,
}

impl<P: Loads> Asks<P> {
    pub(crate) fn entrant(ask: Ask, threads: usize) -> Box<dyn Entrant> {
        let (capacity, keys): (_, Arc<[u64]>) = match ask {
            Ask::Present => (2 * ENTRIES as usize, (0..ENTRIES).map(|nth| nth * 7 % ENTRIES).collect()),
            Ask::Absent => (ENTRIES as usize, (0..ENTRIES).collect()),
            Ask::Mix | Ask::Tail => (MIX_KEYS / 10, mix()),
        };
        let setup = Setup::new(capacity);
        let cache = P::new(&setup);
        keys.iter().for_each(|key| _ = ready(cache.load(*key)));
        let next = if matches!(ask, Ask::Absent) { ENTRIES } else { 0 };
        Box::new(Self { cache, ask, threads, setup, keys, next })
    }
}

impl<P: Loads> Entrant for Asks<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn round(&mut self) -> f64 {
        let (cache, keys, from) = (&self.cache, &self.keys, self.next);
        // Each thread has a place of its own in the sequence.
        let key = |thread: usize, nth: u64| keys[((from + nth) as usize + thread * keys.len() / 2) % keys.len()];
        match self.ask {
            Ask::Present => on_threads(self.threads, HITS, |thread, nth| {
                black_box(ready(cache.load(key(thread, nth))));
            }),
            Ask::Absent => {
                self.next += MISSES * self.threads as u64;
                on_threads(self.threads, MISSES, |thread, nth| {
                    black_box(ready(cache.load(from + nth + thread as u64 * MISSES)));
                })
            }
            Ask::Mix => {
                self.next += MIX as u64;
                on_threads(self.threads, MIX as u64, |thread, nth| {
                    black_box(ready(cache.load(key(thread, nth))));
                })
            }
            Ask::Tail => {
                self.next += MIX as u64;
                let mut times: Vec<_> = (0..MIX as u64)
                    .map(|nth| {
                        let start = Instant::now();
                        black_box(ready(cache.load(key(0, nth))));
                        start.elapsed().as_nanos() as u64
                    })
                    .collect();
                times.sort_unstable();
                times[MIX - MIX / 1000] as f64
            }
        }
    }

    fn remark(&mut self) -> Option<String> {
        if !matches!(self.ask, Ask::Mix) || self.threads > 1 {
            return None;
        }
        let before = self.setup.source.loads();
        self.keys.iter().for_each(|key| _ = ready(self.cache.load(*key)));
        let loads = self.setup.source.loads() - before;
        Some(format!("hit ratio {:.2}%", 100.0 * (1.0 - loads as f64 / self.keys.len() as f64)))
    }
}

/// A thousand tasks that wait for one load.
pub(crate) struct Waiters<P> {
    cache: Arc<P>,
    setup: Setup,
    runtime: runtime::Runtime,
    next: u64,
}

impl<P: Loads> Waiters<P> {
    pub(crate) fn entrant(lock_timeout: Option<Duration>) -> Box<dyn Entrant> {
        let runtime = runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let setup = Setup { lock_timeout, ..Setup::new(ENTRIES as usize) };
        let cache = runtime.block_on(async { Arc::new(P::new(&setup)) });
        Box::new(Self { cache, setup, runtime, next: 0 })
    }
}

impl<P: Loads> Entrant for Waiters<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn round(&mut self) -> f64 {
        self.next += 1;
        let key = self.next;
        let source = &self.setup.source;
        source.close();
        let start = Instant::now();
        self.runtime.block_on(async {
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
            source.open();
            for task in tasks {
                black_box(task.await.expect("a task that ends"));
            }
        });
        start.elapsed().as_nanos() as f64 / WAITERS as f64
    }
}

/// The keys that the mix asks for, in order.
fn mix() -> Arc<[u64]> {
    let zipf = Zipf::new(MIX_KEYS, 0.9);
    let mut random = Random::new(1);
    (0..1 << 20).map(|_| zipf.draw(&mut random)).collect()
}

/// Polls a future that has nothing to wait for.
///
/// Where it stands: as a call, it would move the futures of some caches into place first, and not those of others.
#[inline(always)]
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
