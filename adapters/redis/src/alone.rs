//! Places for loads that are begun without the second tier, so that the source is not overrun.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    ptr,
    task::Poll,
};

use async_lock::{Semaphore, SemaphoreGuard};

std::thread_local! {
    /// Whose loads are being polled on this thread, from the outermost to the innermost.
    static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The places of one tier.
#[derive(Debug)]
pub(crate) struct Places(Semaphore);

impl Places {
    pub(crate) const fn new(loads: usize) -> Self {
        Self(Semaphore::new(loads))
    }

    /// Loads as soon as there is a place.
    ///
    /// What a load asks of its own cache meanwhile is a part of it and needs no place: with all places taken by loads that
    /// wait for another one, none would ever end.
    pub(crate) async fn load<T>(&self, load: impl Future<Output = T>) -> T {
        let _place = self.place().await;
        let mut load = pin!(load);
        poll_fn(|cx| {
            let _polled = Polled::enter(self.mark());
            load.as_mut().poll(cx)
        })
        .await
    }

    async fn place(&self) -> Option<SemaphoreGuard<'_>> {
        let mut place = pin!(self.0.acquire());
        poll_fn(|cx| {
            let is_inside = POLLED.with_borrow(|polled| polled.contains(&self.mark()));
            if is_inside { Poll::Ready(None) } else { place.as_mut().poll(cx).map(Some) }
        })
        .await
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
