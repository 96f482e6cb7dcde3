//! A runtime that spawns, in virtual time.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;

use alloc::rc::Rc;

use larder::{
    Clock, Instant, Runtime, Spawn, Timer,
    parts::{Local, ManualClock},
};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A `RefCell` runtime whose spawned tasks wait until the test takes and polls them.
#[derive(Clone)]
pub struct Spawning {
    clock: ManualClock,
    tasks: Rc<RefCell<Vec<Task>>>,
}

impl Spawning {
    /// A spawning runtime that follows `clock`.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, tasks: Rc::default() }
    }

    /// The tasks spawned since the last call.
    pub fn take(&self) -> Vec<Task> {
        self.tasks.take()
    }
}

impl Clock for Spawning {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl Timer for Spawning {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.clock.sleep_until(deadline)
    }
}

impl Runtime for Spawning {
    type Lock<T> = <Local<ManualClock> as Runtime>::Lock<T>;
    type Notify = <Local<ManualClock> as Runtime>::Notify;
}

impl<F: Future<Output = ()> + 'static> Spawn<F> for Spawning {
    fn spawn(&self, future: F) -> Result<(), F> {
        self.tasks.borrow_mut().push(Box::pin(future));
        Ok(())
    }
}
