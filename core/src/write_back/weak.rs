//! Handles that keep no write-back cache alive.

use alloc::boxed::Box;
use core::fmt;

use super::{WriteBack, WriteBackBuilder, flush_job::FlushJob, load_job::LoadJob, lookup::Wraps, shared::Shared};
use crate::{
    ConfigError, DefaultHasher, Key, Runtime, Takes,
    sync::{Arc, Weak},
};

/// A handle of a [`WriteBack`] that does not keep it alive.
///
/// Made by [`WriteBack::downgrade`]: for example for a task that flushes from time to time and should end with the
/// cache. A back end that uses its cache gets one from [`WriteBack::build_cyclic`]. A cache's data is kept alive by what depends on the cache, and by a pinned entry.
///
/// ```
/// use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
///
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), Memory::<u32, u32>::new()).build()?;
/// let weak = cache.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(cache);
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct WeakWriteBack<K: Key, V: Clone, E, R: Runtime> {
    shared: Weak<Shared<K, V, E, R>>,
    wraps: Wraps<K, V, E, R>,
}

impl<K: Key, V: Clone, E, R: Runtime> WeakWriteBack<K, V, E, R> {
    /// Returns the cache, if something still keeps it alive.
    ///
    /// ```
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), Memory::<u32, u32>::new()).build()?;
    /// let weak = cache.downgrade();
    /// assert_eq!(weak.upgrade().map(|cache| cache.len()), Some(0));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn upgrade(&self) -> Option<WriteBack<K, V, E, R>> {
        Some(WriteBack { shared: self.shared.upgrade()?, wraps: self.wraps })
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for WeakWriteBack<K, V, E, R> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), wraps: self.wraps }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> fmt::Debug for WeakWriteBack<K, V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakWriteBack").field("is_alive", &(self.shared.strong_count() > 0)).finish()
    }
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Returns a handle that does not keep the cache alive.
    ///
    /// ```
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), Memory::<u32, u32>::new()).build()?;
    /// let weak = cache.downgrade();
    /// drop(cache);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn downgrade(&self) -> WeakWriteBack<K, V, E, R> {
        WeakWriteBack { shared: Arc::downgrade(&self.shared), wraps: self.wraps }
    }
}

impl<K, V, E, R> WriteBack<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: 'static,
    R: Runtime + 'static,
    R::Threads: Takes<Box<LoadJob<K, V, E, R>>> + Takes<Box<FlushJob<K, V, E, R>>>,
{
    /// Returns a cache whose back end may hold it weakly.
    ///
    /// That is for back ends that ask their own cache: with a clone of it each would keep the other alive for ever, and nobody
    /// would hear what is [lost](crate::Backend::lost). `setup` returns the whole configuration. The handle leads nowhere
    /// before this returns, and again once the cache is gone, so not in [`lost`](crate::Backend::lost) either.
    ///
    /// # Errors
    ///
    /// As [`WriteBackBuilder::build`](crate::WriteBackBuilder::build).
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Backend, LocalBoxIo, ManualClock, WeakWriteBack, WriteBack, parts::Local};
    /// use std::future::{Ready, ready};
    ///
    /// type Tables = WriteBack<u32, u32, String, Local<ManualClock>>;
    ///
    /// /// Where each table is says the table of all tables, which is at 0.
    /// struct Disk(WeakWriteBack<u32, u32, String, Local<ManualClock>>);
    ///
    /// impl Backend<u32> for Disk {
    ///     type Value = u32;
    ///     type Error = String;
    ///     type Load = LocalBoxIo<Result<u32, String>>;
    ///     type Flush = Ready<Result<(), String>>;
    ///     type Discard = Ready<()>;
    ///
    ///     fn load(&self, table: u32) -> Self::Load {
    ///         let tables = self.0.upgrade();
    ///         Box::pin(async move {
    ///             if table == 0 {
    ///                 return Ok(700);
    ///             }
    ///             let root = tables.ok_or("gone")?.get_or_load(&0).await.map_err(|error| error.to_string())?;
    ///             Ok(root.value() + table)
    ///         })
    ///     }
    ///
    ///     fn flush(&self, _: u32, _: u32) -> Self::Flush {
    ///         ready(Ok(()))
    ///     }
    ///
    ///     fn discard(&self, _: u32, _: u32) -> Self::Discard {
    ///         ready(())
    ///     }
    ///
    ///     fn lost(&self, _: Vec<u32>) {}
    /// }
    ///
    /// let tables: Tables = WriteBack::build_cyclic(|weak| {
    ///     WriteBack::builder(Local::new(ManualClock::new()), Disk(weak.clone())).capacity(64)
    /// })?;
    /// assert_eq!(block_on(tables.get_or_load(&7))?.value(), 707);
    /// let weak = tables.downgrade();
    /// drop(tables);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn build_cyclic(
        setup: impl FnOnce(&WeakWriteBack<K, V, E, R>) -> WriteBackBuilder<K, V, E, R>,
    ) -> Result<Self, ConfigError> {
        let (wraps, mut verdict) = (Wraps::new(), Ok(()));
        let shared = Arc::new_cyclic(|weak| {
            let builder = setup(&WeakWriteBack { shared: weak.clone(), wraps });
            // (Something has to be made; what is refused is dropped at once.)
            let hasher = builder.check().unwrap_or_else(|error| {
                verdict = Err(error);
                DefaultHasher::with_seed(0)
            });
            builder.assemble(hasher)
        });
        verdict.map(|()| Self { shared, wraps })
    }
}
