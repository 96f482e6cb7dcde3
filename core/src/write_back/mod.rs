//! The shell of the write-back cache: locks its ledger, asks it, unlocks, and then wakes, drops and calls the back end.
//!
//! What is under way, loads and flushes, is shared by the same engine as the loads of a [`Cache`](crate::Cache): a
//! [`job`] rests in a flight, and whoever waits for it carries it on. A job holds what it has claimed by guards, so that it
//! may be dropped at any await.

mod builder;
mod close;
mod depend;
mod error;
mod flush;
mod flush_job;
mod get;
mod insert;
mod job;
mod leave;
mod load_job;
mod node;
mod pinned;
mod room;
mod settle;
mod share;
mod shared;
mod state;
mod threads;

use alloc::sync::Arc;
use core::fmt;

pub use builder::WriteBackBuilder;
pub use depend::{DependError, FlushFirst};
pub use error::{CircleError, Fault, FlushError, Unflushed, WriteBackError};
pub use flush::Flush;
pub use pinned::Pinned;
pub use room::Room;
pub use threads::{ManyThreads, OneThread, Threads};

use crate::{Backend, Key, Runtime};
use shared::Shared;

/// A write-back cache: values are changed in memory and written behind.
///
/// It holds up to so many entries of a [`Backend`]. Each is pinned while a [`Pinned`] to it lives; a change makes it dirty,
/// and it is written when it is [flushed](Self::flush), or when room is needed for another. `D` says whether the caches it
/// depends on may be flushed from [many threads](ManyThreads). Made by [`WriteBack::builder`]; clones are one cache.
pub struct WriteBack<K: Key, B: Backend<K>, R: Runtime, D: Threads = ManyThreads> {
    shared: Arc<Shared<K, B, R, D>>,
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Clone for WriteBack<K, B, R, D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Drop for WriteBack<K, B, R, D> {
    fn drop(&mut self) {
        // Two caches that have depended on each other in turn must not keep each other for ever.
        let _needed = self.shared.needed();
    }
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> fmt::Debug for WriteBack<K, B, R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, dirty, pinned) = (self.len(), self.dirty(), self.pinned());
        f.debug_struct("WriteBack")
            .field("len", &len)
            .field("dirty", &dirty)
            .field("pinned", &pinned)
            .finish_non_exhaustive()
    }
}
