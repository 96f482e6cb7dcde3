//! A cache that grows comes to have more shards: which locks are taken, and what a clock or a lock does in the middle.

use core::panic::AssertUnwindSafe;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    panic::catch_unwind,
};

use larder::{Cache, Clock, Instant, Lock, ManualClock, OneThread, Runtime, Timer, parts::Local};
use larder_tests::*;

/// A runtime on one thread that tells which of its locks are taken.
#[derive(Clone, Default)]
struct Marked(ManualClock);

struct MarkedLock<T>(u32, RefCell<T>);

std::thread_local! {
    /// What the clock does when it is read.
    static WHEN_READ: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    /// How many more locks are made before one panics; zero for none.
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static MADE: RefCell<u32> = const { RefCell::new(0) };
    static TAKEN: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

impl<T> Lock<T> for MarkedLock<T> {
    fn new(value: T) -> Self {
        assert!(PANICS.get() != 1 || PANICS.replace(0) != 1, "there is no lock");
        PANICS.set(PANICS.get().saturating_sub(1));
        let number = MADE.with_borrow_mut(|made| {
            *made += 1;
            *made
        });
        Self(number, RefCell::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        TAKEN.with_borrow_mut(|taken| _ = taken.insert(self.0));
        f(&mut self.1.borrow_mut())
    }
}

impl Clock for Marked {
    fn now(&self) -> Instant {
        let what = WHEN_READ.with_borrow_mut(Option::take);
        if let Some(mut what) = what {
            what();
            WHEN_READ.with_borrow_mut(|slot| _ = slot.get_or_insert(what));
        }
        self.0.now()
    }
}

impl Timer for Marked {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Marked {
    type Lock<T> = MarkedLock<T>;
    type Notify = <Local<ManualClock> as Runtime>::Notify;
    type Threads = OneThread;
}

/// C111: grown from 1000 to 100 000, the keys of a cache are behind as many locks as in one built so, and a look takes one.
#[test]
fn c111_a_cache_that_grew_is_as_concurrent_as_one_built_so() {
    fn locks_of(cache: &Cache<u32, u32, Boom, Marked>) -> usize {
        TAKEN.take();
        let most = (0..20_000).map(|key| {
            let before = TAKEN.with_borrow(BTreeSet::len);
            _ = cache.get_if_present(&key);
            TAKEN.with_borrow(BTreeSet::len) - before
        });
        assert_eq!(most.max(), Some(1), "one lock a look");
        TAKEN.take().len()
    }
    for processors in [1, 2, 3, 16, 64] {
        for steps in [&[100_000][..], &[1500, 3000, 7000, 20_000, 100_000], &[50_000, 10, 100_000]] {
            let build = |capacity| {
                let builder = Cache::<u32, u32, Boom, _>::builder(Marked::default()).processors(processors);
                builder.hash_seed(3).capacity(capacity).build().expect("valid")
            };
            let (cache, built) = (build(1000), build(100_000));
            (0..1000).for_each(|key| _ = cache.insert(key, key));
            steps.iter().for_each(|capacity| cache.set_capacity(*capacity));
            let shards = (8 * processors).next_power_of_two();
            assert_eq!((locks_of(&cache), locks_of(&built)), (shards, shards), "{processors}, {steps:?}");
            (0..90_000).for_each(|key| _ = cache.insert(key, key));
            assert_eq!(cache.len(), 90_000, "all the room is of use");
        }
    }
}

/// C111, D43: what is inserted while all is cleared or expired, in a shard whose turn is over, stays, wherever it moves.
#[test]
fn c111_what_comes_after_the_turn_of_its_shard_stays() {
    type Numbers = Cache<u32, u32, Boom, Marked>;
    let calls: [fn(&Numbers); 2] = [|cache| cache.clear(), |cache| _ = cache.expire_all()];
    for call in calls {
        for at in 1..12 {
            let left = [false, true].map(|grows| {
                let builder =
                    Numbers::builder(Marked::default()).processors(8).hash_seed(3).ttl(ms(1000)).capacity(400);
                let cache = Rc::new(builder.build().expect("valid"));
                (0..100).for_each(|key| _ = cache.insert(key, 1));
                let (own, mut reads) = (Rc::downgrade(&cache), 0);
                let meanwhile = move || {
                    reads += 1;
                    let cache = own.upgrade().expect("it is called");
                    if reads == at {
                        (200..300).for_each(|key| _ = cache.insert(key, 2));
                        if grows {
                            cache.set_capacity(100_000);
                        }
                    }
                };
                WHEN_READ.set(Some(Box::new(meanwhile)));
                call(&cache);
                WHEN_READ.take();
                assert!((0..100).all(|key| !cache.contains(&key)), "all that was there before");
                (200..300).filter(|key| cache.contains(key)).collect::<Vec<_>>()
            });
            assert_eq!(left[0], left[1], "{at}");
        }
    }
}

/// A growth that unwinds leaves a cache that works, and the next one goes on with it.
#[test]
fn c111_a_growth_that_unwinds() {
    for lock in 1..8 {
        let builder = Cache::<u32, u32, Boom, _>::builder(Marked::default()).processors(1).hash_seed(3).capacity(90);
        let cache = builder.build().expect("valid");
        (0..90).for_each(|key| _ = cache.insert(key, key));
        PANICS.set(lock);
        assert!(catch_unwind(AssertUnwindSafe(|| cache.set_capacity(100_000))).is_err());
        assert!(cache.weight() <= 90 && cache.capacity() == 90);
        for key in 0..1000 {
            assert!(cache.insert(key, key).is_some());
            assert_eq!(cache.get_if_present(&key), Some(key));
        }
        assert!((85..=90).contains(&cache.weight()), "{}", cache.weight());
        cache.set_capacity(10);
        assert!(cache.weight() <= 10);
        cache.set_capacity(100_000);
        (0..90_000).for_each(|key| _ = cache.insert(key, key));
        assert_eq!(cache.len(), 90_000, "no room was lost");
    }
}
