//! Flushing what has to be on disk first.

use alloc::vec::Vec;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Unflushed, shared::Shared};
use crate::{Key, Runtime, Threads};

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
        Self { tasks: needed.map(|(other, need)| (*other)(need)).collect(), failed: None }
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
