//! What is only told may be some milliseconds late; what decides is exact.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use larder::{
    Cache, Clock, Instant, Loaded, ManualClock, TimeLeft,
    parts::{NoTimer, Std},
};
use larder_tests::{memory, wakers};

const LATE: Duration = Duration::from_millis(4);

/// A clock of which the cheap reading is late.
#[derive(Clone)]
struct Late {
    clock: ManualClock,
    exact: std::sync::Arc<AtomicU32>,
}

impl Late {
    fn new() -> Self {
        let clock = ManualClock::new();
        clock.advance(Duration::from_secs(1));
        Self { clock, exact: Default::default() }
    }

    fn exact_readings(&self) -> u32 {
        self.exact.swap(0, Ordering::Relaxed)
    }
}

impl Clock for Late {
    fn now(&self) -> Instant {
        self.exact.fetch_add(1, Ordering::Relaxed);
        self.clock.now()
    }

    fn about_now(&self) -> Option<Instant> {
        Some(Instant::from_nanos(self.clock.now().as_nanos() - LATE.as_nanos() as u64))
    }
}

fn cache(clock: &Late, ttl: Option<Duration>) -> Cache<u32, u32, (), Std<NoTimer<Late>>> {
    let load = |key: u32| async move {
        // An odd key's value ends before the cheap reading notices that it has come.
        let loaded = Loaded::new(key);
        Ok(if key % 2 == 1 { loaded.ttl(LATE / 2) } else { loaded })
    };
    let mut builder = Cache::builder(Std::new(NoTimer::new(clock.clone()))).loaded_fn(load);
    if let Some(ttl) = ttl {
        builder = builder.ttl(ttl);
    }
    builder.build().expect("a valid configuration")
}

/// Where nothing expires, a miss and an insertion read the exact clock never. (P11)
#[test]
fn the_exact_time_is_not_needed_where_nothing_expires() {
    let clock = Late::new();
    let cache = cache(&clock, None);
    clock.exact_readings();
    assert_eq!(wakers::now(cache.get(&2)).ok(), Some(2));
    assert!(cache.insert(4, 4).is_some());
    assert_eq!(clock.exact_readings(), 0);
    for key in [2, 4] {
        let age = cache.peek(&key).map(|found| found.age());
        assert_eq!(age, Some(LATE), "it is told as too high by as much as the reading is late");
    }
}

/// A load that is not ready at once is measured exactly.
#[test]
fn a_load_that_takes_time_is_told_as_it_was() {
    let clock = Late::new();
    let builder = Cache::builder(Std::new(NoTimer::new(clock.clone())));
    let cache = builder.load_fn(|key: u32| async move {
        futures_lite::future::yield_now().await;
        Ok::<_, ()>(key)
    });
    let cache = cache.build().expect("a valid configuration");
    let mut get = cache.get(&2);
    assert!(wakers::poll_once(&mut get).is_pending());
    clock.clock.advance(Duration::from_micros(300));
    assert_eq!(wakers::now(get).ok(), Some(2));
    assert_eq!(cache.stats().load_time, Duration::from_micros(300));
}

/// A value that ends gets its whole life, in a cache in which nothing has ended before, too.
#[test]
fn a_life_is_exact_whoever_gives_it() {
    for insert in [false, true] {
        let clock = Late::new();
        let cache = cache(&clock, None);
        if insert {
            assert!(cache.insert_with(1, Loaded::new(1).ttl(LATE / 2)).is_some());
        } else {
            assert_eq!(wakers::now(cache.get(&1)).ok(), Some(1));
        }
        assert_eq!(cache.peek(&1).map(|found| found.time_left()), Some(TimeLeft::For(LATE / 2)));
        clock.clock.advance(LATE / 2 - Duration::from_nanos(1));
        assert_eq!(cache.get_if_present(&1), Some(1));
        clock.clock.advance(Duration::from_nanos(1));
        assert_eq!(cache.get_if_present(&1), None);
    }
}

#[test]
fn where_the_cache_has_a_lifetime_all_times_are_exact() {
    let clock = Late::new();
    let cache = cache(&clock, Some(LATE));
    assert_eq!(wakers::now(cache.get(&2)).ok(), Some(2));
    assert!(cache.insert(4, 4).is_some());
    for key in [2, 4] {
        let found = cache.peek(&key).expect("it is there");
        assert_eq!((found.age(), found.time_left()), (Duration::ZERO, TimeLeft::For(LATE)));
    }
}

/// A value that ends among many that do not is not served beyond its end, and neither is one that others came after.
#[test]
fn the_first_to_end_is_noticed_among_all() {
    let clock = Late::new();
    let cache = cache(&clock, None);
    (10..200).for_each(|key| _ = cache.insert(2 * key, key));
    for key in 0..8 {
        let ttl = Duration::from_millis(10 * (8 - u64::from(key)));
        assert!(cache.insert_with(key, Loaded::new(key).ttl(ttl)).is_some());
    }
    for gone in 0..8 {
        let is_there = |key: u32| cache.get_if_present(&key).is_some();
        assert_eq!((0..8).filter(|key| is_there(*key)).count(), 8 - gone);
        assert!((10..200).all(|key| is_there(2 * key)));
        clock.clock.advance(Duration::from_millis(10));
    }
}

/// What comes in place of what has left takes no memory, with whatever is known of values. (P14)
#[test]
fn values_that_come_and_go_take_no_memory() {
    type Plain = Cache<u32, u32, (), Std<ManualClock>>;
    let of = |idle: bool, ttl: bool, weight: u64| {
        let builder = Plain::builder(Std::new(ManualClock::new())).capacity(10_000).shards(1);
        let builder = if idle { builder.time_to_idle(LATE) } else { builder };
        let cache = if ttl { builder.ttl(LATE) } else { builder }.build().expect("valid");
        let put = |key: u32| _ = cache.insert_with(key, Loaded::new(key).weight(weight));
        (0..1_000).for_each(put);
        let come_and_go = |from: u32| {
            (from..from + 1_000).for_each(|key| {
                cache.remove(&(key % 1_000));
                put(key % 1_000);
            });
        };
        come_and_go(0);
        memory::allocations(|| come_and_go(500))
    };
    for (idle, ttl, weight) in
        [(false, false, 1), (true, false, 1), (false, true, 1), (false, false, 3), (true, true, 2)]
    {
        assert_eq!(of(idle, ttl, weight), 0, "{idle} {ttl} {weight}");
    }
}

/// A failure is kept as long as it says, in a cache in which nothing has ended before, too. (D108)
#[test]
fn a_kept_failure_is_exact() {
    let clock = Late::new();
    let calls = std::sync::Arc::new(AtomicU32::new(0));
    let counts = calls.clone();
    let load = move |_: u32| {
        counts.fetch_add(1, Ordering::Relaxed);
        async { Err::<u32, _>("down") }
    };
    let builder = Cache::builder(Std::new(NoTimer::new(clock.clone()))).load_fn(load);
    let cache = builder.error_ttl_by(|_: &&str| Some(LATE / 2)).build().expect("a valid configuration");
    for _ in 0..2 {
        assert!(wakers::now(cache.get(&1)).is_err());
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    clock.clock.advance(LATE / 2);
    assert!(wakers::now(cache.get(&1)).is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}
