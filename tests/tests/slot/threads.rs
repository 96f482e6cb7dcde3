//! Threads that block for a slot's value.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use larder::{
    Cause, LazySlot, LoadError, Loaded, LookupOptions, ManualClock, OnTimeout, Status, Ttl,
    parts::{Std, ThreadTimer, block_on},
};
use larder_tests::*;

type Shared = LazySlot<u32, u32, Std<ThreadTimer>>;

/// A gate that may be opened from another thread.
#[derive(Clone, Default)]
struct Door(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Door {
    /// Waits until it is open.
    fn pass(&self) -> impl Future<Output = ()> + Send + use<> {
        let door = self.clone();
        core::future::poll_fn(move |context| {
            let (is_open, waker) = &*door.0;
            *waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
            if is_open.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn open(&self) {
        let (is_open, waker) = &*self.0;
        is_open.store(true, Ordering::SeqCst);
        let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }
}

/// A slot whose fetch waits at the gate.
fn behind(door: &Door, fetches: &Arc<AtomicUsize>) -> Shared {
    let (door, fetches) = (door.clone(), fetches.clone());
    let fetch = move |_| {
        let number = fetches.fetch_add(1, Ordering::SeqCst) as u32;
        let pass = door.pass();
        async move {
            pass.await;
            Ok(Loaded::new(number))
        }
    };
    LazySlot::builder(Std::new(ThreadTimer::new())).fetch_fn(fetch).build().expect("valid")
}

/// Yields until this holds.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

/// Eight threads, one fetch, whichever thread drives it. (P1)
#[test]
fn threads_share_a_fetch() {
    let (door, fetches) = (Door::default(), Arc::default());
    let slot = behind(&door, &fetches);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| slot.get_blocking())).collect();
        until(|| slot.stats().waiters == 8);
        door.open();
        assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|value| matches!(value, Ok(0)))));
    });
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    assert_eq!((slot.stats().misses, slot.stats().joined), (1, 7));
    assert_clean(&slot.stats());
}

/// A thread whose lock timeout passes leaves, by its own timer. The others get the value. (P7)
#[test]
fn a_thread_waits_with_a_lock_timeout() {
    let (door, fetches) = (Door::default(), Arc::default());
    let slot = behind(&door, &fetches);
    thread::scope(|scope| {
        let patient = scope.spawn(|| slot.get_blocking());
        until(|| slot.stats().waiters == 1);
        let options = LookupOptions::new().lock_timeout(ms(1), OnTimeout::Fail);
        assert!(matches!(slot.lookup_blocking(options), Err(LoadError::LockTimeout)));
        assert_eq!(slot.stats().timeouts, 1);
        // The leading thread is bounded as well, and leaves the fetch to the others.
        door.open();
        assert!(patient.join().is_ok_and(|value| matches!(value, Ok(0))));
    });
    assert_clean(&slot.stats());
}

/// With a refresh that stalls, it gets the old value at its timeout.
#[test]
fn a_thread_that_refreshes_has_the_old_value_in_time() {
    let slot = behind(&Door::default(), &Arc::default());
    slot.set_with(Loaded::new(7).ttl(Ttl::ExpiresAtOnce));
    let found = slot.lookup_blocking(LookupOptions::new().lock_timeout(ms(1), OnTimeout::Stale));
    assert!(found.is_ok_and(|found| *found.value() == 7 && found.status().stale().is_some()));
    assert_clean(&slot.stats());
}

/// A value that is set ends the wait of all threads. (P8)
#[test]
fn set_ends_the_wait_of_all() {
    let slot = behind(&Door::default(), &Arc::default());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| slot.get_blocking())).collect();
        until(|| slot.stats().waiters == 4);
        slot.set(9);
        assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|value| matches!(value, Ok(9)))));
    });
    assert_clean(&slot.stats());
}

