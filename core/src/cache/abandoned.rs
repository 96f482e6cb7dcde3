//! A load whose callers have all gone, carried on by the spawner.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Key, Runtime, Tuning, share::Owned};

/// A load that its callers have left, finished in the background.
///
/// Made by a cache with [`Builder::finish_abandoned`](crate::Builder::finish_abandoned) for its runtime's
/// [`Spawn`](crate::Spawn). It is one more waiter: other callers join its load. Dropping it drops the load, unless
/// another caller has joined. A runtime implements `Spawn` for it, usually by being generic over what is spawned:
///
/// ```
/// use larder::Spawn;
///
/// /// Hands work to a thread.
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
pub struct Abandoned<K: Key, V: Clone, E, R: Runtime, S: Tuning>(pub(super) Owned<K, V, E, R, S>);

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Unpin for Abandoned<K, V, E, R, S> {}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Future for Abandoned<K, V, E, R, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}
