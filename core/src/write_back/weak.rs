//! Handles that keep no write-back cache alive.

use alloc::sync::{Arc, Weak};
use core::fmt;

use super::{WriteBack, lookup::Wraps, shared::Shared};
use crate::{Key, Runtime};

/// A handle of a [`WriteBack`] that does not keep it alive.
///
/// Made by [`WriteBack::downgrade`]: for example for a task that flushes from time to time and should end with the
/// cache. A cache's data is kept alive by what depends on the cache, and by a pinned entry.
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
