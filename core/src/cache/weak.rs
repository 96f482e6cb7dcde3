//! Handles that keep no cache alive.

use core::fmt;

use super::{Builder, Cache, ConfigError, assemble};
use crate::{
    Key, Runtime, Standard, Tuning,
    share::Engine,
    sync::{Arc, Weak},
};

/// A handle of a [`Cache`] that does not keep it alive.
///
/// For what the cache itself owns, or what outlives it: loaders and listeners that use their own cache
/// ([`Builder::build_cyclic`](crate::Builder::build_cyclic)), and tasks that should end with it. Made by
/// [`Cache::downgrade`].
///
/// ```
/// use larder::{Cache, ManualClock, parts::Std};
///
/// let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
/// let weak = cache.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(cache);
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct WeakCache<K, V, E, R: Runtime, S: Tuning = Standard> {
    inner: Weak<Engine<K, V, E, R, S>>,
}

impl<K, V, E, R: Runtime, S: Tuning> WeakCache<K, V, E, R, S> {
    /// Returns the cache, if it still has a handle.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let weak = cache.downgrade();
    /// if let Some(cache) = weak.upgrade() {
    ///     cache.insert(1, 10);
    /// }
    /// assert!(cache.contains(&1));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn upgrade(&self) -> Option<Cache<K, V, E, R, S>> {
        Some(Cache { inner: self.inner.upgrade()? })
    }
}

impl<K, V, E, R: Runtime, S: Tuning> Clone for WeakCache<K, V, E, R, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<K, V, E, R: Runtime, S: Tuning> fmt::Debug for WeakCache<K, V, E, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakCache").field("is_alive", &(self.inner.strong_count() > 0)).finish()
    }
}

impl<K, V, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns a handle that does not keep the cache alive.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let weak = cache.downgrade();
    /// drop(cache);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn downgrade(&self) -> WeakCache<K, V, E, R, S> {
        WeakCache { inner: Arc::downgrade(&self.inner) }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Builds the cache; what `setup` adds may hold it weakly.
    ///
    /// For loaders, listeners and anything else that uses the cache that owns it: with a clone of the cache, the two
    /// would keep each other alive for ever. [`upgrade`](WeakCache::upgrade) returns `None` before this returns, and
    /// again once the last handle of the cache is gone. A load that holds an upgraded handle across an await keeps the
    /// cache alive until the load ends or is dropped. Where loads ask the cache, set a
    /// [`load_budget`](Self::load_budget): it ends those that wait for each other in a ring.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build). If the hasher needs a seed, it has to be given before.
    ///
    /// ```
    /// use core::time::Duration;
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// // The depth of a path is one more than that of its parent.
    /// let depths = Cache::builder(Std::new(ManualClock::new())).build_cyclic(|builder, weak| {
    ///     let weak = weak.clone();
    ///     builder.load_budget(Duration::from_secs(10)).load_fn(move |path: String| {
    ///         let weak = weak.clone();
    ///         async move {
    ///             let Some((parent, _)) = path.rsplit_once('/') else { return Ok(0) };
    ///             let cache = weak.upgrade().ok_or("the cache is gone")?;
    ///             match cache.get(parent).await {
    ///                 Ok(depth) => Ok::<u32, String>(depth + 1),
    ///                 Err(error) => Err(error.to_string()),
    ///             }
    ///         }
    ///     })
    /// })?;
    /// assert_eq!(block_on(depths.get("a/b/c")).ok(), Some(2));
    /// assert!(depths.contains("a/b") && depths.contains("a"));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn build_cyclic(
        mut self,
        setup: impl FnOnce(Self, &WeakCache<K, V, E, R, S>) -> Self,
    ) -> Result<Cache<K, V, E, R, S>, ConfigError> {
        let hasher = self.hasher.take().ok_or(ConfigError::HashSeed)?;
        let mut verdict = Ok(());
        let inner = Arc::new_cyclic(|weak| {
            let mut builder = setup(self, &WeakCache { inner: weak.clone() });
            verdict = builder.check();
            // (Something has to be returned; if the settings are refused it is dropped at once.)
            let hasher = builder.hasher.take().unwrap_or(hasher);
            assemble(builder, hasher)
        });
        verdict.and_then(|()| Cache { inner }.with_memory())
    }
}
