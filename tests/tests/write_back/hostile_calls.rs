//! Values and wakers that call the cache. (P13)
use super::*;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::hostile::{CAPACITY, Hostile, Key, PARTING, Spot, TRAP, Value, hostile, wakers_run};

on_every_runtime! {
    values_that_call_the_cache_when_they_go
    values_that_call_the_cache_when_a_key_panics
    wakers_that_call_the_cache_when_a_key_panics
}

/// While it lives, each value that is dropped calls the cache.
struct Partings;

impl Partings {
    fn new<R: Host>(pages: &Hostile<R>) -> Self {
        let pages = pages.clone();
        PARTING.set(Some(Box::new(move || {
            // Both calls take the lock; neither may find it taken.
            drop(pages.try_get(&Key(1)));
            let _ = pages.len();
        })));
        Self
    }
}

impl Drop for Partings {
    fn drop(&mut self) {
        PARTING.take();
    }
}

/// C83. (P13)
fn values_that_call_the_cache_when_they_go<R: Host>() {
    let sim = Sim::new();
    let pages = hostile::<R>(&sim);
    let partings = Partings::new(&pages);
    for key in 0..10 {
        let handle = wakers_run(pages.get_or_load(&Key(key))).expect("there is room");
        handle.set(Value(7));
        handle.update(|value| value.0 += 1).expect("no other caller changes it");
    }
    wakers_run(pages.insert(Key(9), Value(1), Room::Wait)).expect("it is not pinned");
    wakers_run(pages.insert(Key(11), Value(1), Room::Wait)).expect("there is room");
    wakers_run(pages.remove(&Key(11))).expect("it is not pinned");
    wakers_run(pages.flush()).expect("it works");
    wakers_run(pages.get_or_load(&Key(30))).expect("there is room").set(Value(3));
    let pinned = wakers_run(pages.get_or_load(&Key(30))).expect("it is there");
    assert!(wakers_run(pages.insert(Key(30), Value(1), Room::Wait)).is_err());
    drop(pinned);
    wakers_run(pages.invalidate()).expect("nothing is pinned");
    drop(partings);
}

/// D44: a value that is about to be stored is not dropped under the lock, even if a key panics.
fn values_that_call_the_cache_when_a_key_panics<R: Host>() {
    for after in 0..60 {
        let sim = Sim::new();
        let pages = hostile::<R>(&sim);
        let partings = Partings::new(&pages);
        for key in 0..CAPACITY {
            drop(wakers_run(pages.get_or_load(&Key(key))).expect("there is room"));
        }
        for spot in [Spot::Eq, Spot::CloneKey] {
            TRAP.set(Some((spot, after)));
            let load = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.get_or_load(&Key(40))))));
            let insert =
                catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.insert(Key(42), Value(1), Room::Wait)))));
            let over = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.insert(Key(42), Value(2), Room::Wait)))));
            TRAP.take();
            assert!([load.is_err(), insert.is_err(), over.is_err()].iter().filter(|panicked| **panicked).count() <= 1);
            assert_eq!(pages.pinned(), 0);
        }
        drop(partings);
    }
}

/// D44: nor is a place granted under a lock, or the waker would find it taken.
fn wakers_that_call_the_cache_when_a_key_panics<R: Host>() {
    for after in 0..60 {
        let sim = Sim::new();
        let pages = hostile::<R>(&sim);
        let holders: Vec<_> =
            (0..CAPACITY).map(|key| wakers_run(pages.get_or_load(&Key(key))).expect("there is room")).collect();
        let mut first = Box::pin(pages.get_or_load(&Key(40)));
        assert!(wakers::poll_once(&mut first).is_pending());
        let asks = pages.clone();
        let spot = wakers::on_the_spot(async move {
            drop(asks.get_or_load(&Key(42)).await);
        });
        spot.wake_by_ref();
        drop(holders.into_iter().next());
        TRAP.set(Some((Spot::CloneKey, after)));
        let polled = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(&mut first))));
        let is_over = TRAP.take().is_some();
        drop(first);
        assert_eq!(polled.is_err(), !is_over, "{after}");
        for _ in 0..10 {
            spot.wake_by_ref();
        }
        assert_eq!(pages.pinned(), 0);
    }
}
