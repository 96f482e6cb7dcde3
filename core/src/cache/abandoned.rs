//! A load whose callers have all gone, carried on by the spawner.

use core::{
    convert::Infallible,
    future::Future,
    hash::BuildHasher,
    pin::Pin,
    task::{Context, Poll},
};

use alloc::sync::Arc;

use super::{
    inner::Inner,
    means::{Means, Owned},
    waiter::Waiter,
};
use crate::{Key, Previous, Runtime, Source, flight::Start, policy::Policy};

/// A load that its callers have left, finished in the background.
///
/// Made by a cache with [`Builder::finish_abandoned`](crate::Builder::finish_abandoned) for its runtime's
/// [`Spawn`](crate::Spawn). It is one more waiter: other callers join its load. Dropping it drops the load, unless
/// somebody has joined. A runtime implements `Spawn` for it, mostly by being generic over what is spawned:
///
/// ```
/// use larder::Spawn;
///
/// /// Puts work aside for a thread of its own.
/// struct Queue(std::sync::mpsc::Sender<Box<dyn Future<Output = ()> + Send + Unpin>>);
///
/// impl<F: Future<Output = ()> + Send + Unpin + 'static> Spawn<F> for Queue {
///     fn spawn(&self, future: F) -> Result<(), F> {
///         self.0.send(Box::new(future)).expect("the thread outlives the cache");
///         Ok(())
///     }
/// }
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Abandoned<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    Waiter<K, L, R, P, H, Arc<Inner<K, L, R, P, H>>>,
);

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Abandoned<K, L, R, P, H> {
    pub(super) const fn new(waiter: Waiter<K, L, R, P, H, Arc<Inner<K, L, R, P, H>>>) -> Self {
        Self(waiter)
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Unpin for Abandoned<K, L, R, P, H> {}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Future for Abandoned<K, L, R, P, H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx, None, &mut None::<Infallible>, Waiter::key).map(drop)
    }
}

/// No means at all: the spawner finishes what others began and begins nothing.
impl<K, L: Source<K>> Means<K, L> for Option<Infallible> {
    fn start(&mut self) -> Option<Start<L::Future>> {
        None
    }

    fn start_alone(&mut self, _: &L, _: K, _: Option<Previous<L::Value>>) {}

    fn poll_own(&mut self, _: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        Poll::Pending
    }

    fn drop_own(&mut self) {}
}
