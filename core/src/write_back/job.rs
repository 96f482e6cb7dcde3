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
    shared::{Done, Task},
};
use crate::{
    Key, Loaded, Previous, Runtime, Threads, Ttl,
    cache::{Means, Owned},
    flight::Start,
    source::{Sources, TaskOf},
};

/// A task under way. Boxed, as it moves in and out of its flight.
pub enum Job<K: Key, V: Clone, E, R: Runtime> {
    Load(Box<LoadJob<K, V, E, R>>),
    Flush(Box<FlushJob<K, V, E, R>>),
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for Job<K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Future for Job<K, V, E, R> {
    type Output = Result<Loaded<Done<K, V, E, R>>, Fault<K, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = match &mut *self {
            Self::Load(job) => job.poll(cx).map_ok(Done::Loaded),
            Self::Flush(job) => job.poll(cx).map_ok(|()| Done::Flushed),
        };
        // What it comes to is kept elsewhere.
        poll.map_ok(|done| Loaded::new(done).ttl(Ttl::NotStored))
    }
}

/// Leads by this task, if there is one.
pub(crate) struct ByJob<J>(pub(super) Option<J>);

impl<K, V, E, T: Threads> Means<Task<K>, V, E, T> for ByJob<TaskOf<V, E, T>> {
    fn start(&mut self, _: &Sources<Task<K>, V, E, T>) -> Option<Start<TaskOf<V, E, T>>> {
        self.0.take().map(Start::Ready)
    }

    fn can_load(&self, _: &Sources<Task<K>, V, E, T>) -> bool {
        self.0.is_some()
    }

    fn start_alone(&mut self, _: &Sources<Task<K>, V, E, T>, _: Task<K>, _: Option<Previous<V>>) {}

    fn poll_own(&mut self, _: &mut Context<'_>) -> Poll<Owned<V, E>> {
        Poll::Pending
    }

    fn drop_own(&mut self) {
        self.0 = None;
    }
}
