//! The runtime, its type erased, and waits with an end.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use larder::{Instant, ManyThreads, Runtime, Spawn};

/// What is run in the background: the task that keeps the connection.
///
/// Named in the bounds of what [`TierBuilder`](crate::TierBuilder) attaches a tier to; every adapter's runtime spawns it.
pub type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A runtime that a tier can run on: one for threads that spawns.
///
/// Every such runtime is one: `larder_tokio::Tokio`, `larder_smol::Smol`, and their coarse ones. All but tokio need this
/// crate's feature `smol`; without it a tier is refused there. Public only to be named in bounds.
#[diagnostic::on_unimplemented(
    message = "a second tier cannot run on `{Self}`",
    note = "take a runtime for threads that can spawn, such as `larder_tokio::Tokio` or `larder_smol::Smol`"
)]
pub trait TierRuntime:
    Runtime<Threads = ManyThreads, Sleep: Send + 'static> + Spawn<Background> + Clone + Send + Sync + 'static
{
}

impl<R> TierRuntime for R where
    R: Runtime<Threads = ManyThreads, Sleep: Send + 'static> + Spawn<Background> + Clone + Send + Sync + 'static
{
}

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A runtime, as the tier uses it.
pub(crate) trait Host: Send + Sync {
    fn now(&self) -> Instant;
    fn sleep_until(&self, deadline: Instant) -> Background;
    /// Returns whether there was a runtime to run it.
    fn spawn(&self, task: Background) -> bool;
}

/// Any runtime for threads that spawns.
pub(crate) struct Of<R>(pub(crate) R);

impl<R: TierRuntime> Host for Of<R> {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Background {
        Box::pin(self.0.sleep_until(deadline))
    }

    fn spawn(&self, task: Background) -> bool {
        self.0.spawn(task).is_ok()
    }
}

/// Waits for `future`, until `end` at most.
pub(crate) async fn within<T>(host: &dyn Host, end: Instant, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut sleep) = (pin!(future), host.sleep_until(end));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Waits for whichever ends first, and drops the other.
pub(crate) async fn first(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| if one.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { other.as_mut().poll(cx) }).await;
}

/// Locks; a panic elsewhere has left nothing half done, since nothing that can panic runs under these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
