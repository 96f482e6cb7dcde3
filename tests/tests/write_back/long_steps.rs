//! What a call that concerns many entries does under the lock, which other callers wait for.

use core::cell::Cell;
use std::sync::Mutex;

use larder::{
    Clock, Instant, Lock, ManualClock, OneThread, Room, Runtime, Timer, WriteBack,
    parts::{Local, Memory, WakerList, Wakers},
};
use larder_tests::{Duration, memory, wakers};

thread_local! {
    /// How often a lock was taken, and the most bytes that were allocated or given back under one meanwhile.
    static STEPS: Cell<(usize, i64)> = const { Cell::new((0, 0)) };
}

/// A lock that notes what is done under it.
struct Measured<T>(Mutex<T>);

impl<T> Lock<T> for Measured<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let (mut done, mut taken) = (None, 0);
        let kept = memory::growth(|| taken = memory::bytes(|| done = Some(Lock::with(&self.0, f))));
        let taken = i64::try_from(taken).expect("that much is not there");
        let (steps, most) = STEPS.get();
        STEPS.set((steps + 1, most.max(taken).max(taken - kept)));
        done.expect("it was called")
    }
}

/// A runtime of such locks.
struct Measuring(Local<ManualClock>);

impl Clock for Measuring {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Measuring {
    type Sleep = <Local<ManualClock> as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Measuring {
    type Lock<T> = Measured<T>;
    type Notify = WakerList<Measured<Wakers>>;
    type Threads = OneThread;
}

/// A cache of so many entries, all of them dirty since the same time; a flush writes one at once.
fn dirty(entries: u32) -> WriteBack<u32, u32, larder::parts::NotThere, Measuring> {
    let runtime = Measuring(Local::new(ManualClock::new()));
    let builder = WriteBack::builder(runtime, Memory::new()).capacity(entries as usize).flush_limit(1);
    let cache = builder.build().expect("valid");
    for key in 0..entries {
        drop(wakers::now(cache.insert(key, key, Room::Wait)).expect("there is room"));
    }
    cache
}

/// D49, D43: all entries are taken out in one step, and what held them is emptied outside.
#[test]
fn d49_invalidating_many() {
    let cache = dirty(20_000);
    STEPS.set((0, 0));
    wakers::now(cache.invalidate()).expect("nothing is pinned");
    let (_, most) = STEPS.get();
    assert!(most < 10_000, "{most} bytes in one step");
    assert!(cache.is_empty() && cache.dirty() == 0);
}

/// D49: old changes are looked at a few hundred at a time.
#[test]
fn d49_looking_for_old_changes() {
    let steps = [100, 20_000].map(|entries| {
        let cache = dirty(entries);
        STEPS.set((0, 0));
        wakers::now(cache.flush_older_than(Duration::ZERO)).expect("it works");
        let (steps, _) = STEPS.get();
        assert_eq!(cache.dirty(), 0);
        steps
    });
    // Beside the steps that each flush takes.
    let each = (steps[0] - 1) / 100;
    let looks = [steps[0] - 100 * each, steps[1] - 20_000 * each];
    assert!(looks[0] < 10 && looks[1] >= 20_000 / 500, "{looks:?}");
}
