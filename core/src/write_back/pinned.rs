//! A pinned entry.

use core::fmt;

use super::shared::Pin;
use crate::{ComputeError, Key, Runtime, sync::Arc};

/// An entry that stays in its cache for as long as this handle lives.
///
/// Reading is shared. A change marks the entry dirty, and is acknowledged once the call returns: from then on it is in
/// the cache or on disk, whatever happens. Cloning a handle pins the entry once more.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
/// # let disk = Memory::from([(1, "one")]);
/// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).build()?;
/// let page = block_on(cache.get_or_load(&1))?;
/// let same = page.clone();
/// page.set("uno");
/// assert_eq!(same.value(), "uno");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pinned<K: Key, V: Clone, E, R: Runtime> {
    pin: Pin<K, V, E, R>,
    key: K,
}

impl<K: Key, V: Clone, E, R: Runtime> Pinned<K, V, E, R> {
    pub(super) const fn new(pin: Pin<K, V, E, R>, key: K) -> Self {
        Self { pin, key }
    }

    /// Takes a share of a pin, or the pin itself if it is the last share.
    pub(super) fn shared(pin: Arc<Pin<K, V, E, R>>, key: K) -> Self {
        let pin = Arc::try_unwrap(pin).unwrap_or_else(|pin| Pin::clone(&pin));
        Self::new(pin, key)
    }

    /// Returns the key.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// assert_eq!(block_on(cache.get_or_load(&1))?.key(), &1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Returns the value as it is now.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// assert_eq!(block_on(cache.get_or_load(&1))?.value(), "one");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn value(&self) -> V {
        self.pin.shared.with(|book| book.ledger.entry(self.pin.place).value.clone())
    }

    /// Sets the value and marks the entry dirty.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let page = block_on(cache.get_or_load(&1))?;
    /// page.set("uno");
    /// assert!(page.is_dirty());
    /// assert_eq!(disk.get(&1), Some("one"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self, value: V) {
        let now = self.pin.shared.now();
        let _old = self.pin.shared.with(|book| book.ledger.change(self.pin.place, value, now));
    }

    /// Changes the value with a closure; returns the new value.
    ///
    /// Marks the entry dirty. The closure runs outside every lock, and again if another caller has changed the value
    /// meanwhile, at most 64 times. It changes a clone, so what is flushed at the same time stays as it was.
    ///
    /// # Errors
    ///
    /// [`ComputeError::Contended`] if the value changed each time; nothing was done then.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let disk = Memory::from([(1, 10)]);
    /// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).build()?;
    /// let page = block_on(cache.get_or_load(&1))?;
    /// assert_eq!(page.update(|number| *number += 1)?, 11);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&self, mut change: impl FnMut(&mut V)) -> Result<V, ComputeError> {
        for _ in 0..ComputeError::RUNS {
            let (mut value, version) = self.pin.shared.with(|book| {
                let entry = book.ledger.entry(self.pin.place);
                (entry.value.clone(), entry.version)
            });
            change(&mut value);
            let (result, now) = (value.clone(), self.pin.shared.now());
            let old = self.pin.shared.with(|book| {
                let is_same = book.ledger.entry(self.pin.place).version == version;
                if is_same { Ok(book.ledger.change(self.pin.place, value, now)) } else { Err(value) }
            });
            if old.is_ok() {
                return Ok(result);
            }
        }
        Err(ComputeError::Contended)
    }

    /// Returns whether there are changes that are not on disk.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let page = block_on(cache.get_or_load(&1))?;
    /// assert!(!page.is_dirty());
    /// page.set("uno");
    /// assert!(page.is_dirty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_dirty(&self) -> bool {
        self.pin.shared.with(|book| book.ledger.entry(self.pin.place).state.since().is_some())
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for Pinned<K, V, E, R> {
    fn clone(&self) -> Self {
        let key = self.key.clone();
        Self { pin: self.pin.clone(), key }
    }
}

impl<K: Key + fmt::Debug, V: Clone, E, R: Runtime> fmt::Debug for Pinned<K, V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("key", &self.key).finish_non_exhaustive()
    }
}
