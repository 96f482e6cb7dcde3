//! A few tasks in a row, each polled only when it was woken.

use alloc::{boxed::Box, sync::Arc, task::Wake};
use core::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

/// A future and its waker.
pub struct Task<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    woken: Arc<Woken>,
    waker: Waker,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl<'a> Task<'a> {
    /// Takes in a future that will be polled by [`run`].
    pub fn new(future: impl Future<Output = ()> + 'a) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { future: Some(Box::pin(future)), waker: Waker::from(woken.clone()), woken }
    }
}

/// Polls the tasks that were woken, until all have ended.
pub fn run(tasks: &mut [Task<'_>]) {
    while step(tasks) {
        cortex_m::asm::wfi();
    }
}

/// Polls the tasks that were woken; returns whether any task is left.
pub fn step(tasks: &mut [Task<'_>]) -> bool {
    let mut are_left = false;
    for task in tasks {
        let Some(future) = &mut task.future else { continue };
        are_left = true;
        if task.woken.0.swap(false, Relaxed)
            && let Poll::Ready(()) = future.as_mut().poll(&mut Context::from_waker(&task.waker))
        {
            task.future = None;
        }
    }
    are_left
}
