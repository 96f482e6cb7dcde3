//! What is shared while it is under way: loading a key, and flushing one.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Fault,
    flush_job::FlushJob,
    load_job::LoadJob,
    shared::{Done, Jobs, Task},
    threads::Threads,
};
use crate::{
    Backend, Key, Loaded, Previous, Runtime, Ttl,
    cache::{Means, Owned},
    flight::Start,
};

/// A task under way. Boxed, as it moves in and out of its flight.
pub(crate) enum Job<K: Key, B: Backend<K>, R: Runtime, D: Threads> {
    Load(Box<LoadJob<K, B, R, D>>),
    Flush(Box<FlushJob<K, B, R, D>>),
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Unpin for Job<K, B, R, D> {}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Future for Job<K, B, R, D> {
    type Output = Result<Loaded<Done<K, B, R, D>>, Fault<K, B::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = match &mut *self {
            Self::Load(job) => job.poll(cx).map_ok(Done::Loaded),
            Self::Flush(job) => job.poll(cx).map_ok(|()| Done::Flushed),
        };
        // What it comes to is kept elsewhere.
        poll.map_ok(|done| Loaded::new(done).ttl(Ttl::NotStored))
    }
}

/// Begins a task by this job, unless it is under way already.
pub(crate) struct ByJob<K: Key, B: Backend<K>, R: Runtime, D: Threads>(pub(super) Option<Job<K, B, R, D>>);

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Means<Task<K>, Jobs<K, B, R, D>> for ByJob<K, B, R, D> {
    fn start(&mut self) -> Option<Start<Job<K, B, R, D>>> {
        self.0.take().map(Start::Ready)
    }

    fn start_alone(&mut self, _: &Jobs<K, B, R, D>, _: Task<K>, _: Option<Previous<Done<K, B, R, D>>>) {}

    fn poll_own(&mut self, _: &mut Context<'_>) -> Poll<Owned<Done<K, B, R, D>, Fault<K, B::Error>>> {
        Poll::Pending
    }

    fn drop_own(&mut self) {
        self.0 = None;
    }
}
