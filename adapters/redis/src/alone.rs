//! Places for loads that are begun without the second tier, so that the source is not overrun.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    ptr,
    sync::Mutex,
    task::Poll,
    time::Duration,
};

use async_lock::{Semaphore, SemaphoreGuard};
use larder::Instant;

use crate::host::{Host, lock, within};

std::thread_local! {
    /// Whose loads are being polled on this thread, from the outermost to the innermost.
    static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The places of one tier.
#[derive(Debug)]
pub(crate) struct Places {
    free: Semaphore,
    /// How long a load waits for its place before it may be the next to go on without one.
    patience: Duration,
    /// When the next one may.
    next: Mutex<Instant>,
}

impl Places {
    pub(crate) const fn new(loads: usize, patience: Duration) -> Self {
        Self { free: Semaphore::new(loads), patience, next: Mutex::new(Instant::ZERO) }
    }

    /// Loads as soon as there is a place.
    ///
    /// What a load asks of its own cache meanwhile is a part of it and needs no place: with all places taken by loads that
    /// wait for another one, none would ever end. Where that cannot be seen, as such a load waits for one that others have
    /// begun, one goes on without a place from time to time.
    pub(crate) async fn load<T>(&self, host: &dyn Host, load: impl Future<Output = T>) -> T {
        let _place = self.place(host).await;
        let mut load = pin!(load);
        poll_fn(|cx| {
            let _polled = Polled::enter(self.mark());
            load.as_mut().poll(cx)
        })
        .await
    }

    async fn place(&self, host: &dyn Host) -> Option<SemaphoreGuard<'_>> {
        let mut place = pin!(self.free.acquire());
        let mut place = poll_fn(|cx| {
            let is_inside = POLLED.with_borrow(|polled| polled.contains(&self.mark()));
            if is_inside { Poll::Ready(None) } else { place.as_mut().poll(cx).map(Some) }
        });
        let mut end = host.now().saturating_add(self.patience);
        loop {
            if let Some(place) = within(host, end, &mut place).await {
                return place;
            }
            let (now, mut next) = (host.now(), lock(&self.next));
            if *next <= now {
                *next = now.saturating_add(self.patience);
                return None;
            }
            end = *next;
        }
    }

    /// What tells it apart.
    fn mark(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

/// A poll of a load that has a place; it ends also if the load panics.
struct Polled;

impl Polled {
    fn enter(mark: usize) -> Self {
        POLLED.with_borrow_mut(|polled| polled.push(mark));
        Self
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        POLLED.with_borrow_mut(Vec::pop);
    }
}

#[cfg(test)]
mod tests;
