//! Whether what a cache depends on may be flushed from any thread.

use alloc::{boxed::Box, sync::Arc};
use core::{future::Future, pin::Pin};

use super::Unflushed;
use crate::{dirty::Need, seams::sealed::Sealed};

/// Where a cache and those it depends on may be used: on [many threads](ManyThreads), or on [one](OneThread).
///
/// Closed to other types; there to be named in bounds.
///
/// ```
/// use larder::{Backend, Key, Runtime, Threads, WriteBack};
///
/// fn is_idle<K: Key, B: Backend<K>, R: Runtime, D: Threads>(cache: &WriteBack<K, B, R, D>) -> bool {
///     cache.pinned() == 0 && cache.dirty() == 0
/// }
/// ```
pub trait Threads: Sealed + 'static {
    /// The flush of another cache.
    #[doc(hidden)]
    type Task: Future<Output = Result<(), Unflushed>> + Unpin;

    /// Another cache.
    #[doc(hidden)]
    type Other: ?Sized + Upstream<Task = Self::Task>;
}

/// A cache that is flushed before another one.
#[doc(hidden)]
pub trait Upstream {
    type Task;

    /// Returns a flush of what is needed.
    fn flush(self: Arc<Self>, need: Need) -> Self::Task;
}

/// All dependencies can be flushed from any thread, so the cache can be used from any.
///
/// ```
/// # use larder::{Backend, ManualClock, WriteBack, parts::Std};
/// fn share<K: larder::Key, B: Backend<K>>(cache: WriteBack<K, B, Std<ManualClock>>) -> impl Send
/// where
///     WriteBack<K, B, Std<ManualClock>>: Send,
/// {
///     cache
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ManyThreads(());

/// Dependencies may be such that stay on their thread, and so does the cache.
///
/// Chosen by [`WriteBackBuilder::one_thread`](crate::WriteBackBuilder::one_thread).
///
/// ```
/// use larder::{ConfigError, ManualClock, OneThread, WriteBack, parts::{Local, Memory}};
///
/// type Pages = WriteBack<u32, Memory<u32, u32>, Local<ManualClock>, OneThread>;
///
/// fn pages() -> Result<Pages, ConfigError> {
///     WriteBack::builder(Local::new(ManualClock::new()), Memory::new()).one_thread().build()
/// }
/// # pages()?.always_depend_on(&pages()?).expect("no circle");
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneThread(());

impl Sealed for ManyThreads {}
impl Sealed for OneThread {}

type SendTask = Pin<Box<dyn Future<Output = Result<(), Unflushed>> + Send>>;
type LocalTask = Pin<Box<dyn Future<Output = Result<(), Unflushed>>>>;

impl Threads for ManyThreads {
    type Task = SendTask;
    type Other = dyn Upstream<Task = SendTask> + Send + Sync;
}

impl Threads for OneThread {
    type Task = LocalTask;
    type Other = dyn Upstream<Task = LocalTask>;
}
