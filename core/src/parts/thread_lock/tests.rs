use core::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
};
use std::{
    panic::catch_unwind,
    sync::{Barrier, mpsc},
    thread,
};

use super::*;

/// How often a thread has slept for a lock.
pub(super) static NAPS: AtomicU32 = AtomicU32::new(0);

#[test]
fn threads_take_turns() {
    let (lock, barrier) = (ThreadLock::new((0_u64, 0_u64)), Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..10_000 {
                    lock.with(|(first, second)| {
                        assert_eq!(first, second, "another thread is half done");
                        *first += 1;
                        *second += 1;
                    });
                }
            });
        }
    });
    assert_eq!(lock.with(|both| *both), (40_000, 40_000));
}

/// Beyond spinning and yielding: the holder goes on only once another thread has slept for the lock.
#[test]
fn who_waits_for_long_sleeps_and_gets_it_in_the_end() {
    let lock = ThreadLock::new(0);
    let (holds, held) = mpsc::channel();
    thread::scope(|scope| {
        let lock = &lock;
        scope.spawn(move || {
            lock.with(|value| {
                let before = NAPS.load(Ordering::SeqCst);
                holds.send(()).expect("the test listens");
                while NAPS.load(Ordering::SeqCst) == before {
                    thread::yield_now();
                }
                *value = 7;
            });
        });
        held.recv().expect("it is held");
        assert_eq!(lock.with(|value| *value), 7);
    });
}

#[test]
fn a_panic_leaves_it_free() {
    let lock = ThreadLock::new(1);
    let _panic = catch_unwind(AssertUnwindSafe(|| lock.with(|_| panic!("as a user's `Eq` may"))));
    assert_eq!(lock.with(|value| *value), 1);
}
