//! Counts the locks that are taken, and the readings of the clock, on each way through a cache; ends with status 1 if
//! there are more than there may be.
//!
//! Counted are the locks that a runtime supplies: those around shards and write-back caches, and those around lists of
//! wakers. That of the graph of write-back caches is the core's own, and is not counted.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use larder::{
    Cache, Clock, Instant, LazySlot, Loaded, Lock, ManyThreads, Room, Runtime, Timer, WriteBack,
    parts::{Memory, NoTimer, Std, StdClock, WakerList, Wakers},
};

static LOCKS: AtomicU64 = AtomicU64::new(0);
static READINGS: AtomicU64 = AtomicU64::new(0);

/// A real lock that counts how often it is taken.
struct Counted<T>(Mutex<T>);

impl<T> Lock<T> for Counted<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        LOCKS.fetch_add(1, Ordering::Relaxed);
        Lock::with(&self.0, f)
    }
}

/// A runtime of such locks, and of a clock that counts how often it is read.
struct Counting(Std<NoTimer<StdClock>>);

impl Clock for Counting {
    fn now(&self) -> Instant {
        READINGS.fetch_add(1, Ordering::Relaxed);
        self.0.now()
    }
}

impl Timer for Counting {
    type Sleep = <Std<NoTimer<StdClock>> as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Counting {
    type Lock<T> = Counted<T>;
    type Notify = WakerList<Counted<Wakers>>;
    type Threads = ManyThreads;
}

fn runtime() -> Counting {
    Counting(Std::new(NoTimer::new(StdClock::new())))
}

/// Polls a future once, as a task that nobody wakes.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future whose first poll is its last.
fn now<T>(future: impl Future<Output = T>) -> T {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// What was found so far.
#[derive(Default)]
struct Counts {
    are_too_many: Cell<bool>,
}

impl Counts {
    /// Does `step`, and says how many locks and readings that takes, each for one of `keys`.
    fn take<T>(&self, what: &str, keys: u64, (locks, readings): (u64, u64), step: impl FnOnce() -> T) -> T {
        let before = (LOCKS.load(Ordering::Relaxed), READINGS.load(Ordering::Relaxed));
        let result = step();
        // (What a call takes once does not count for each key.)
        let taken = (LOCKS.load(Ordering::Relaxed) - before.0) / keys;
        let read = READINGS.load(Ordering::Relaxed) - before.1;
        let verdict = if taken > locks || read > readings { ", too many" } else { "" };
        println!("{what:24} locks {taken} of {locks}, readings {read} of {readings}{verdict}");
        self.are_too_many.set(self.are_too_many.get() || !verdict.is_empty());
        result
    }
}

/// A load that is pending until the gate is open.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn open(&self) {
        let waker = Lock::with(&*self.0, |(is_open, waker)| {
            *is_open = true;
            waker.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }

    async fn pass(self) {
        poll_fn(|cx| {
            Lock::with(&*self.0, |(is_open, waker)| {
                *waker = Some(cx.waker().clone());
                if *is_open { Poll::Ready(()) } else { Poll::Pending }
            })
        })
        .await;
    }
}

/// Lookups of one key: alone, joined, and told.
fn single(counts: &Counts) {
    let gate = Gate::default();
    let door = gate.clone();
    let load = move |id: u64| {
        let door = door.clone();
        async move {
            if id > 100 {
                door.pass().await;
            }
            Ok::<_, Infallible>(id)
        }
    };
    let cache =
        Cache::builder(runtime()).ttl(Duration::from_secs(60)).capacity(64).load_fn(load).build().expect("valid");
    assert!(counts.take("a ready miss", 1, (2, 2), || now(cache.get(&1))).is_ok());
    assert!(counts.take("a hit", 1, (1, 1), || now(cache.get(&1))).is_ok());
    let [mut first, mut second, mut third] = [(); 3].map(|()| Box::pin(cache.get(&101)));
    assert!(counts.take("a miss that waits", 1, (2, 1), || poll(first.as_mut())).is_pending());
    // From now on the load is polled with a waker that wakes all.
    assert!(counts.take("the second caller", 1, (6, 1), || poll(second.as_mut())).is_pending());
    assert!(counts.take("joining", 1, (2, 1), || poll(third.as_mut())).is_pending());
    gate.open();
    assert!(counts.take("ending the load", 1, (6, 2), || poll(third.as_mut())).is_ready());
    assert!(counts.take("being told", 1, (1, 1), || poll(second.as_mut())).is_ready());
}

/// A call for many keys.
fn batch(counts: &Counts) {
    let load =
        |ids: Vec<u64>| async move { Ok::<_, Infallible>(ids.into_iter().map(|id| (id, id)).collect::<Vec<_>>()) };
    let cache = Cache::builder(runtime()).ttl(Duration::from_secs(60)).load_many_fn(load).build().expect("valid");
    let keys: Vec<_> = (0..100).collect();
    let values = counts.take("a batch, for each key", 100, (3, 2), || now(cache.get_many(&keys)));
    assert!(values.iter().all(Result::is_ok));
}

/// A slot.
fn slot(counts: &Counts) {
    let fetch = |_| async { Ok::<_, Infallible>(Loaded::new(1_u64).ttl(Duration::from_secs(60))) };
    let slot = LazySlot::builder(runtime()).fetch_fn(fetch).build().expect("valid");
    assert!(counts.take("a slot's first fetch", 1, (5, 2), || now(slot.get())).is_ok());
    assert!(counts.take("a slot's hit", 1, (1, 1), || now(slot.get())).is_ok());
}

/// A miss of a write-back cache, by what has to leave for it.
fn write_back(counts: &Counts) {
    for is_dirty in [false, true] {
        let disk = Memory::from([(1_u64, 1_u64), (2, 2)]);
        let cache = WriteBack::builder(runtime(), disk).capacity(1).build().expect("valid");
        let miss = || now(cache.get_or_load_with(&1, Room::Try));
        let page = if is_dirty { miss() } else { counts.take("write-back, room free", 1, (2, 2), miss) };
        let Ok(page) = page else { panic!("there is room") };
        if is_dirty {
            page.set(7);
        }
        drop(page);
        let (what, most) = if is_dirty { ("write-back, dirty victim", 6) } else { ("write-back, clean victim", 2) };
        assert!(counts.take(what, 1, (most, 2), || now(cache.get_or_load_with(&2, Room::Try))).is_ok());
    }
}

fn main() -> ExitCode {
    let counts = Counts::default();
    for check in [single, batch, slot, write_back] {
        check(&counts);
    }
    if counts.are_too_many.get() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
