//! What a cache does for a program that has nothing but `core` and `alloc`, one case after the other.

use alloc::{rc::Rc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use larder::{Cache, Load, LoadError, Loaded, ManualClock, OneThread, Runtime, Status};

use crate::executor::{Task, finish, run};

/// What went wrong, if anything did.
pub type Checked = Result<(), &'static str>;

/// What the allocator tells of itself.
#[derive(Clone, Copy)]
pub struct Heap {
    /// The bytes that are in use now.
    pub live: fn() -> usize,
    /// How many allocations there have been.
    pub allocations: fn() -> usize,
}

/// Fails with the condition's own text.
macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            return Err(concat!(stringify!($condition), " at line ", line!()));
        }
    };
}

const TTL: Duration = Duration::from_secs(10);

/// Runs every case on runtimes made by `make`, and checks after each that no memory stays behind.
///
/// # Errors
///
/// The condition that did not hold.
pub fn all<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, heap: Heap) -> Checked {
    let cases = [coalescing, expiry, writes, staleness, cancellation, eviction, per_call];
    for case in cases {
        let before = (heap.live)();
        case(make, heap)?;
        check!((heap.live)() == before);
    }
    Ok(())
}

/// A source that answers with twice the key, once its door is open.
#[derive(Clone, Default)]
struct Source(Rc<Door>);

#[derive(Default)]
struct Door {
    open: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    loads: Cell<u32>,
}

/// The error of a source that has nothing under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unknown(u32);

impl Source {
    fn open() -> Self {
        let source = Self::default();
        source.0.open.set(true);
        source
    }

    fn open_door(&self) {
        self.0.open.set(true);
        mem::take(&mut *self.0.waiting.borrow_mut()).into_iter().for_each(Waker::wake);
    }

    fn loads(&self) -> u32 {
        self.0.loads.get()
    }

    fn answer(&self, key: u32) -> Answer {
        self.0.loads.set(self.0.loads.get() + 1);
        Answer { door: self.0.clone(), key }
    }
}

/// A type of its own, so that all cases share one type of cache: code for a board is counted in kilobytes.
impl Load<u32> for Source {
    type Value = u32;
    type Error = Unknown;
    type Future = Answer;

    fn load(&self, key: u32) -> Answer {
        self.answer(key)
    }
}

struct Answer {
    door: Rc<Door>,
    key: u32,
}

impl Future for Answer {
    type Output = Result<Loaded<u32>, Unknown>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.door.open.get() {
            self.door.waiting.borrow_mut().push(cx.waker().clone());
            return Poll::Pending;
        }
        let answer = if self.key == 404 { Err(Unknown(self.key)) } else { Ok(Loaded::new(2 * self.key)) };
        Poll::Ready(answer)
    }
}

/// Makes a cache of eight entries that reads through to `source`; further settings follow.
macro_rules! cache {
    ($runtime:expr, $source:expr $(, $setting:ident($($value:expr),*))*) => {{
        Cache::builder($runtime)
            .capacity(8)
            .shards(1)
            .hash_seed(7)
            .ttl(TTL)
            $(.$setting($($value),*))*
            .loader($source.clone())
            .build()
            .map_err(|_| "the configuration was refused")?
    }};
}

/// Two callers share one load, the next one hits, and the hit allocates nothing.
fn coalescing<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, heap: Heap) -> Checked {
    let source = Source::default();
    let cache = cache!(make(ManualClock::new()), source);
    let mut callers = [Task::new(cache.get(&1)), Task::new(cache.get(&1))];
    run(&mut callers);
    check!(callers.iter().all(|caller| !caller.ended()));
    source.open_door();
    run(&mut callers);
    for caller in callers {
        check!(matches!(caller.output(), Some(Ok(2))));
    }
    check!(source.loads() == 1);

    let allocations = (heap.allocations)();
    check!(cache.get_if_present(&1) == Some(2));
    check!((heap.allocations)() == allocations);
    check!(matches!(finish(cache.get(&1)), Some(Ok(2))));

    let failed = finish(cache.get(&404));
    check!(matches!(&failed, Some(Err(error)) if error.error() == Some(&Unknown(404))));
    check!(source.loads() == 2);
    Ok(())
}

