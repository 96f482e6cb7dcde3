use core::{panic::AssertUnwindSafe, task::Waker};
use std::panic::{catch_unwind, panic_any};

use super::*;

/// Wakes no task, and panics if it is told to.
#[derive(Default)]
struct Panicking;

impl Notify for Panicking {
    type Listener = ();

    fn listen(&self, (): &mut (), _: &Waker) -> Option<Waker> {
        None
    }

    fn withdraw(&self, (): &mut ()) -> Option<Waker> {
        None
    }

    fn notify_all(&self) {
        panic_any(7_u32);
    }
}

fn touch(bell: &Bell<Panicking>, what: Touched) {
    Watch::touched(bell, what);
}

/// D29: a change is visible although no watcher could be woken for it.
#[test]
fn a_change_counts_though_its_notification_panics() {
    let bell = Bell::<Panicking>(Arc::new(Chime::new()));
    let chime = Arc::clone(&bell.0);
    for (what, all, changes) in [(Touched::Value, 1, 1), (Touched::Deadline, 2, 1), (Touched::Value, 3, 2)] {
        let panic = catch_unwind(AssertUnwindSafe(|| touch(&bell, what)));
        assert_eq!(panic.expect_err("it goes out").downcast_ref::<u32>(), Some(&7));
        assert_eq!((chime.count(true), chime.count(false)), (all, changes));
    }
    let panic = catch_unwind(AssertUnwindSafe(|| drop(bell)));
    assert!(panic.is_err() && chime.is_over.load(Ordering::SeqCst));
}

/// A second panic during an unwinding would abort the process.
#[test]
fn the_end_of_a_slot_does_not_panic_within_a_panic() {
    let bell = Bell::<Panicking>(Arc::new(Chime::new()));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _bell = bell;
        panic_any(1_u32);
    }));
    assert_eq!(panic.expect_err("the first").downcast_ref::<u32>(), Some(&1));
}

/// The counters wrap.
#[test]
fn the_counters_wrap() {
    let bell = Bell::<crate::parts::WakerList<std::sync::Mutex<crate::parts::Wakers>>>(Arc::new(Chime::new()));
    bell.0.changes.store(usize::MAX, Ordering::SeqCst);
    bell.0.moves.store(1, Ordering::SeqCst);
    assert_eq!((bell.0.count(false), bell.0.count(true)), (usize::MAX, 0));
    Watch::touched(&bell, Touched::Value);
    assert_eq!((bell.0.count(false), bell.0.count(true)), (0, 1));
}
