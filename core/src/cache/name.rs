//! The name of a cache, and its `Debug` output.

use core::fmt;

use super::{Builder, Cache};
use crate::{Key, Runtime, Tuning};

impl<K, V, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Names the cache, for logs and debuggers.
    ///
    /// `Debug` shows the name, and [`Cache::name`] returns it.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// let users = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).name("users").build()?;
    /// assert!(format!("{users:?}").contains("users"));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl<K, V, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the name that the builder was given.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let builder = || Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new()));
    /// assert_eq!(builder().name("users").build()?.name(), Some("users"));
    /// assert_eq!(builder().build()?.name(), None);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> fmt::Debug for Cache<K, V, E, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Cache");
        if let Some(name) = self.name() {
            shown.field("name", &name);
        }
        shown.field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<K, V, E, R: Runtime, S: Tuning> fmt::Debug for Builder<K, V, E, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Builder");
        if let Some(name) = &self.name {
            shown.field("name", name);
        }
        shown.field("settings", &self.settings).finish_non_exhaustive()
    }
}
