//! What is shared while it is under way: loading a key, and flushing one.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Fault, flush_job::FlushJob, load_job::LoadJob, shared::Done};
use crate::{Key, Loaded, Runtime, Ttl};

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
