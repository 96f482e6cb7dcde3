//! The shell of the write-back cache: locks its ledger, asks it, unlocks, and then wakes, drops and calls the back end.
//!
//! What is under way, loads and flushes, is shared by the same engine as the loads of a [`Cache`](crate::Cache): a
//! job rests in a flight, and the one who waits for it carries it on. A job holds what it has claimed by guards, so that it
//! may be dropped at any await.

mod book;
mod builder;
mod close;
mod depend;
mod error;
mod finish;
mod flush;
mod flush_job;
mod get;
mod group;
mod insert;
mod leave;
mod load_job;
mod lookup;
mod needs;
mod node;
mod pinned;
mod place;
mod room;
mod running;
mod settle;
mod share;
mod shared;
mod state;
mod timeless;
mod weak;

use alloc::sync::Arc;
use core::fmt;

pub use builder::WriteBackBuilder;
pub use depend::{DependError, FlushFirst};
pub use error::{CircleError, Fault, FlushError, Unflushed, WriteBackError};
pub use flush::Flush;
pub use pinned::Pinned;
pub use room::Room;
pub use weak::WeakWriteBack;

use crate::{Key, Runtime};
use lookup::Wraps;
use shared::Shared;

/// A write-back cache: values are changed in memory, and written behind.
///
/// It holds up to so many entries of a [`Backend`](crate::Backend). Each is pinned while a [`Pinned`] handle to it lives; a change makes it
/// dirty, and it is written when it is [flushed](Self::flush), or when room is needed for another. Cloning is cheap, and all
/// clones are one cache. `E` is what the back end's errors are, and `R` the runtime. Made by [`WriteBack::builder`].
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
///
/// let disk = Memory::from([(1, "one"), (2, "two")]);
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).capacity(1).build()?;
/// block_on(cache.get_or_load(&1))?.set("uno"); // from here on, it is in the cache or on disk
/// assert_eq!(disk.get(&1), Some("one"));
/// block_on(cache.get_or_load(&2))?; // needs its room
/// assert_eq!(disk.get(&1), Some("uno"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What holds
///
/// * **Nothing is lost.** A dirty entry leaves only once it has been written. A flush that fails, panics or is dropped leaves
///   it dirty, in its place. At the end of a program, [`close`](Self::close) writes all that is dirty; dropping the cache
///   with dirty entries is [heard of](crate::Backend::lost).
/// * **Order.** What a cache [depends on](Self::depend_on) is on disk before it is, across any number of caches. What would
///   be a circle is refused when it is added.
/// * **Nobody waits for what is not theirs.** No lock is held while the back end works: a hit does not wait for the load or
///   the flush of another key, nor a change for the flush of its own.
/// * **Work is shared.** Callers of a key share its load, and those who flush it its flush. Any of them who is polled carries
///   it on; one who is dropped leaves it to the others, and takes nothing along.
/// * **Room in order.** Where all entries are pinned, who waits is served in order of arrival. Room is spoken for before a
///   load, and nothing leaves before that has succeeded. The entry leaves that was not in use for the longest, at the same
///   cost however many there are; a clean one costs no I/O.
///
/// # Values
///
/// They are cloned for each reader and each flush, so large ones go into an `Arc`. A [change](Pinned::update) works on a
/// clone: what is being written stays as it was when its flush began, and the entry is dirty again.
///
/// Loads and flushes are polled from the task of whichever caller is polled. The back end may ask the cache for other keys,
/// for which there has to be room beside that of the loads which ask; asking for the key it is working on fails with
/// [`WriteBackError::Reentrant`].
///
/// # Origin
///
/// The rules are those of the cache of metadata in `imago` 0.2, whose order of flushing is that of QEMU's qcow2 driver; what
/// differs, and why, is told behaviour by behaviour in [`migration::from_imago`](crate::migration::from_imago).
pub struct WriteBack<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    wraps: Wraps<K, V, E, R>,
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for WriteBack<K, V, E, R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), wraps: self.wraps }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> fmt::Debug for WriteBack<K, V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, dirty, pinned) = (self.len(), self.dirty(), self.pinned());
        f.debug_struct("WriteBack")
            .field("len", &len)
            .field("dirty", &dirty)
            .field("pinned", &pinned)
            .finish_non_exhaustive()
    }
}
