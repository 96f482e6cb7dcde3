//! The interface to what is behind a write-back cache.

use alloc::{boxed::Box, vec::Vec};
use core::{future::Future, pin::Pin};

use super::{Files, Takes, Threads};

/// What a [`WriteBack`](crate::WriteBack) loads from and flushes to.
///
/// For example a disk, a database or another cache. All futures own what they need. They are stored in the cache,
/// polled from the task of whichever waiter is polled, and may be dropped at any await; a flush that was dropped or has
/// failed is made again. Implementors MUST ensure that a load that begins after a flush has succeeded sees what was
/// flushed. Two flushes of one key are never under way at once, but a dropped one may have left work behind, for
/// example on a thread that blocks: implementors MUST ensure that such work does not overwrite what a later flush has
/// written.
///
/// ```
/// use larder::{Backend, BoxIo};
/// use std::{collections::HashMap, io, sync::{Arc, Mutex}};
///
/// /// A disk in memory.
/// #[derive(Clone, Default)]
/// struct Disk(Arc<Mutex<HashMap<u64, String>>>);
///
/// impl Backend<u64> for Disk {
///     type Value = String;
///     type Error = io::Error;
///     type Load = BoxIo<io::Result<String>>;
///     type Flush = BoxIo<io::Result<()>>;
///     type Discard = BoxIo<()>;
///
///     fn load(&self, page: u64) -> Self::Load {
///         let disk = self.clone();
///         Box::pin(async move { disk.0.lock().unwrap().get(&page).cloned().ok_or(io::ErrorKind::NotFound.into()) })
///     }
///
///     fn flush(&self, page: u64, text: String) -> Self::Flush {
///         let disk = self.clone();
///         Box::pin(async move {
///             disk.0.lock().unwrap().insert(page, text);
///             Ok(())
///         })
///     }
///
///     fn discard(&self, _: u64, _: String) -> Self::Discard {
///         Box::pin(async {})
///     }
///
///     fn lost(&self, pages: Vec<u64>) {
///         eprintln!("never written: {pages:?}");
///     }
/// }
/// ```
pub trait Backend<K> {
    /// The cached values.
    ///
    /// They are cloned for each reader and each flush; put large ones into an `Arc`.
    type Value: Clone;

    /// The error of a failed load or flush.
    type Error;

    /// The load of one key.
    type Load: Future<Output = Result<Self::Value, Self::Error>>;

    /// The flush of one key.
    type Flush: Future<Output = Result<(), Self::Error>>;

    /// What is done for a value that is dropped unwritten.
    type Discard: Future<Output = ()>;

    /// Begins to load the value of `key`.
    fn load(&self, key: K) -> Self::Load;

    /// Begins to write `value`, which may be kept.
    ///
    /// When the future is ready with `Ok`, the cache takes the value as on disk, and then writes what depends on it. If
    /// that order has to survive a power failure, synchronize the file first (`File::sync_data` of `std`); without, it
    /// survives only the end of the process.
    fn flush(&self, key: K, value: Self::Value) -> Self::Flush;

    /// Is told that `value` is dropped unwritten.
    ///
    /// That happens in [`invalidate`](crate::WriteBack::invalidate).
    fn discard(&self, key: K, value: Self::Value) -> Self::Discard;

    /// Is told that the cache was dropped while these keys were dirty.
    ///
    /// What was written to them is lost.
    ///
    /// Called once, outside every lock, and not at all if nothing was dirty.
    fn lost(&self, keys: Vec<K>);
}

/// A boxed future that may move between threads, for [`Backend`]s.
///
/// ```
/// let io: larder::BoxIo<u32> = Box::pin(async { 7 });
/// assert_eq!(futures_lite::future::block_on(io), 7);
/// ```
pub type BoxIo<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A boxed future that stays on its thread, for [`Backend`]s.
///
/// ```
/// let value = std::rc::Rc::new(7);
/// let io: larder::LocalBoxIo<u32> = Box::pin(async move { *value });
/// assert_eq!(futures_lite::future::block_on(io), 7);
/// ```
pub type LocalBoxIo<T> = Pin<Box<dyn Future<Output = T>>>;

impl<K, V, E, T, B> Files<K, V, E, T> for B
where
    V: 'static,
    E: 'static,
    T: Threads + Takes<B::Load> + Takes<B::Flush> + Takes<B::Discard>,
    B: Backend<K, Value = V, Error = E>,
{
    fn load(&self, key: K) -> T::Task<Result<V, E>> {
        <T as Takes<B::Load>>::task(Backend::load(self, key), (), |result, ()| result)
    }

    fn flush(&self, key: K, value: V) -> T::Task<Result<(), E>> {
        <T as Takes<B::Flush>>::task(Backend::flush(self, key, value), (), |result, ()| result)
    }

    fn discard(&self, key: K, value: V) -> T::Task<()> {
        <T as Takes<B::Discard>>::task(Backend::discard(self, key, value), (), |(), ()| ())
    }

    fn lost(&self, keys: Vec<K>) {
        Backend::lost(self, keys);
    }
}