/// A slot whose fetch asks it, on the thread that polls the fetch, once the gate is open.
fn asking(door: &Door, clock: &ManualClock) -> (LazySlot<u32, u32, Std<ManualClock>>, impl FnOnce() + use<>) {
    type Kept = Arc<Mutex<Option<LazySlot<u32, u32, Std<ManualClock>>>>>;
    let (kept, door) = (Kept::default(), door.clone());
    let inside = kept.clone();
    let fetch = move |_| {
        let (pass, inside) = (door.pass(), inside.clone());
        async move {
            pass.await;
            let slot =
                inside.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("set before the first call");
            match slot.get_blocking() {
                Ok(value) => Ok(Loaded::new(value + 10)),
                Err(LoadError::Reentrant) => Err(82),
                Err(_) => Err(1),
            }
        }
    };
    let slot = LazySlot::builder(Std::new(clock.clone())).fetch_fn(fetch).build().expect("valid");
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(slot.clone());
    (slot, move || drop(kept.lock().unwrap_or_else(PoisonError::into_inner).take()))
}

/// D66, C82: a fetch that blocks for its own slot gets an error, even if other threads wait for it. (P3)
#[test]
fn c82_a_fetch_that_blocks_for_its_own_slot() {
    for threads in 1..4 {
        let (door, clock) = (Door::default(), ManualClock::new());
        let (slot, forget) = asking(&door, &clock);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| slot.get_blocking())).collect();
            until(|| slot.stats().waiters == threads.len() as u64);
            door.open();
            for thread in threads {
                let told = thread.join().expect("no panic");
                assert_eq!(told.expect_err("there is no value").error(), Some(&82));
            }
        });
        assert_clean(&slot.stats());
        forget();
    }
}

/// D66: also if its caller was alone when the fetch was last polled, and is joined while it runs. (P3)
#[test]
fn c82_a_fetch_that_is_joined_while_it_runs() {
    let slot = LazySlot::<u32, u32, _>::builder(Std::new(ManualClock::new())).build().expect("valid");
    let (inside, own) = (slot.clone(), slot.clone());
    let joined = Arc::new(Mutex::new(None));
    let keep = joined.clone();
    let fetch = move |_| async move {
        // Another caller joins, as from another thread.
        let other = inside.clone();
        let mut joins = Box::pin(async move { other.get_or_fetch(|_| async { Ok(99) }).await });
        assert!(wakers::poll_once(&mut joins).is_pending());
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(joins);
        match block_on(inside.get_or_fetch(|_| async { Ok(99) })) {
            Ok(value) => Ok(value),
            Err(LoadError::Reentrant) => Err(82),
            Err(_) => Err(1),
        }
    };
    let told = block_on(own.get_or_fetch(fetch));
    assert_eq!(told.expect_err("there is no value").error(), Some(&82));
    let mut joined = joined.lock().unwrap_or_else(PoisonError::into_inner).take().expect("it waits");
    assert!(matches!(wakers::poll_once(&mut joined), Poll::Ready(Err(error)) if error.error() == Some(&82)));
    drop(joined);
    assert_clean(&slot.stats());
}

/// D67: with a value it gets that.
#[test]
fn c82_a_refresh_that_blocks_for_its_own_slot() {
    let (door, clock) = (Door::default(), ManualClock::new());
    let (slot, forget) = asking(&door, &clock);
    door.open();
    slot.set_with(Loaded::new(7).ttl(Ttl::ExpiresAtOnce));
    assert!(slot.get_blocking().is_ok_and(|value| value == 17));
    assert_clean(&slot.stats());
    forget();
}

/// A closure that fetches by blocking: threads share it, and a call from inside gets an error.
#[test]
fn threads_share_a_blocking_fetch() {
    let slot = LazySlot::<u32, u32, _>::builder(Std::new(ThreadTimer::new())).build().expect("valid");
    let (is_open, fetches) = (AtomicBool::new(false), AtomicUsize::new(0));
    let fetch = |slot: &LazySlot<u32, u32, Std<ThreadTimer>>| {
        slot.lookup_blocking_with(LookupOptions::new(), |_| {
            fetches.fetch_add(1, Ordering::SeqCst);
            let inside = slot.lookup_blocking_with(LookupOptions::new(), |_| Ok(99));
            assert!(matches!(inside, Err(LoadError::Reentrant)));
            until(|| is_open.load(Ordering::SeqCst));
            Ok(7)
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| fetch(&slot))).collect();
        until(|| slot.stats().waiters == 4);
        is_open.store(true, Ordering::SeqCst);
        let statuses = threads.into_iter().map(|thread| {
            let found = thread.join().expect("no panic").expect("it is fetched");
            (*found.value(), found.status() == Status::Miss)
        });
        let mut found: Vec<_> = statuses.collect();
        found.sort_unstable();
        assert_eq!(found, [(7, false), (7, false), (7, false), (7, true)]);
    });
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    // It gets the old value, and a call from inside gets that, too.
    slot.expire();
    let found = slot.lookup_blocking_with(LookupOptions::new(), |old| {
        let inside = slot.lookup_blocking_with(LookupOptions::new(), |_| Ok(99));
        assert!(inside.is_ok_and(|found| *found.value() == 7 && found.status().stale().is_some()));
        old.map(|old| old.value() + 1).ok_or(1)
    });
    assert!(found.is_ok_and(|found| *found.value() == 8));
    assert_clean(&slot.stats());
}

