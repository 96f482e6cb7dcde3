//! Changes that depend on the value that is there.

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, error, fmt, hash::Hash};

use super::Cache;
use crate::{
    Instant, Key, Loaded, Runtime, Tuning,
    shard::RECLAIM,
    share::{After, ShardOf},
};

/// What [`Cache::compute`] should do with the value it shows.
///
/// ```
/// use core::time::Duration;
/// use larder::{Change, Loaded};
///
/// let plain = Change::Store(Loaded::new(7));
/// let brief = Change::Store(Loaded::new(7).ttl(Duration::from_secs(5)));
/// assert_ne!(plain, brief);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<V> {
    /// Changes nothing; this is not a write.
    Keep,
    /// Stores this value over the present one, as [`Cache::insert_with`] does.
    Store(Loaded<V>),
    /// Removes the value, as [`Cache::remove`] does; if there is none, nothing changes.
    Remove,
}

/// What [`Cache::compute`] has done.
///
/// A value that is not to be stored, or is refused, leaves the key without one.
///
/// ```
/// use larder::{Cache, Change, Computed, ManualClock, parts::Std};
///
/// let cache = Cache::<u64, String, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
/// cache.insert(123_456, String::from("somebody@example.org"));
/// // A code is good for one sign-in.
/// let sign_in = |code| matches!(cache.compute(&code, |_| Change::Remove), Ok(Computed::Removed(_)));
/// assert!(sign_in(123_456));
/// assert!(!sign_in(123_456));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Computed<V> {
    /// Nothing has changed: there is this value, or none.
    Kept(Option<V>),
    /// This value was stored, and there was none.
    Inserted(V),
    /// This value was stored over the one that was shown.
    Replaced(V),
    /// This value was removed.
    Removed(V),
}

impl<V> Computed<V> {
    /// Returns the value that the key has afterwards, if any.
    ///
    /// ```
    /// use larder::Computed;
    ///
    /// assert_eq!(Computed::Replaced(7).into_value(), Some(7));
    /// assert_eq!(Computed::Removed(7).into_value(), None);
    /// ```
    pub fn into_value(self) -> Option<V> {
        match self {
            Self::Inserted(value) | Self::Replaced(value) => Some(value),
            Self::Kept(value) => value,
            Self::Removed(_) => None,
        }
    }
}

/// Why [`Cache::compute`] or [`Pinned::update`](crate::Pinned::update) changed nothing.
///
/// ```
/// use larder::{Cache, Change, ComputeError, ManualClock, parts::Std};
///
/// let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
/// cache.insert(1, 1);
/// let outdated = cache.compute(&1, |_| {
///     cache.insert(1, 10); // another value each time
///     Change::Remove
/// });
/// assert_eq!(outdated, Err(ComputeError::Contended));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComputeError {
    /// The value changed during each of the 64 calls of the closure: make it faster, or try again later.
    Contended,
}

impl fmt::Display for ComputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contended => write!(f, "the value changed during each of {} computations", Self::RUNS),
        }
    }
}

impl error::Error for ComputeError {}

impl ComputeError {
    /// How often the closure is called at most.
    pub(crate) const RUNS: u32 = 64;
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Keeps, stores or removes the value of `key`, depending on what it is.
    ///
    /// The closure gets a copy of the fresh value, or `None`. Its change is made only if the key still has that very
    /// value, or still none. It runs outside every lock and may call the cache. If there is another value when it
    /// returns, or none any more, it is called again, at most 64 times.
    ///
    /// Returns what was done. Counts no lookup, but counts as a use of the value.
    ///
    /// # Errors
    ///
    /// [`ComputeError::Contended`] if the value changed each time; nothing was done then.
    ///
    /// ```
    /// # use larder::{Cache, Change, Computed, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let cache = Cache::<String, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// // Count an entry down, and remove it at zero.
    /// let count_down = |present: Option<&u32>| match present {
    ///     Some(0 | 1) => Change::Remove,
    ///     Some(count) => Change::Store(Loaded::new(count - 1)),
    ///     None => Change::Keep,
    /// };
    /// cache.insert("tries".to_string(), 2);
    /// assert_eq!(cache.compute("tries", count_down)?, Computed::Replaced(1));
    /// assert_eq!(cache.compute("tries", count_down)?, Computed::Removed(1));
    /// assert_eq!(cache.compute("tries", count_down)?, Computed::Kept(None));
    ///
    /// // Keep a valid count, replace any other.
    /// let at_least_5 = |present: Option<&u32>| match present {
    ///     Some(count) if *count >= 5 => Change::Keep,
    ///     _ => Change::Store(Loaded::new(5)),
    /// };
    /// assert_eq!(cache.compute("tries", at_least_5)?, Computed::Inserted(5));
    /// assert_eq!(cache.compute("tries", at_least_5)?, Computed::Kept(Some(5))); // nothing was written
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compute<Q>(
        &self,
        key: &Q,
        mut change: impl FnMut(Option<&V>) -> Change<V>,
    ) -> Result<Computed<V>, ComputeError>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let inner = &*self.inner;
        let hash = inner.hash(key);
        let eq = |k: &K| k.borrow() == key;
        for _ in 0..ComputeError::RUNS {
            let now = inner.runtime.now().told();
            let (present, seen) = inner.with(hash, |shard| shard.consult(hash, now, eq)).unzip();
            let change = change(present.as_ref());
            // Read again: the closure takes as long as it likes.
            let now = inner.runtime.now().told();
            let is_still = |shard: &ShardOf<K, V, E, R, S>| shard.is_still(seen, hash, now, eq);
            match (change, present) {
                (Change::Keep, present) => return Ok(self.kept(hash, now, present)),
                (Change::Remove, None) => return Ok(self.kept(hash, now, None)),
                (Change::Remove, Some(present)) => {
                    let mut after = After::new(inner);
                    let effects = after.effects();
                    if inner.with(hash, |shard| is_still(shard) && shard.remove(hash, now, eq, effects)) {
                        return Ok(Computed::Removed(present));
                    }
                }
                (Change::Store(loaded), present) => {
                    let value = loaded.value.clone();
                    if let Ok(stored) = self.store(hash, now, key.to_owned(), loaded, is_still) {
                        return Ok(match (stored, present) {
                            (Some(_), None) => Computed::Inserted(value),
                            (Some(_), Some(_)) => Computed::Replaced(value),
                            (None, Some(present)) => Computed::Removed(present),
                            (None, None) => Computed::Kept(None),
                        });
                    }
                }
            }
        }
        Err(ComputeError::Contended)
    }

    /// Nothing is written; this call, too, reclaims some of what has expired elsewhere.
    fn kept(&self, hash: u64, now: Instant, present: Option<V>) -> Computed<V> {
        let mut after = After::new(&self.inner);
        self.inner.with(hash, |shard| shard.reclaim(now, RECLAIM, after.effects()));
        Computed::Kept(present)
    }
}
