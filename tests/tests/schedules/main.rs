//! The write-back cache with threads in many schedules: a scheduler decides at each lock and each yield.
//!
//! It tries many schedules at random, finds deadlocks, and prints how to repeat a schedule that has failed. It is a
//! program of its own, because its panic hook keeps memory, which other tests count.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use larder::{Backend, BoxIo, Clock, Instant, Lock, ManualClock, Room, Runtime, Timer, WriteBack, parts::Std};
use larder_tests::*;
use shuttle::{
    check_pct, check_random,
    future::{block_on, yield_now},
    rand::{Rng, thread_rng},
    thread,
};

mod copies;
mod ends;
mod growing;

/// A runtime of the parts for threads, whose lock is the scheduler's.
#[derive(Clone, Default)]
struct Scheduled(Std<ManualClock>);

struct Guarded<T>(shuttle::sync::Mutex<T>);

impl<T> Lock<T> for Guarded<T> {
    fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for Scheduled {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Scheduled {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Scheduled {
    type Lock<T> = Guarded<T>;
    type Notify = <Std<ManualClock> as Runtime>::Notify;
    type Threads = larder::ManyThreads;
}

/// Disks that record the order of their writes.
#[derive(Clone, Default)]
struct Sea(Arc<Mutex<Log>>, usize);

#[derive(Default)]
struct Log {
    pages: BTreeMap<(usize, u32), u32>,
    written: Vec<(usize, u32, u32)>,
}

impl Sea {
    fn with<T>(&self, f: impl FnOnce(&mut Log) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn page(&self, nth: usize, key: u32) -> u32 {
        self.with(|log| log.pages.get(&(nth, key)).copied().unwrap_or(0))
    }

    fn cache(&self, nth: usize, capacity: usize) -> Pages {
        let builder = WriteBack::builder(Scheduled::default(), Self(self.0.clone(), nth));
        builder.capacity(capacity).hash_seed(1).flush_limit(2).build().expect("valid")
    }
}

type Pages = WriteBack<u32, u32, Boom, Scheduled>;

impl Backend<u32> for Sea {
    type Value = u32;
    type Error = Boom;
    type Load = BoxIo<Result<u32, Boom>>;
    type Flush = BoxIo<Result<(), Boom>>;
    type Discard = BoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let sea = self.clone();
        Box::pin(async move {
            let value = sea.page(sea.1, key);
            yield_now().await;
            Ok(value)
        })
    }

    fn flush(&self, key: u32, value: u32) -> Self::Flush {
        let sea = self.clone();
        Box::pin(async move {
            yield_now().await;
            sea.with(|log| {
                log.pages.insert((sea.1, key), value);
                log.written.push((sea.1, key, value));
            });
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u32>) {}
}

/// Polls a few times, and then gives up.
async fn for_a_while<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let poll = core::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = poll {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

fn set(pages: &Pages, key: u32, value: u32) {
    block_on(pages.get_or_load(&key)).expect("it is loaded").set(value);
}

fn assert_free(pages: &Pages, capacity: usize) {
    assert_eq!((pages.pinned(), pages.len() <= capacity), (0, true));
    // A call with `Room::Try` does not wait until victims are written. (D76)
    block_on(pages.flush()).expect("it is written");
    let handles: Vec<_> =
        (500..500 + capacity as u32).map(|key| block_on(pages.get_or_load_with(&key, Room::Try))).collect();
    assert!(handles.iter().all(Result::is_ok) && pages.len() == capacity);
}

/// C71, C81: a flush with a dependency beside an eviction; one of the callers gives up.
#[test]
fn c71_flush_beside_eviction() {
    let play = || {
        let sea = Sea::default();
        let (a, b) = (sea.cache(0, 1), sea.cache(1, 2));
        set(&b, 5, 55);
        set(&a, 1, 11);
        a.depend_on(&b).expect("no circle");
        let (evicts, flushes, gives_up) = (a.clone(), a.clone(), a.clone());
        let threads = [
            thread::spawn(move || drop(block_on(evicts.get_or_load(&2)).expect("there is room"))),
            thread::spawn(move || block_on(flushes.flush()).expect("it works")),
            thread::spawn(move || drop(block_on(for_a_while(gives_up.flush(), 2)))),
        ];
        for thread in threads {
            thread.join().expect("it ends");
        }
        let written: Vec<_> = sea.with(|log| log.written.iter().map(|write| write.0).collect());
        assert_eq!(written.first(), Some(&1), "{written:?}");
        assert_eq!((sea.page(0, 1), sea.page(1, 5), a.dirty(), b.dirty()), (11, 55, 0, 0));
        assert_free(&a, 1);
    };
    check_random(play, 300);
    check_pct(play, 300, 3);
}

/// C72: three caches that depend on each other in a ring, while they are flushed.
#[test]
fn c72_a_ring_of_dependencies() {
    let play = || {
        let sea = Sea::default();
        let ring: Vec<_> = (0..3).map(|nth| sea.cache(nth, 2)).collect();
        ring.iter().for_each(|pages| set(pages, 1, 1));
        let threads: Vec<_> = (0..3)
            .map(|nth| {
                let (from, to) = (ring[nth].clone(), ring[(nth + 1) % 3].clone());
                thread::spawn(move || {
                    let refused = if nth == 0 { from.always_depend_on(&to) } else { from.depend_on(&to) }.is_err();
                    block_on(from.flush()).expect("it works");
                    refused
                })
            })
            .collect();
        let refused = threads.into_iter().map(|thread| usize::from(thread.join().expect("it ends"))).sum::<usize>();
        assert!(refused <= 1 && ring.iter().all(|pages| pages.dirty() == 0));
    };
    check_random(play, 300);
    check_pct(play, 300, 3);
}

/// C81: two threads call two caches, one of which depends on the other, for two keys, at random.
#[test]
fn c81_the_torn_disk() {
    let play = || {
        let sea = Sea::default();
        let capacity = thread_rng().gen_range(1..3);
        let (a, b) = (sea.cache(0, capacity), sea.cache(1, capacity));
        a.always_depend_on(&b).expect("no circle");
        // Each thread writes its own keys, so it knows what was written last.
        let threads: Vec<_> = (0..2_u32)
            .map(|mine| {
                let (a, b) = (a.clone(), b.clone());
                thread::spawn(move || {
                    let mut last = [0, 0];
                    for step in 1..6 {
                        let value = mine * 100 + step;
                        let (nth, pages) = if thread_rng().gen_bool(0.5) { (0, &a) } else { (1, &b) };
                        match thread_rng().gen_range(0..7) {
                            0 | 1 => {
                                set(pages, mine, value);
                                last[nth] = value;
                            }
                            2 => drop(block_on(pages.flush())),
                            3 => drop(block_on(for_a_while(pages.flush(), 2))),
                            4 => drop(block_on(for_a_while(pages.get_or_load(&(10 + step)), 3))),
                            5 => {
                                if block_on(pages.insert(mine, value, Room::Wait)).is_ok() {
                                    last[nth] = value;
                                }
                            }
                            _ => drop(block_on(pages.remove(&mine))),
                        }
                        let there = block_on(pages.get_or_load(&mine)).expect("it is loaded").value();
                        assert_eq!(there, last[nth], "what was written last");
                    }
                    last
                })
            })
            .collect();
        let last: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("it ends")).collect();
        block_on(a.flush()).expect("it works");
        block_on(b.flush()).expect("it works");
        for (mine, last) in (0..).zip(last) {
            assert_eq!([sea.page(0, mine), sea.page(1, mine)], last);
        }
        assert_free(&a, capacity);
        assert_free(&b, capacity);
    };
    check_random(play, 600);
    check_pct(play, 300, 3);
}

/// D79, D81: changes of the second cache that came before changes of the first are on disk before them, in every prefix
/// of the log.
#[test]
fn d81_pairs_of_writes() {
    let play = || {
        let sea = Sea::default();
        let (a, b) = (sea.cache(0, 1), sea.cache(1, 1));
        a.always_depend_on(&b).expect("no circle");
        let (writes, also) = ((a.clone(), b.clone()), (a.clone(), b.clone()));
        let threads = [
            thread::spawn(move || {
                for value in 1..4 {
                    set(&writes.1, 1, value);
                    set(&writes.0, 1, value);
                }
            }),
            thread::spawn(move || {
                block_on(also.0.flush()).expect("it works");
                drop(block_on(also.0.get_or_load(&2)).expect("there is room"));
                drop(block_on(also.1.get_or_load(&2)).expect("there is room"));
            }),
        ];
        for thread in threads {
            thread.join().expect("it ends");
        }
        block_on(a.flush()).expect("it works");
        assert_eq!((sea.page(0, 1), sea.page(1, 1)), (3, 3));
        let mut second = 0;
        for (nth, _, value) in sea.with(|log| log.written.clone()) {
            if nth == 1 {
                second = value;
            }
            assert!(nth == 1 || value <= second, "{value} of the first, but {second} of the second");
        }
    };
    check_random(play, 400);
    check_pct(play, 300, 3);
}

/// D76: waits for room, some of which are given up, also for the same keys.
#[test]
fn d76_waits_for_room() {
    let play = || {
        let sea = Sea::default();
        let a = sea.cache(0, 1);
        let threads: Vec<_> = (0..3_u32)
            .map(|nth| {
                let a = a.clone();
                thread::spawn(move || {
                    for round in 0..2 {
                        let key = thread_rng().gen_range(0..2);
                        if nth == 0 && round == 0 {
                            drop(block_on(for_a_while(a.get_or_load(&key), 2)));
                        } else if nth == 1 {
                            drop(block_on(a.insert(key, 7, Room::Wait)));
                        } else {
                            drop(block_on(a.get_or_load(&key)).expect("there will be room"));
                        }
                        assert!(a.len() <= 1);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("it ends");
        }
        assert_free(&a, 1);
    };
    check_random(play, 500);
    check_pct(play, 400, 3);
}