/// A blocking fetch that panics unwinds through its thread; the others get an error, the next one fetches. (P5)
#[test]
fn a_blocking_fetch_panics() {
    let slot = LazySlot::<u32, u32, _>::builder(Std::new(ThreadTimer::new())).build().expect("valid");
    let is_open = AtomicBool::new(false);
    run(|| {});
    thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let blocks = || {
                slot.lookup_blocking_with(LookupOptions::new(), |_| -> Result<u32, u32> {
                    until(|| is_open.load(Ordering::SeqCst));
                    std::panic::panic_any(Bang(1));
                })
            };
            catch_unwind(AssertUnwindSafe(blocks)).map(drop)
        });
        until(|| slot.stats().waiters == 1);
        let told: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| slot.lookup_blocking_with(LookupOptions::new(), |_| Ok(2)).map(drop)))
            .collect();
        until(|| slot.stats().waiters == 4);
        is_open.store(true, Ordering::SeqCst);
        assert!(panics.join().is_ok_and(|unwound| unwound.is_err_and(|panic| panic.is::<Bang>())));
        for thread in told {
            let failed = thread.join().expect("no panic").expect_err("it panicked");
            assert!(matches!(failed.failure().map(larder::Failure::cause), Some(Cause::Panicked)));
        }
    });
    assert_eq!(slot.failures(), 1);
    let next = slot.lookup_blocking_with(LookupOptions::new(), |_| Ok(3));
    assert!(next.is_ok_and(|found| *found.value() == 3));
    assert_clean(&slot.stats());
}

/// With a clock that is moved by hand, a thread's wait ends when another thread moves the clock. (P11)
#[test]
fn threads_and_a_manual_clock() {
    let clock = ManualClock::new();
    let slot = LazySlot::builder(Std::new(clock.clone()))
        .fetch_fn(|_| core::future::pending::<Result<Loaded<u32>, u32>>())
        .lock_timeout(ms(100), OnTimeout::Fail)
        .build()
        .expect("valid");
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| slot.get_blocking())).collect();
        until(|| slot.stats().waiters == 4);
        until(|| clock.next_deadline().is_some());
        while slot.stats().waiters > 0 {
            clock.advance(ms(100));
            thread::yield_now();
        }
        assert!(threads.into_iter().all(|thread| matches!(thread.join(), Ok(Err(LoadError::LockTimeout)))));
    });
    assert_clean(&slot.stats());
}

/// Threads that set, drop, expire and ask at random: one value at a time, and the sums hold.
#[test]
fn a_storm_of_threads() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let door = Door::default();
    door.open();
    let slot = behind(&door, &fetches);
    thread::scope(|scope| {
        for seed in 0..4 {
            let slot = &slot;
            scope.spawn(move || {
                let mut random = Random::new(seed);
                for n in 0..2000 {
                    match random.below(8) {
                        0 => _ = slot.set(n),
                        1 => _ = slot.invalidate(),
                        2 => _ = slot.expire(),
                        3 => assert!(block_on(slot.refresh()).is_ok()),
                        4 => {
                            let generation = slot.peek().and_then(|found| found.generation());
                            generation.into_iter().for_each(|generation| _ = slot.invalidate_if(generation));
                        }
                        5 => {
                            let found = wakers::poll_once(&mut slot.get_stale());
                            assert!(!matches!(found, Poll::Ready(Err(_))), "{found:?}");
                        }
                        _ => assert!(slot.get_blocking().is_ok()),
                    }
                }
            });
        }
    });
    let stats = slot.stats();
    assert_clean(&stats);
    assert_eq!(stats.loads_begun, fetches.load(Ordering::SeqCst) as u64);
    assert_eq!((stats.errors, slot.failures()), (0, 0));
}
