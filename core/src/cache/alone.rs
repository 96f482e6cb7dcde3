//! A load outside any flight: not shared, not stored, only counted.

use alloc::sync::Arc;
use core::{
    hash::BuildHasher,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    inner::Inner,
    means::{Means, Owned},
};
use crate::{Instant, Key, Runtime, Source, Status, policy::Policy, shard::LoadEnd};

/// One load for one caller.
pub(crate) struct Alone<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    inner: &'a Arc<Inner<K, L, R, P, H>>,
    hash: u64,
    status: Status,
    began: Option<Instant>,
    end: LoadEnd,
}

/// What a load alone comes to, its caller's status, and how long it took.
type Ended<V, E> = (Owned<V, E>, Status, Duration);

impl<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Alone<'a, K, L, R, P, H> {
    pub(crate) fn new(inner: &'a Arc<Inner<K, L, R, P, H>>, hash: u64, status: Status) -> Self {
        Self { inner, hash, status, began: None, end: LoadEnd::Dropped }
    }

    pub(crate) fn poll<M: Means<K, L>>(
        &mut self,
        cx: &mut Context<'_>,
        means: &mut M,
    ) -> Poll<Ended<L::Value, L::Error>> {
        let began = *self.began.get_or_insert_with(|| {
            self.inner.with(self.hash, |shard| shard.begin_alone());
            self.inner.runtime.now()
        });
        // Should the load panic, this stays.
        self.end = LoadEnd::Panicked;
        let poll = means.poll_own(cx);
        self.end = match &poll {
            Poll::Pending => LoadEnd::Dropped,
            Poll::Ready(Ok(_)) => LoadEnd::Succeeded,
            Poll::Ready(Err(_)) => LoadEnd::Failed,
        };
        poll.map(|result| (result, self.status, self.inner.runtime.now().saturating_since(began)))
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Drop for Alone<'_, K, L, R, P, H> {
    fn drop(&mut self) {
        let (end, began) = (self.end, self.began.is_some());
        self.inner.with(self.hash, |shard| shard.end_alone(began, end));
    }
}