/// A value is gone the moment its deadline is reached, and loaded anew.
fn expiry<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let (clock, source) = (ManualClock::new(), Source::open());
    let cache = cache!(make(clock.clone()), source);
    check!(matches!(finish(cache.get(&1)), Some(Ok(2))));
    clock.advance(TTL - Duration::from_nanos(1));
    check!(cache.contains(&1));
    clock.advance(Duration::from_nanos(1));
    check!(cache.get_if_present(&1).is_none());
    check!(matches!(finish(cache.get(&1)), Some(Ok(2))));
    check!(source.loads() == 2);
    Ok(())
}

/// What is written by hand is read, and wins over a load that was under way.
fn writes<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let source = Source::default();
    let cache = cache!(make(ManualClock::new()), source);
    check!(cache.insert(1, 10).is_some());
    check!(cache.remove(&1) == Some(10));
    check!(cache.get_if_present(&1).is_none());

    let mut callers = [Task::new(cache.get(&3))];
    run(&mut callers);
    check!(cache.insert(3, 99).is_some());
    run(&mut callers);
    let [caller] = callers;
    check!(matches!(caller.output(), Some(Ok(99))));
    source.open_door();
    check!(cache.get_if_present(&3) == Some(99));
    cache.clear();
    check!(cache.is_empty());
    Ok(())
}

/// A stale value is served at once, beside a ticket that refreshes it.
fn staleness<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let (clock, source) = (ManualClock::new(), Source::open());
    let cache = cache!(make(clock.clone()), source, stale_while_refresh(TTL));
    check!(matches!(finish(cache.get(&1)), Some(Ok(2))));
    let second = Duration::from_secs(1);
    clock.advance(TTL + second);

    let Some(Ok(mut stale)) = finish(cache.get_stale(&1)) else { return Err("no stale value was served") };
    check!(stale.outcome.status() == Status::Stale(second));
    check!(*stale.outcome.value() == 2);
    let Some(refresh) = stale.refresh.take() else { return Err("no ticket came with the stale value") };
    check!(source.loads() == 1);
    // It polls the refresh that the first one holds.
    let Some(Ok(other)) = finish(cache.get_stale(&1)) else { return Err("the second stale call failed") };
    check!(other.refresh.is_none() && *other.outcome.value() == 2);
    check!(source.loads() == 2);
    check!(finish(refresh).is_some());
    check!(source.loads() == 2);
    check!(cache.get_if_present(&1) == Some(2));
    Ok(())
}

/// Callers that leave leave nothing behind, and the load goes on for the others.
fn cancellation<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let source = Source::default();
    let cache = cache!(make(ManualClock::new()), source);
    let mut callers = [Task::new(cache.get(&1)), Task::new(cache.get(&1))];
    run(&mut callers);
    let [first, second] = callers;
    drop(first);
    source.open_door();
    let mut left = [second];
    run(&mut left);
    let [second] = left;
    check!(matches!(second.output(), Some(Ok(2))));
    check!(source.loads() == 1);

    source.0.open.set(false);
    let mut callers = [Task::new(cache.get(&2))];
    run(&mut callers);
    check!(cache.stats().waiters == 1);
    drop(callers);
    check!(cache.stats().waiters == 0);
    check!(cache.stats().flights == 0);
    Ok(())
}

/// The capacity holds, whatever comes.
fn eviction<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let source = Source::open();
    let cache = cache!(make(ManualClock::new()), source);
    for key in 0..100 {
        check!(matches!(finish(cache.get(&key)), Some(Ok(_))));
        check!(cache.len() <= 8);
    }
    check!(cache.stats().evicted == 92);
    Ok(())
}

/// A cache without a loader takes each call's own.
fn per_call<R: Runtime<Threads = OneThread>>(make: fn(ManualClock) -> R, _: Heap) -> Checked {
    let source = Source::open();
    let cache = Cache::<_, u32, Unknown, _>::builder(make(ManualClock::new()))
        .capacity(8)
        .hash_seed(7)
        .build()
        .map_err(|_| "the configuration was refused")?;
    for _ in 0..2 {
        let loads = source.clone();
        let answer: Option<Result<u32, LoadError<Unknown>>> =
            finish(cache.get_or_load(&4_u32, move || async move { loads.answer(4).await.map(|_| 8) }));
        check!(matches!(answer, Some(Ok(8))));
    }
    check!(source.loads() == 1);
    Ok(())
}
