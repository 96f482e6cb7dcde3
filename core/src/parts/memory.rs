//! A back end in memory.

use alloc::vec::Vec;
use core::{
    error::Error,
    fmt,
    future::{Ready, ready},
    hash::Hash,
};

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::{Backend, sync::Arc};

/// A back end that keeps values in memory, for tests and examples.
///
/// Clones share what is kept. All its futures are ready at once. A key that was never written fails with [`NotThere`].
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
///
/// let disk = Memory::from([(1, "one")]);
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
/// block_on(cache.get_or_load(&1))?.set("uno");
/// assert_eq!(disk.get(&1), Some("one"));
/// block_on(cache.flush())?;
/// assert_eq!(disk.get(&1), Some("uno"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Memory<K, V>(Arc<spin::Mutex<Kept<K, V>>>);

struct Kept<K, V> {
    values: HashMap<K, V, RandomState>,
    lost: Vec<K>,
}

impl<K: Hash + Eq, V> Memory<K, V> {
    /// Makes an empty one.
    ///
    /// ```
    /// # use larder::parts::Memory;
    /// assert_eq!(Memory::<u32, u32>::new().get(&1), None);
    /// ```
    pub fn new() -> Self {
        Self::from([])
    }

    /// Returns what is kept under a key.
    ///
    /// ```
    /// # use larder::parts::Memory;
    /// assert_eq!(Memory::from([(1, "one")]).get(&1), Some("one"));
    /// ```
    pub fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        self.0.lock().values.get(key).cloned()
    }

    /// Keeps a value, as if written from elsewhere; returns the previous one.
    ///
    /// ```
    /// # use larder::parts::Memory;
    /// let disk = Memory::new();
    /// disk.put(1, "one");
    /// assert_eq!(disk.get(&1), Some("one"));
    /// ```
    pub fn put(&self, key: K, value: V) -> Option<V> {
        self.0.lock().values.insert(key, value)
    }

    /// Returns the keys that were dirty when a cache in front of this was dropped.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// let disk = Memory::from([(1, "one")]);
    /// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// drop(cache); // without closing it
    /// assert_eq!(disk.lost(), [1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lost(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.0.lock().lost.clone()
    }
}

impl<K, V> Clone for Memory<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Hash + Eq, V, const N: usize> From<[(K, V); N]> for Memory<K, V> {
    fn from(values: [(K, V); N]) -> Self {
        let values = values.into_iter().collect();
        Self(Arc::new(spin::Mutex::new(Kept { values, lost: Vec::new() })))
    }
}

impl<K, V> fmt::Debug for Memory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("len", &self.0.lock().values.len()).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq, V: Clone> Backend<K> for Memory<K, V> {
    type Value = V;
    type Error = NotThere;
    type Load = Ready<Result<V, NotThere>>;
    type Flush = Ready<Result<(), NotThere>>;
    type Discard = Ready<()>;

    fn load(&self, key: K) -> Self::Load {
        ready(self.get(&key).ok_or(NotThere))
    }

    fn flush(&self, key: K, value: V) -> Self::Flush {
        let _old = self.put(key, value);
        ready(Ok(()))
    }

    fn discard(&self, _: K, _: V) -> Self::Discard {
        ready(())
    }

    fn lost(&self, keys: Vec<K>) {
        self.0.lock().lost.extend(keys);
    }
}

/// The error of [`Memory`] for a key that was never written.
///
/// ```
/// # use larder::{Backend, parts::{Memory, NotThere}};
/// # use futures_lite::future::block_on;
/// assert_eq!(block_on(Memory::<u32, u32>::new().load(1)), Err(NotThere));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThere;

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was ever written there")
    }
}

impl Error for NotThere {}
