//! Handles that keep no slot alive.

use core::fmt;

use super::{LazySlot, OfSlots};
use crate::{Runtime, WeakCache};

/// A handle of a [`LazySlot`] that does not keep it alive.
///
/// Made by [`LazySlot::downgrade`]; for a fetch that uses its own slot, see
/// [`SlotBuilder::build_cyclic`](crate::SlotBuilder::build_cyclic).
///
/// ```
/// use larder::{LazySlot, Loaded, ManualClock, parts::Std};
///
/// let slot = LazySlot::builder(Std::new(ManualClock::new()))
///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
///     .build()?;
/// let weak = slot.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(slot);
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct WeakSlot<V, E, R: Runtime> {
    pub(super) cache: WeakCache<(), V, E, R, OfSlots>,
}

impl<V, E, R: Runtime> WeakSlot<V, E, R> {
    /// Returns the slot, if it still has a handle.
    ///
    /// ```
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// let weak = slot.downgrade();
    /// if let Some(slot) = weak.upgrade() {
    ///     slot.set(1);
    /// }
    /// assert!(slot.peek().is_some());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn upgrade(&self) -> Option<LazySlot<V, E, R>> {
        Some(LazySlot { cache: self.cache.upgrade()? })
    }
}

impl<V, E, R: Runtime> Clone for WeakSlot<V, E, R> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone() }
    }
}

impl<V, E, R: Runtime> fmt::Debug for WeakSlot<V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakSlot").field(&self.cache).finish()
    }
}

impl<V, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns a handle that does not keep the slot alive.
    ///
    /// ```
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// let weak = slot.downgrade();
    /// drop(slot);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn downgrade(&self) -> WeakSlot<V, E, R> {
        WeakSlot { cache: self.cache.downgrade() }
    }
}
