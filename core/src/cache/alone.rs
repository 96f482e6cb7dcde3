//! A load outside any flight: not shared, not stored, only counted.

use alloc::sync::Arc;
use core::{
    hash::BuildHasher,
    task::{Context, Poll},
    time::Duration,
};

use super::{inner::Inner, means::Means, visit::End};
use crate::{
    Cause, Failure, Instant, Key, Outcome, Previous, Runtime, Source, Status, TimeLeft, policy::Policy,
    seams::Answered, shard::LoadEnd,
};

/// One load for one caller.
pub(crate) struct Alone<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    inner: &'a Arc<Inner<K, L, R, P, H>>,
    hash: u64,
    status: Status,
    began: Option<Instant>,
    end: LoadEnd,
}

impl<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Alone<'a, K, L, R, P, H> {
    pub(crate) fn new(inner: &'a Arc<Inner<K, L, R, P, H>>, hash: u64, status: Status) -> Self {
        Self { inner, hash, status, began: None, end: LoadEnd::Dropped }
    }

    pub(crate) fn poll<M: Means<K, L>>(
        &mut self,
        cx: &mut Context<'_>,
        means: &mut M,
    ) -> Poll<End<L::Value, L::Error>> {
        let began = *self.began.get_or_insert_with(|| {
            self.inner.with(self.hash, |shard| shard.begin_alone());
            self.inner.runtime.now()
        });
        // Should the load panic, this stays.
        self.end = LoadEnd::Panicked;
        let Poll::Ready(result) = means.poll_own(cx) else {
            self.end = LoadEnd::Dropped;
            return Poll::Pending;
        };
        self.end = LoadEnd::Failed;
        let (value, former) = match result {
            Ok(Answered::New(loaded)) => (loaded.value, None),
            Ok(Answered::Kept(Previous { value, published, generation, .. }, _)) => {
                (value, Some((published, generation)))
            }
            Ok(Answered::Unfounded) => return Poll::Ready(End::Failed(Failure::new(Cause::NothingToKeep))),
            Err(cause) => return Poll::Ready(End::Failed(Failure::new(cause))),
        };
        self.end = LoadEnd::Succeeded;
        let now = self.inner.runtime.now();
        self.inner.with(self.hash, |shard| shard.count(self.status));
        // Nothing is stored; a value that is still good was stored before.
        Poll::Ready(End::Told(Ok(Outcome {
            value,
            status: self.status,
            age: former.map_or(Duration::ZERO, |(published, _)| now.saturating_since(published)),
            time_left: TimeLeft::For(Duration::ZERO),
            led: true,
            attempt: None,
            waited: now.saturating_since(began),
            generation: former.map(|(_, generation)| generation),
            error: None,
        })))
    }
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Drop for Alone<'_, K, L, R, P, H> {
    fn drop(&mut self) {
        let (end, began) = (self.end, self.began.is_some());
        self.inner.with(self.hash, |shard| shard.end_alone(began, end));
    }
}
