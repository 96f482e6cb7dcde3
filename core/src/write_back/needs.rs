//! Flushing what has to be on disk first.

use alloc::{sync::Arc, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Flush, FlushError, Unflushed, Upstream, shared::Shared};
use crate::{Key, Runtime, Threads, dirty::Need};

/// The flushes of other caches that have to succeed first.
pub(super) struct Needs<T> {
    tasks: Vec<T>,
    failed: Option<Unflushed>,
}

impl<T: Future<Output = Result<(), Unflushed>> + Unpin> Needs<T> {
    /// Begins to flush what this cache depends on.
    pub(super) fn of<K: Key, V: Clone, E, R>(shared: &Shared<K, V, E, R>) -> Self
    where
        R: Runtime,
        R::Threads: Threads<Task<Result<(), Unflushed>> = T>,
    {
        let needed = shared.needed().into_iter();
        Self { tasks: needed.map(|(other, need)| other.flush(need)).collect(), failed: None }
    }

    /// Ready when all have ended, with the first failure: the others are not given up because of it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unflushed>> {
        let Self { tasks, failed } = self;
        tasks.retain_mut(|task| match Pin::new(task).poll(cx) {
            Poll::Ready(result) => {
                *failed = failed.take().or_else(|| result.err());
                false
            }
            Poll::Pending => true,
        });
        if tasks.is_empty() { Poll::Ready(failed.take().map_or(Ok(()), Err)) } else { Poll::Pending }
    }
}

/// The flush of a cache on behalf of one that depends on it.
///
/// What is always to be flushed before it is flushed as well, though it may have nothing dirty itself: the order holds
/// across it.
pub(super) struct Behalf<K: Key, V: Clone, E, R: Runtime, M> {
    needs: Option<Needs<<R::Threads as Threads>::Task<Result<(), Unflushed>>>>,
    flush: Flush<K, V, E, R>,
    /// Puts the error into words that all caches have in common.
    told: M,
}

impl<K: Key, V: Clone, E, R: Runtime, M> Behalf<K, V, E, R, M> {
    pub(super) fn new(shared: &Arc<Shared<K, V, E, R>>, need: Need, told: M) -> Self {
        let (needs, last) = match need {
            Need::Always if shared.node.is_dirty_within() => (Some(Needs::of(shared)), None),
            Need::Always => (None, None),
            Need::UpTo(last) => (None, Some(last)),
        };
        Self { needs, flush: Flush::up_to(Arc::clone(shared), last), told }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, M> Unpin for Behalf<K, V, E, R, M> {}

impl<K: Key, V: Clone, E, R: Runtime, M> Future for Behalf<K, V, E, R, M>
where
    M: Fn(FlushError<K, E>) -> Unflushed,
{
    type Output = Result<(), Unflushed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(needs) = &mut this.needs {
            let name = &this.flush.shared.settings.name;
            ready!(needs.poll(cx)).map_err(|behind| behind.before(name))?;
            this.needs = None;
        }
        Pin::new(&mut this.flush).poll(cx).map_err(&this.told)
    }
}
