//! A runtime that spawns, in virtual time.

use core::cell::RefCell;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::{Pin, pin};
use core::task::Context;

use alloc::rc::Rc;

use larder::{
    Clock, Instant, Runtime, Spawn, Timer,
    parts::{Local, ManualClock},
};

use crate::queue::Queue;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A runtime on one thread, of the parts `P`, whose spawned tasks wait until the test polls them.
pub struct Spawning<P = Local<ManualClock>> {
    clock: ManualClock,
    tasks: Rc<RefCell<Vec<Task>>>,
    parts: PhantomData<P>,
}

impl<P> Clone for Spawning<P> {
    fn clone(&self) -> Self {
        Self { clock: self.clock.clone(), tasks: Rc::clone(&self.tasks), parts: PhantomData }
    }
}

impl<P> Spawning<P> {
    /// A spawning runtime that follows `clock`.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, tasks: Rc::default(), parts: PhantomData }
    }

    /// The tasks spawned since the last call.
    pub fn take(&self) -> Vec<Task> {
        self.tasks.take()
    }

    /// Runs `root` to its end, together with all spawned tasks.
    ///
    /// Woken tasks are polled, those woken first come first. If no task is awake, time advances to the next deadline.
    pub fn run(&self, root: impl Future<Output = ()>) {
        let queue = Queue::default();
        let wakeful = |number| {
            let task = queue.task(number);
            task.waker().wake_by_ref();
            task
        };
        let (mut root, root_task, mut tasks) = (pin!(root), wakeful(0), Vec::new());
        loop {
            for future in self.take() {
                tasks.push((wakeful(tasks.len() + 1), Some(future)));
            }
            match queue.pop() {
                Some(0) => {
                    if root.as_mut().poll(&mut Context::from_waker(root_task.waker())).is_ready() {
                        break;
                    }
                }
                Some(number) => {
                    let (task, future) = &mut tasks[number - 1];
                    let mut context = Context::from_waker(task.waker());
                    if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut context).is_ready()) {
                        *future = None;
                    }
                }
                None => {
                    let comes = |next: &Instant| *next != Instant::NEVER && *next > self.clock.now();
                    let next = self.clock.next_deadline().filter(comes);
                    self.clock.set(next.expect("a task waits for a deadline"));
                }
            }
        }
        queue.clear();
    }
}

impl<P> Clock for Spawning<P> {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl<P> Timer for Spawning<P> {
    type Sleep = <ManualClock as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.clock.sleep_until(deadline)
    }
}

impl<P: Runtime> Runtime for Spawning<P> {
    type Lock<T> = P::Lock<T>;
    type Notify = P::Notify;
    type Threads = P::Threads;
}

impl<P, F: Future<Output = ()> + 'static> Spawn<F> for Spawning<P> {
    fn spawn(&self, future: F) -> Result<(), F> {
        self.tasks.borrow_mut().push(Box::pin(future));
        Ok(())
    }
}
