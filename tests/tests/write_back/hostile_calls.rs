//! Values and wakers that call the cache. (P13)
use super::*;

use core::panic::AssertUnwindSafe;
use larder::{Backend, LocalBoxIo};
use std::panic::catch_unwind;

use super::hostile::{CAPACITY, Hostile, Key, PARTING, Value, hostile, wakers_run};

on_every_runtime! {
    values_that_call_the_cache_when_they_go
    values_that_call_the_cache_when_a_key_panics
    wakers_that_call_the_cache_when_a_key_panics
    d29_the_failure_of_an_outage_goes_last
    d76_a_note_of_a_load_that_waits_for_room_goes_with_it
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
        for spot in ["eq", "clone of a key"] {
            arm(spot, after);
            let load = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.get_or_load(&Key(40))))));
            let insert =
                catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.insert(Key(42), Value(1), Room::Wait)))));
            let over = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(pages.insert(Key(42), Value(2), Room::Wait)))));
            calm();
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
        let key = Key(40);
        let mut first = Box::pin(pages.get_or_load(&key));
        assert!(wakers::poll_once(&mut first).is_pending());
        let asks = pages.clone();
        let spot = wakers::on_the_spot(async move {
            drop(asks.get_or_load(&Key(42)).await);
        });
        spot.wake_by_ref();
        drop(holders.into_iter().next());
        arm("clone of a key", after);
        let polled = catch_unwind(AssertUnwindSafe(|| drop(wakers_run(&mut first))));
        let is_over = calm();
        drop(first);
        assert_eq!(polled.is_err(), !is_over, "{after}");
        for _ in 0..10 {
            spot.wake_by_ref();
        }
        assert_eq!(pages.pinned(), 0);
    }
}

/// An error whose drop calls something.
#[derive(Debug)]
struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        PARTING.take().into_iter().for_each(|parting| parting());
    }
}

/// A disk that fails as long as it is told to, or else takes two polls.
#[derive(Clone, Default)]
struct Failing(Rc<Cell<bool>>);

impl Backend<u32> for Failing {
    type Value = u32;
    type Error = Loud;
    type Load = core::future::Ready<Result<u32, Loud>>;
    type Flush = LocalBoxIo<Result<(), Loud>>;
    type Discard = core::future::Ready<()>;

    fn load(&self, key: u32) -> Self::Load {
        core::future::ready(Ok(key))
    }

    fn flush(&self, _: u32, _: u32) -> Self::Flush {
        let (fails, mut polls) = (self.0.get(), 0);
        Box::pin(core::future::poll_fn(move |_| {
            polls += 1;
            match (fails, polls) {
                (true, _) => Poll::Ready(Err(Loud)),
                (false, 1) => Poll::Pending,
                (false, _) => Poll::Ready(Ok(())),
            }
        }))
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        core::future::ready(())
    }

    fn lost(&self, _: Vec<u32>) {}
}

/// D29: what is remembered of an outage is dropped when the flush that ends it is over and its callers are woken; if
/// that panics, it is the flush of nobody else that has failed. (P5)
fn d29_the_failure_of_an_outage_goes_last<R: Host>() {
    let (sim, disk) = (Sim::new(), Failing::default());
    let pages = WriteBack::builder(R::on(sim.clock()), disk.clone()).capacity(1).build().expect("valid");
    wakers::now(pages.get_or_load(&1)).expect("there is room").set(11);
    disk.0.set(true);
    assert!(wakers::now(pages.get_or_load(&2)).is_err());
    disk.0.set(false);
    let (counter, waker) = wakers::Counting::new();
    let [mut waits, mut drives] = [(); 2].map(|()| pages.flush_key(&1));
    assert!(wakers::poll_with(&mut waits, &waker).is_pending());
    let woken = Rc::new(Cell::new(None));
    let noted = Rc::clone(&woken);
    PARTING.set(Some(Box::new(move || {
        noted.set(Some(counter.wakes()));
        std::panic::panic_any(Bang(6));
    })));
    let unwound = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut drives)));
    assert_eq!((unwound.is_err(), woken.get()), (true, Some(1)));
    assert!(matches!(wakers::poll_once(&mut waits), Poll::Ready(Ok(()))));
    assert_eq!((pages.dirty(), pages.pinned()), (0, 0));
}

/// D76: a load no longer waits for room when its wait has ended, though a key panics then: who joins another load of that
/// key later waits for that.
fn d76_a_note_of_a_load_that_waits_for_room_goes_with_it<R: Host>() {
    for after in 0..400 {
        let mut sim = Sim::new();
        let pages = hostile::<R>(&sim);
        for key in 0..CAPACITY {
            wakers_run(pages.get_or_load(&Key(key))).expect("there is room").set(Value(1));
        }
        let load = |room| {
            let pages = pages.clone();
            async move {
                Answer::Text(pages.get_or_load_with(&Key(8), room).await.map_or_else(|_| "no".into(), |_| "yes".into()))
            }
        };
        arm("eq", after);
        sim.spawn(load(Room::Wait));
        sim.run();
        let is_over = calm();
        wakers_run(pages.flush()).expect("it works");
        wakers_run(pages.remove(&Key(8))).expect("it is not pinned");
        let again = [Room::Wait, Room::Try].map(|room| sim.spawn(load(room)));
        sim.run();
        assert_eq!(again.map(|i| sim.saw(i)), ["0: yes", "0: yes"], "{after}");
        if is_over {
            assert!(after > 2, "keys are hardly ever compared");
            return;
        }
    }
    panic!("keys are compared too often to be tried out");
}
