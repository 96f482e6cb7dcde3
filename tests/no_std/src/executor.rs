//! A few tasks in a row, each polled only after it was woken: a wake-up that gets lost shows as a task that stays.

use alloc::{boxed::Box, sync::Arc, task::Wake};
use core::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
};

/// A future, its waker and, once it has ended, its output.
pub struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    woken: Arc<Woken>,
    waker: Waker,
    output: Option<T>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl<'a, T> Task<'a, T> {
    /// Takes in a future that will be polled at the next [`run`].
    pub fn new(future: impl Future<Output = T> + 'a) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        Self { future: Some(Box::pin(future)), woken, waker, output: None }
    }

    /// Polls the future if it was woken since; tells whether it did.
    fn step(&mut self) -> bool {
        let Some(future) = &mut self.future else { return false };
        if !self.woken.0.swap(false, Ordering::Acquire) {
            return false;
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            self.output = Some(output);
            self.future = None;
        }
        true
    }

    /// Tells whether the future has ended.
    pub const fn ended(&self) -> bool {
        self.output.is_some()
    }

    /// Takes the output, once the future has ended.
    pub fn output(self) -> Option<T> {
        self.output
    }
}

/// Polls woken tasks until all are idle.
pub fn run<T>(tasks: &mut [Task<'_, T>]) {
    while tasks.iter_mut().fold(false, |stepped, task| task.step() | stepped) {}
}

/// Runs one future that needs no other task; `None` if it is left waiting.
pub fn finish<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut task = Task::new(future);
    run(core::slice::from_mut(&mut task));
    task.output()
}
