//! Many threads in small caches that depend on each other: nothing hangs, nothing is lost.

use core::sync::atomic::{AtomicU32, Ordering};
use std::{
    sync::{Mutex, MutexGuard},
    thread,
};

use larder::{
    Backend, BoxIo, ManualClock, Room, WriteBack,
    parts::{NoTimer, Std},
};
use larder_tests::*;

type Shared = WriteBack<u32, u64, Boom, Std<NoTimer<ManualClock>>>;

/// A disk that takes a few polls for everything, and fails at times.
#[derive(Clone)]
struct Slow(Arc<Mutex<[u64; 8]>>, Arc<AtomicU32>);

impl Slow {
    fn pages(&self) -> MutexGuard<'_, [u64; 8]> {
        self.0.lock().expect("no thread panics")
    }

    fn number(&self) -> u32 {
        self.1.fetch_add(0x9e37, Ordering::Relaxed) % 997
    }
}

async fn pause(polls: u32) {
    for _ in 0..polls {
        futures_lite::future::yield_now().await;
    }
}

impl Backend<u32> for Slow {
    type Value = u64;
    type Error = Boom;
    type Load = BoxIo<Result<u64, Boom>>;
    type Flush = BoxIo<Result<(), Boom>>;
    type Discard = BoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let disk = self.clone();
        Box::pin(async move {
            pause(disk.number() % 4).await;
            if disk.number() % 13 == 0 {
                return Err(Boom(1));
            }
            Ok(disk.pages()[key as usize])
        })
    }

    fn flush(&self, key: u32, value: u64) -> Self::Flush {
        let disk = self.clone();
        Box::pin(async move {
            pause(disk.number() % 4).await;
            if disk.number() % 11 == 0 {
                return Err(Boom(2));
            }
            disk.pages()[key as usize] = value;
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: u64) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u32>) {}
}

/// How many calls each thread makes.
const ROUNDS: u32 = 2_000;

/// P2, P16, P17: the caches depend on each other in turn, and all threads share all loads and flushes.
#[test]
fn nothing_hangs_and_nothing_is_lost() {
    for capacity in 1..4 {
        let caches: Vec<(Slow, Shared)> = ["a", "b", "c"]
            .iter()
            .map(|name| {
                let disk = Slow(Arc::default(), Arc::default());
                let runtime = Std::new(NoTimer::new(ManualClock::new()));
                (disk.clone(), WriteBack::builder(runtime, disk).capacity(capacity).name(name).build().expect("valid"))
            })
            .collect();
        let sums: Vec<u64> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|nth| {
                    let caches = &caches;
                    scope.spawn(move || worker(caches, nth))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        while caches.iter().any(|(_, pages)| wait(pages.flush()).is_err()) {}
        assert!(caches.iter().all(|(_, pages)| (pages.dirty(), pages.pinned()) == (0, 0)));
        let written: u64 = caches.iter().map(|(disk, _)| disk.pages().iter().sum::<u64>()).sum();
        assert_eq!(written, sums.iter().sum::<u64>());
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    futures_lite::future::block_on(future)
}

fn worker(caches: &[(Slow, Shared)], nth: u64) -> u64 {
    let (mut random, mut sum) = (Random::new(nth), 0);
    for _ in 0..ROUNDS {
        let pages = &caches[random.below(3) as usize].1;
        let key = random.below(6) as u32;
        match random.below(12) {
            0 => _ = wait(pages.flush()),
            1 => _ = wait(pages.remove(&key)),
            2 => _ = wait(pages.flush_key(&key)),
            3 => _ = pages.depend_on(&caches[random.below(3) as usize].1),
            4 => {
                let mut get = Box::pin(pages.get_or_load(&key));
                _ = (0..random.below(4)).any(|_| wakers::poll_once(&mut get).is_ready());
            }
            5 => {
                let mut flush = Box::pin(pages.flush());
                _ = (0..random.below(4)).any(|_| wakers::poll_once(&mut flush).is_ready());
            }
            6 => _ = wait(pages.flush_then_depend_on(&caches[random.below(3) as usize].1)),
            7 => {
                if let Ok(page) = wait(pages.get_or_load_with(&key, Room::Try)) {
                    sum += u64::from(page.update(|n| *n += 1).is_ok());
                }
            }
            _ => {
                if let Ok(page) = wait(pages.get_or_load(&key)) {
                    sum += u64::from(page.update(|n| *n += 1).is_ok());
                }
            }
        }
    }
    sum
}
