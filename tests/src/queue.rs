//! The queue of woken callers, in order.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::Waker;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloc::{collections::VecDeque, sync::Arc, task::Wake};

/// The queue of woken callers.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<VecDeque<Arc<Flag>>>>);

/// One caller's waker, and the flag behind it.
pub(crate) struct Task {
    flag: Arc<Flag>,
    waker: Waker,
}

struct Flag {
    queue: Queue,
    number: usize,
    queued: AtomicBool,
    wakes: AtomicUsize,
}

impl Queue {
    pub(crate) fn task(&self, number: usize) -> Task {
        let flag =
            Arc::new(Flag { queue: self.clone(), number, queued: AtomicBool::new(false), wakes: AtomicUsize::new(0) });
        Task { waker: Waker::from(flag.clone()), flag }
    }

    pub(crate) fn pop(&self) -> Option<usize> {
        let flag = self.lock().pop_front()?;
        flag.queued.store(false, Ordering::SeqCst);
        Some(flag.number)
    }

    /// Forgets the woken callers; a waker in its own queue would keep itself alive.
    pub(crate) fn clear(&self) {
        let woken = core::mem::take(&mut *self.lock());
        drop(woken);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Flag>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    pub(crate) const fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(crate) fn wakes(&self) -> usize {
        self.flag.wakes.load(Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        if !self.queued.swap(true, Ordering::SeqCst) {
            self.queue.lock().push_back(self.clone());
        }
    }
}
