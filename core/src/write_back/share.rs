//! Sharing a task: whoever waits for it carries it on.

use alloc::{boxed::Box, sync::Arc};
use core::task::{Context, Poll};

use super::{
    Fault,
    flush_job::FlushJob,
    job::{ByJob, Job},
    load_job::LoadJob,
    shared::{Done, Jobs, Shared, Task},
    threads::Threads,
    timeless::Timeless,
};
use crate::{
    Backend, DefaultHasher, Key, Runtime,
    cache::{Errand, Errands},
    policy::Lru,
};

/// A wait for a task, which it begins if nobody else has.
pub(super) struct Sharing<K: Key, B: Backend<K>, R: Runtime, D: Threads>(
    Errand<Task<K>, Jobs<K, B, R, D>, Timeless<R>, Lru, DefaultHasher, ByJob<K, B, R, D>>,
);

/// What a task comes to; `None` if it was not under way, and could not be begun.
pub(super) type Shares<K, B, R, D> = Errands<Done<K, B, R, D>, Fault<K, <B as Backend<K>>::Error>>;

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Sharing<K, B, R, D> {
    /// Waits for the load of a key that is under way.
    pub(super) fn of_load(shared: &Shared<K, B, R, D>, key: K) -> Self {
        Self(Errand::new(&shared.io, Task::Load(key), ByJob(None)))
    }

    /// Waits for the load of a key, and begins this one if none is under way.
    pub(super) fn load(shared: &Shared<K, B, R, D>, key: K, job: LoadJob<K, B, R, D>) -> Self {
        Self(Errand::new(&shared.io, Task::Load(key), ByJob(Some(Job::Load(Box::new(job))))))
    }

    /// Waits for this flush of a key, and begins it if it is not under way.
    pub(super) fn flush(shared: &Arc<Shared<K, B, R, D>>, key: K, round: u64) -> Self {
        let job = FlushJob::new(Arc::clone(shared), key.clone(), round);
        Self(Errand::new(&shared.io, Task::Flush(key, round), ByJob(Some(Job::Flush(Box::new(job))))))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Shares<K, B, R, D>> {
        self.0.poll(cx)
    }
}
