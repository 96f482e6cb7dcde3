//! Loads that answer in their first poll, for callers that only want the value, and what panics beside them.

use core::{
    cell::{Cell, RefCell},
    future::Future,
    hash::{Hash, Hasher},
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    panic::catch_unwind,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use futures_lite::future::{block_on, yield_now};
use larder::{
    Cache, LazySlot, LoadError, Loaded, ManualClock,
    parts::{Local, Std},
};
use larder_tests::Random;

type Store<V> = Cache<u32, V, (), Local<ManualClock>>;

/// Polls it once; `None` if that unwinds.
fn poll<F: Future + Unpin>(future: &mut F) -> Option<Poll<F::Output>> {
    catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(&mut Context::from_waker(Waker::noop())))).ok()
}

fn at_once<V, E>(future: impl Future<Output = Result<V, E>> + Unpin) -> Option<V> {
    let mut future = future;
    match poll(&mut future) {
        Some(Poll::Ready(Ok(value))) => Some(value),
        _ => None,
    }
}

/// The drop of one of its values panics once.
#[derive(Clone, Default)]
struct Bomb(Rc<Cell<Option<u32>>>);

struct Value(u32, Bomb);

impl Clone for Value {
    fn clone(&self) -> Self {
        Self(self.0, self.1.clone())
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let Self(number, Bomb(bomb)) = self;
        if bomb.get() == Some(*number) {
            bomb.set(None);
            panic!("{number} goes");
        }
    }
}

/// C17, P5: the value is there, and what leaves for it panics: the caller gets it when it is polled again.
#[test]
fn what_leaves_panics_before_the_value_is_returned() {
    for (listens, removes) in [(false, false), (false, true), (true, false), (true, true)] {
        let (bomb, loads) = (Bomb::default(), Rc::new(Cell::new(0)));
        let (made, begun) = (bomb.clone(), loads.clone());
        let mut builder = Cache::builder(Local::new(ManualClock::new())).capacity(1).shards(1);
        if listens {
            builder = builder.listener(|_: &u32, _: &Value, _| panic!("the listener"));
        } else {
            bomb.0.set(Some(1));
        }
        let cache: Store<Value> = builder
            .load_fn(move |key| {
                begun.set(begun.get() + 1);
                let value = Value(key, made.clone());
                async move { Ok(value) }
            })
            .build()
            .expect("a valid configuration");
        // (The first value of all is only told, and stays.)
        let armed = bomb.0.take();
        assert!(at_once(cache.get(&1)).is_some());
        bomb.0.set(armed);
        let mut get = cache.get(&2);
        assert!(poll(&mut get).is_none(), "it unwinds");
        assert!(cache.contains(&2) && !cache.contains(&1));
        if removes {
            let _gone = catch_unwind(AssertUnwindSafe(|| cache.remove(&2)));
            assert!(!cache.contains(&2));
        }
        assert!(matches!(poll(&mut get), Some(Poll::Ready(Ok(value))) if value.0 == 2));
        assert!(matches!(poll(&mut get), Some(Poll::Pending)), "it is over (D107)");
        let stats = cache.stats();
        assert_eq!((loads.get(), stats.lookups(), stats.loads_succeeded), (2, 2, 2));
        assert_eq!((stats.flights, stats.waiters, stats.loads_in_flight), (0, 0, 0));
    }
}

/// P13: a value that finds no room in its shard is cloned and dropped outside the lock.
#[test]
fn a_value_calls_the_cache_as_it_is_dropped() {
    thread_local! {
        static CACHE: RefCell<Option<Store<Caller>>> = const { RefCell::new(None) };
    }

    #[derive(Clone)]
    struct Caller;

    impl Drop for Caller {
        fn drop(&mut self) {
            // A `RefCell` that is borrowed panics.
            let cache = CACHE.with_borrow(Clone::clone);
            cache.iter().for_each(|cache| assert!(cache.len() <= 4));
        }
    }

    let cache: Store<Caller> = Cache::builder(Local::new(ManualClock::new()))
        .capacity(4)
        .shards(2)
        .load_fn(|_| async { Ok(Caller) })
        .build()
        .expect("a valid configuration");
    CACHE.set(Some(cache.clone()));
    for key in (0..40).chain(0..40) {
        assert!(at_once(cache.get(&key)).is_some());
    }
    assert_eq!(cache.stats().loads_panicked, 0);
    CACHE.set(None);
}

/// P2, P5: a load has answered, and its drop panics: the value is dropped, too.
#[test]
fn a_load_panics_as_it_is_dropped() {
    struct Load(bool, Rc<()>);

    impl Future for Load {
        type Output = Result<Rc<()>, ()>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(self.1.clone()))
        }
    }

    impl Drop for Load {
        fn drop(&mut self) {
            assert!(!self.0, "as it goes");
        }
    }

    let (value, bomb) = (Rc::new(()), Cell::new(true));
    let made = value.clone();
    let cache: Store<Rc<()>> = Cache::builder(Local::new(ManualClock::new()))
        .load_fn(move |_| Load(bomb.take(), made.clone()))
        .build()
        .expect("a valid configuration");
    let mut get = cache.get(&1);
    assert!(poll(&mut get).is_none(), "it unwinds");
    assert_eq!(Rc::strong_count(&value), 2, "nothing is left of it");
    assert!(matches!(poll(&mut get), Some(Poll::Ready(Err(LoadError::Failed(failure)))) if failure.is_panicked()));
    assert!(at_once(cache.get(&1)).is_some());
    let stats = cache.stats();
    assert_eq!((stats.loads_panicked, stats.loads_succeeded, stats.loads_in_flight), (1, 1, 0));
    assert_eq!((stats.flights, stats.waiters), (0, 0));
}

