//! A load outside any flight: not shared, not stored, only counted.

use alloc::sync::Arc;
use core::{
    mem,
    task::{Context, Poll},
    time::Duration,
};

use super::{inner::Inner, means::Means, visit::End};
use crate::{
    Cause, Failure, Instant, Key, Outcome, Previous, Runtime, Status, TimeLeft, Tuning,
    shard::{LoadEnd, Wait},
    source::Answered,
};

/// One load for one caller.
pub(crate) struct Alone<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    inner: &'a Arc<Inner<K, V, E, R, S>>,
    hash: u64,
    status: Status,
    wait: Wait,
    has_begun: bool,
    /// How the load has ended, as far as is known.
    end: LoadEnd,
    /// Whether the lookup has ended, and not been given up.
    is_over: bool,
}

impl<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> Alone<'a, K, V, E, R, S> {
    /// Makes one for a caller who has waited since then.
    pub(crate) fn new(inner: &'a Arc<Inner<K, V, E, R, S>>, hash: u64, status: Status, since: Instant) -> Self {
        let wait = Wait { led: true, since };
        Self { inner, hash, status, wait, has_begun: false, end: LoadEnd::Dropped, is_over: false }
    }

    pub(crate) fn poll<M: Means<K, V, E, R::Threads>>(
        &mut self,
        cx: &mut Context<'_>,
        means: &mut M,
    ) -> Poll<End<V, E>> {
        if !mem::replace(&mut self.has_begun, true) {
            self.inner.with(self.hash, |shard| shard.begin_alone());
        }
        // Should the load panic, this stays.
        let before = mem::replace(&mut self.end, LoadEnd::Panicked);
        let Poll::Ready(result) = means.poll_own(cx) else {
            self.end = before;
            return Poll::Pending;
        };
        let (value, former) = match result {
            Ok(Answered::New(loaded)) => (loaded.value, None),
            Ok(Answered::Kept(Previous { value, published, generation, .. }, _)) => {
                (value, Some((published, generation)))
            }
            Ok(Answered::Nothing(lack)) => return self.fail(lack.into()),
            Err(cause) => return self.fail(cause),
        };
        (self.end, self.is_over) = (LoadEnd::Succeeded, true);
        let now = self.inner.runtime.now();
        self.inner.with(self.hash, |shard| shard.count(self.status));
        // Nothing is stored; a value that is still good was stored before.
        let mut outcome = Outcome {
            value,
            status: self.status,
            age: former.map_or(Duration::ZERO, |(published, _)| now.saturating_since(published)),
            time_left: TimeLeft::For(Duration::ZERO),
            led: true,
            attempt: None,
            waited: Duration::ZERO,
            generation: former.map(|(_, generation)| generation),
            error: None,
        };
        self.wait.told(&mut outcome, now);
        Poll::Ready(End::Told(Ok(outcome)))
    }

    /// Notes that the load has panicked elsewhere: it is one for other callers as well.
    pub(crate) const fn panicked(&mut self) {
        self.end = LoadEnd::Panicked;
    }

    fn fail(&mut self, cause: Cause<E>) -> Poll<End<V, E>> {
        let failure = Failure::new(cause);
        self.end = if failure.is_panicked() { LoadEnd::Panicked } else { LoadEnd::Failed };
        self.is_over = true;
        Poll::Ready(End::Failed(failure, self.wait))
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for Alone<'_, K, V, E, R, S> {
    fn drop(&mut self) {
        let end = self.has_begun.then_some(self.end);
        self.inner.with(self.hash, |shard| shard.end_alone(end, self.is_over));
    }
}
