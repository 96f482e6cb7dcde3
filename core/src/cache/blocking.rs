//! Getting values in programs without async.

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, future::Future, hash::Hash};

use super::Cache;
use crate::{Key, LoadError, Runtime, Tuning, parts::block_on};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the value of `key`, loading it if needed; blocks the thread.
    ///
    /// As [`get`](Self::get): waiting threads share a load with each other and with tasks, and any of them that is
    /// awake drives it. Deadlines (the lock timeout, the load budget) hold without a runtime and its timer, to about a
    /// millisecond. A load that needs a runtime, for its timers or sockets, has to find it: tokio's panic without one,
    /// and that is a panic of the load. Any other call can be waited for with
    /// [`parts::block_on`](crate::parts::block_on), which this uses.
    ///
    /// Do not call this where tasks run: it would hold up the other tasks on its thread, and perhaps the load it waits
    /// for. `larder-tokio` refuses it wherever a tokio runtime is at hand, and `larder-async-std` in its tasks; other adapters
    /// cannot tell.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`LoadError::MayNotBlock`]. A load that calls this for its own key, on the thread
    /// that polls the load, gets [`LoadError::Reentrant`].
    ///
    /// ```
    /// use core::time::Duration;
    /// use larder::{Cache, LoadError, parts::{NoTimer, Std, StdClock}};
    /// # use std::io;
    ///
    /// let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
    ///     .load_budget(Duration::from_millis(10))
    ///     .load_fn(|id: u32| async move {
    ///         if id == 0 {
    ///             std::future::pending::<()>().await; // hangs
    ///         }
    ///         io::Result::Ok(id * 2)
    ///     })
    ///     .build()?;
    /// assert_eq!(cache.get_blocking(&7)?, 14);
    /// assert!(cache.get_blocking(&0).unwrap_err().is_budget_exceeded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_blocking<Q>(&self, key: &Q) -> Result<V, LoadError<E>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.block(self.get(key))
    }

    /// Waits for a call of this cache, unless the thread must not be blocked.
    pub(crate) fn block<T>(&self, call: impl Future<Output = Result<T, LoadError<E>>>) -> Result<T, LoadError<E>> {
        if self.inner.runtime.may_block() { block_on(call) } else { Err(LoadError::MayNotBlock) }
    }
}
