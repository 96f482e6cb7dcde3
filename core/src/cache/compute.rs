//! Changes that depend on the value that is there.

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, hash::Hash};

use super::Cache;
use crate::{
    Key, Loaded, Runtime, Tuning,
    share::{After, ShardOf},
};

/// What becomes of a value that [`Cache::compute`] shows.
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
    /// When all stays as it is; this is no write.
    Keep,
    /// When this value is stored, over the one that is there, as by [`Cache::insert_with`].
    Store(Loaded<V>),
    /// When the value is removed, as by [`Cache::remove`]; where there is none, nothing changes.
    Remove,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Keeps, changes or removes the value of `key`, by what it is.
    ///
    /// The closure is shown a copy of the fresh value, or `None`, and its change is made only if the key still has that
    /// very value, or still none. It runs outside every lock and may call the cache: if there is another value when it
    /// returns, or none any more, it is called again. So a closure that writes to its own key each time it is called never comes to an end.
    ///
    /// Returns the value that the key has afterwards, if there is one. Counts no lookup, but the value was asked for.
    ///
    /// ```
    /// # use larder::{Cache, Change, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let cache = Cache::<String, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// // If there is one, count it down to nothing.
    /// let count_down = |present: Option<&u32>| match present {
    ///     Some(0 | 1) => Change::Remove,
    ///     Some(count) => Change::Store(Loaded::new(count - 1)),
    ///     None => Change::Keep,
    /// };
    /// cache.insert("tries".to_string(), 2);
    /// assert_eq!(cache.compute("tries", count_down), Some(1));
    /// assert_eq!(cache.compute("tries", count_down), None);
    /// assert!(!cache.contains("tries"));
    ///
    /// // Unless there is a valid one, replace it.
    /// let at_least_5 = |present: Option<&u32>| match present {
    ///     Some(count) if *count >= 5 => Change::Keep,
    ///     _ => Change::Store(Loaded::new(5)),
    /// };
    /// assert_eq!(cache.compute("tries", at_least_5), Some(5));
    /// assert_eq!(cache.stats().stored, 3);
    /// assert_eq!(cache.compute("tries", at_least_5), Some(5));
    /// assert_eq!(cache.stats().stored, 3); // nothing was written
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn compute<Q>(&self, key: &Q, mut change: impl FnMut(Option<&V>) -> Change<V>) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let inner = &*self.inner;
        let hash = inner.hash(key);
        let eq = |k: &K| k.borrow() == key;
        loop {
            // Anew each time: the closure takes as long as it likes.
            let now = inner.runtime.now().told();
            let found = inner.with(hash, |shard| shard.consult(hash, now, eq));
            let (present, seen) = found.unzip();
            let is_still = |shard: &ShardOf<K, V, E, R, S::Policy>| shard.is_still(seen, hash, now, eq);
            match change(present.as_ref()) {
                Change::Keep => return present,
                Change::Remove if seen.is_none() => return None,
                Change::Remove => {
                    let mut after = After::new(inner);
                    let effects = after.effects();
                    if inner.with(hash, |shard| is_still(shard) && shard.remove(hash, now, eq, effects)) {
                        return None;
                    }
                }
                Change::Store(loaded) => {
                    let value = loaded.value.clone();
                    if let Ok(stored) = self.store(hash, now, key.to_owned(), loaded, is_still) {
                        return stored.map(|_| value);
                    }
                }
            }
        }
    }
}
