//! A few tasks in a row, each polled only after it was woken: a wake-up that gets lost shows as a task that stays.

use alloc::boxed::Box;
use core::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use critical_section::Mutex;
use portable_atomic::{AtomicBool, Ordering};
use portable_atomic_util::{Arc, task::Wake};

/// Is called when a task is woken, by whatever wakes it.
static HOOK: Mutex<Cell<Option<fn()>>> = Mutex::new(Cell::new(None));

/// Has the machine call this when a task is woken, where it does not look by itself.
pub fn on_wake(hook: fn()) {
    critical_section::with(|cs| HOOK.borrow(cs).set(Some(hook)));
}

/// A future, its waker and, once it has ended, its output.
pub struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    woken: Arc<Woken>,
    waker: Waker,
    output: Option<T>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(this: Arc<Self>) {
        Self::wake_by_ref(&this);
    }

    fn wake_by_ref(this: &Arc<Self>) {
        this.0.store(true, Ordering::Release);
        if let Some(hook) = critical_section::with(|cs| HOOK.borrow(cs).get()) {
            hook();
        }
    }
}

impl<'a, T> Task<'a, T> {
    /// Takes in a future that will be polled at the next [`step`].
    pub fn new(future: impl Future<Output = T> + 'a) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        Self { future: Some(Box::pin(future)), woken, waker, output: None }
    }

    /// Polls the future if it was woken since.
    pub fn step(&mut self) {
        let Some(future) = &mut self.future else { return };
        if !self.woken.0.swap(false, Ordering::Acquire) {
            return;
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            self.output = Some(output);
            self.future = None;
        }
    }

    /// Tells whether the future has ended.
    pub const fn has_ended(&self) -> bool {
        self.output.is_some()
    }

    /// Takes the output, once the future has ended.
    pub const fn output(&mut self) -> Option<T> {
        self.output.take()
    }
}

/// Polls those tasks that were woken, once; tells whether all have ended.
pub fn step<T>(tasks: &mut [Task<'_, T>]) -> bool {
    tasks.iter_mut().for_each(Task::step);
    tasks.iter().all(Task::has_ended)
}

/// Waits until all tasks have ended.
pub async fn all<T>(tasks: &mut [Task<'_, T>]) {
    poll_fn(|_| if step(tasks) { Poll::Ready(()) } else { Poll::Pending }).await;
}
