//! A runtime, keys and values that count.

use core::cell::RefCell;
use core::hash::{Hash, Hasher};
use std::sync::Mutex;

use larder::{
    Clock, Instant, Lock, ManualClock, OneThread, Runtime, Timer,
    parts::{WakerList, Wakers},
};

use super::{What, note};

/// A runtime on one thread that counts its locks and the readings of its clock.
#[derive(Clone, Debug)]
pub struct Counting(pub(super) ManualClock);

/// A lock that counts.
pub struct Counted<L>(L);

impl<T> Lock<T> for Counted<RefCell<T>> {
    fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        note(What::Locks);
        f(&mut self.0.borrow_mut())
    }
}

impl Lock<Wakers> for Counted<Mutex<Wakers>> {
    fn new(value: Wakers) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Wakers) -> R) -> R {
        note(What::Locks);
        Lock::with(&self.0, f)
    }
}

impl Clock for Counting {
    fn now(&self) -> Instant {
        note(What::Readings);
        self.0.now()
    }
}

impl Timer for Counting {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Counting {
    type Lock<T> = Counted<RefCell<T>>;
    type Notify = WakerList<Counted<Mutex<Wakers>>>;
    type Threads = OneThread;
}

/// A key that counts how often it is hashed, compared and cloned.
#[derive(Debug)]
pub(super) struct Key(pub(super) u32);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        note(What::Hashes);
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        note(What::Comparisons);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Clone for Key {
    fn clone(&self) -> Self {
        note(What::Clones);
        Self(self.0)
    }
}

/// A value that counts how often it is cloned.
#[derive(Debug)]
pub(super) struct Value(pub(super) u32);

impl Clone for Value {
    fn clone(&self) -> Self {
        note(What::Clones);
        Self(self.0)
    }
}