/// P5: what is the user's panics as the end of a value is laid down, under the lock.
#[test]
fn a_key_panics_as_its_jitter_is_drawn() {
    thread_local! {
        static HASHES: Cell<u32> = const { Cell::new(0) };
    }

    #[derive(Clone, PartialEq, Eq)]
    struct Key;

    impl Hash for Key {
        fn hash<H: Hasher>(&self, state: &mut H) {
            HASHES.set(HASHES.get() + 1);
            assert_ne!(HASHES.get(), 2, "a hash");
            7.hash(state);
        }
    }

    let cache: Cache<Key, u32, (), Local<ManualClock>> = Cache::builder(Local::new(ManualClock::new()))
        .ttl(Duration::from_secs(100))
        .ttl_jitter(0.5, 1)
        .load_fn(|_| async { Ok(5) })
        .build()
        .expect("a valid configuration");
    let mut get = cache.get(&Key);
    assert!(poll(&mut get).is_none(), "it unwinds");
    assert!(matches!(poll(&mut get), Some(Poll::Ready(Err(LoadError::Failed(failure)))) if failure.is_panicked()));
    assert_eq!(at_once(cache.get(&Key)), Some(5));
    let stats = cache.stats();
    assert_eq!((stats.loads_panicked, stats.loads_succeeded, stats.flights, stats.waiters), (1, 1, 0, 0));
}

/// D74: a value that is over as soon as it is there delays the next fetch, also where each call brings its own.
#[test]
fn a_slot_waits_after_a_value_that_is_over() {
    let slot = LazySlot::<u32, (), _>::builder(Local::new(ManualClock::new()))
        .ttl(Duration::from_secs(9))
        .build()
        .expect("a valid configuration");
    let fetches = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let count = fetches.clone();
        let fetch = move |_| {
            count.set(count.get() + 1);
            async { Ok(Loaded::new(1).ttl(Duration::ZERO)) }
        };
        assert!(poll(&mut Box::pin(slot.get_or_fetch(fetch))).is_some_and(|poll| poll.is_ready()));
    }
    assert_eq!(fetches.get(), 1);
}

/// P8, D39: a write that comes while a load is polled for the first time.
#[test]
fn a_load_writes_its_own_key() {
    thread_local! {
        static CACHE: RefCell<Option<Store<u32>>> = const { RefCell::new(None) };
    }
    let cache: Store<u32> = Cache::builder(Local::new(ManualClock::new()))
        .load_fn(|key| async move {
            let cache = CACHE.with_borrow(Clone::clone).expect("a cache");
            match key {
                1 => _ = cache.insert(key, 70),
                2 => _ = cache.remove(&key),
                3 => cache.clear(),
                _ => cache.retain(|_, _| true),
            }
            Ok(5)
        })
        .build()
        .expect("a valid configuration");
    CACHE.set(Some(cache.clone()));
    assert_eq!((at_once(cache.get(&1)), cache.get_if_present(&1)), (Some(70), Some(70)));
    for key in [2, 3, 4] {
        assert_eq!((at_once(cache.get(&key)), cache.get_if_present(&key)), (Some(5), None), "{key}");
    }
    let stats = cache.stats();
    assert_eq!((stats.loads_begun, stats.loads_in_flight, stats.flights, stats.waiters), (4, 0, 0, 0));
    CACHE.set(None);
}

/// P1, P8, P12, D85: threads whose loads mostly answer at once, and that change what is loaded.
#[test]
fn threads_load_at_once_and_change_what_they_load() {
    const KEYS: usize = 6;
    let source: Arc<[AtomicU32; KEYS]> = Arc::default();
    let versions = source.clone();
    let cache: Cache<usize, u32, (), Std<ManualClock>> = Cache::builder(Std::new(ManualClock::new()))
        .capacity(4)
        .shards(2)
        .load_fn(move |key: usize| {
            let version = versions[key].load(Ordering::SeqCst);
            async move {
                if version % 4 == 3 {
                    yield_now().await;
                }
                Ok(version)
            }
        })
        .build()
        .expect("a valid configuration");
    thread::scope(|scope| {
        for seed in 1..=3 {
            let (cache, source) = (&cache, &source);
            scope.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..20_000 {
                    let key = random.below(KEYS as u64) as usize;
                    if random.below(5) > 0 {
                        let seen = block_on(cache.get(&key)).expect("a value");
                        assert!(seen <= source[key].load(Ordering::SeqCst));
                        continue;
                    }
                    let version = source[key].fetch_add(1, Ordering::SeqCst) + 1;
                    if random.below(4) == 0 {
                        cache.clear()
                    } else {
                        _ = cache.remove(&key)
                    }
                    // Whatever was under way, nothing older is seen from now on.
                    let seen = block_on(cache.get(&key)).expect("a value");
                    assert!(seen >= version, "key {key}: {seen} after {version}");
                }
            });
        }
    });
    let stats = cache.stats();
    assert_eq!((stats.flights, stats.waiters, stats.loads_in_flight), (0, 0, 0));
    assert_eq!(stats.loads_begun, stats.loads_succeeded + stats.loads_dropped);
    assert_eq!(stats.lookups(), 3 * 20_000);
    assert!(cache.len() <= 4 && stats.evicted > 0);
}
