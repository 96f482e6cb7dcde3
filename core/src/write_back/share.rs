//! Sharing a task: whoever waits for it carries it on.

use alloc::{boxed::Box, sync::Arc};
use core::task::{Context, Poll};

use super::{
    Fault,
    flush_job::FlushJob,
    job::Job,
    load_job::LoadJob,
    shared::{Done, Shared, Task},
    timeless::Timeless,
};
use crate::{Key, LoadError, Runtime, Tuned, policy::Lru, share::Errand};

/// One caller of a task that is shared.
pub(super) struct Sharing<K: Key, V: Clone, E, R: Runtime>(
    Errand<Task<K>, Done<K, V, E, R>, Fault<K, E>, Timeless<R>, Tuned<Lru>>,
);

/// What it comes to; nothing if there is no such task.
pub(super) type Shares<K, V, E, R> = Option<Result<Done<K, V, E, R>, LoadError<Fault<K, E>>>>;

impl<K: Key, V: Clone, E, R: Runtime> Sharing<K, V, E, R> {
    /// Waits for the load of a key that is under way.
    pub(super) fn of_load(shared: &Shared<K, V, E, R>, key: K) -> Self {
        Self(Errand::new(&shared.io.inner, Task::Load(key), None))
    }

    /// Waits for the load of a key, and begins this one if none is under way.
    pub(super) fn load(shared: &Shared<K, V, E, R>, key: K, job: LoadJob<K, V, E, R>) -> Self {
        Self(Errand::new(&shared.io.inner, Task::Load(key), Some((shared.wrap)(Job::Load(Box::new(job))))))
    }

    /// Waits for this flush of a key, and begins it if it is not under way.
    pub(super) fn flush(shared: &Arc<Shared<K, V, E, R>>, key: K, round: u64) -> Self {
        let job = FlushJob::new(Arc::clone(shared), key.clone(), round);
        Self(Errand::new(&shared.io.inner, Task::Flush(key, round), Some((shared.wrap)(Job::Flush(Box::new(job))))))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Shares<K, V, E, R>> {
        self.0.poll(cx)
    }
}
