//! How many locks a miss takes: those of the runtime, around the cache and around lists of wakers.
//! The lock of the graph of caches is the core's own, and is not counted.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use larder::{
    Clock, Instant, Lock, ManualClock, OneThread, Room, Runtime, Timer, WriteBack,
    parts::{Local, Memory, WakerList, Wakers},
};

thread_local! {
    /// Each test has its own, as it runs on its own thread.
    static LOCKS: Arc<AtomicU32> = Arc::default();
}

/// A lock that counts in this counter how often it is taken.
struct Counted<T>(Mutex<T>, Arc<AtomicU32>);

impl<T> Lock<T> for Counted<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value), LOCKS.with(Arc::clone))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.1.fetch_add(1, Ordering::Relaxed);
        Lock::with(&self.0, f)
    }
}

/// A runtime of such locks.
struct Counting(Local<ManualClock>);

impl Clock for Counting {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Counting {
    type Sleep = <Local<ManualClock> as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Counting {
    type Lock<T> = Counted<T>;
    type Notify = WakerList<Counted<Wakers>>;
    type Threads = OneThread;
}

type Cache = WriteBack<u32, u32, larder::parts::NotThere, Counting>;

fn cache(capacity: usize) -> Cache {
    let disk = Memory::from([(1, 10), (2, 20)]);
    WriteBack::builder(Counting(Local::new(ManualClock::new())), disk).capacity(capacity).build().expect("valid")
}

/// Does `step`; returns its result, and how many locks it took.
fn counted<T>(step: impl FnOnce() -> T) -> (T, u32) {
    let locks = || LOCKS.with(|locks| locks.load(Ordering::Relaxed));
    let before = locks();
    (step(), locks() - before)
}

/// Polls a call whose first poll is its last.
fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(end) => end,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// Loads a key and unpins it; returns how many locks each step took.
fn miss(cache: &Cache, key: u32, room: Room) -> (u32, u32) {
    let (page, loading) = counted(|| at_once(cache.get_or_load_with(&key, room)).expect("there is room"));
    (loading, counted(|| drop(page)).1)
}

#[test]
fn a_miss() {
    for room in [Room::Wait, Room::Try] {
        let cache = cache(1);
        assert_eq!(miss(&cache, 1, room), (FREE, 1), "a free place");
        assert_eq!(miss(&cache, 1, room), (1, 1), "a hit");
        assert_eq!(miss(&cache, 2, room), (CLEAN, 1), "a clean victim");
        at_once(cache.get_or_load(&2)).expect("it is there").set(7);
        assert_eq!(miss(&cache, 1, room), (DIRTY, 1), "a dirty victim");
    }
}

/// Look, reserve a place and take a seat in the load; then store the value, pinned, and notify.
const FREE: u32 = 2;

/// The same: the victim is found in the first step, and leaves in the second.
const CLEAN: u32 = FREE;

/// Beside these: fix the value and take a seat in its flush; note that it is written, and notify; look for room.
const DIRTY: u32 = FREE + 3;
