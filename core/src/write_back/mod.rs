//! The shell of the write-back cache: locks its ledger, asks it, unlocks, and then wakes, drops and calls the back end.
//!
//! Loads and flushes under way are shared by the same engine as the loads of a [`Cache`](crate::Cache): a job is stored
//! in a flight, and any caller that waits for it drives it. A job holds what it has claimed by guards, so it may be
//! dropped at any await.

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

use core::fmt;

pub use builder::WriteBackBuilder;
pub use depend::{DependError, FlushFirst};
pub use error::{CircleError, Fault, FlushError, Unflushed, WriteBackError};
pub use flush::Flush;
pub use pinned::Pinned;
pub use room::Room;
pub use weak::WeakWriteBack;

use crate::{Key, Runtime, sync::Arc};
use lookup::Wraps;
use shared::Shared;

/// A write-back cache: values are changed in memory, and written later.
///
/// It holds a bounded number of entries of a [`Backend`](crate::Backend). Each is pinned while a [`Pinned`] handle to
/// it lives; a change makes it dirty, and it is written when it is [flushed](Self::flush), or when its room is needed
/// for another entry. Cloning is cheap, and all clones are one cache. `E` is the error of the back end, and `R` the
/// runtime. Made by [`WriteBack::builder`].
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
///
/// let disk = Memory::from([(1, "one"), (2, "two")]);
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).capacity(1).build()?;
/// block_on(cache.get_or_load(&1))?.set("uno"); // from here on, it is in the cache or on disk
/// assert_eq!(disk.get(&1), Some("one"));
/// block_on(cache.get_or_load(&2))?; // needs its place
/// assert_eq!(disk.get(&1), Some("uno"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What holds
///
/// * **Nothing is lost.** A dirty entry leaves only once it has been written. A flush that fails, panics or is dropped
///   leaves it dirty, in its place. At the end of a program, [`close`](Self::close) writes everything that is dirty; if
///   the cache is dropped with dirty entries, the back end [is told](crate::Backend::lost).
/// * **Order.** What a cache [depends on](Self::depend_on) is on disk before it is, across any number of caches. A
///   dependency that would close a circle is refused when it is added.
/// * **No caller waits for unrelated work.** No lock is held while the back end works: a hit does not wait for the load
///   or the flush of another key, and a change does not wait for the flush of its own key.
/// * **Work is shared.** Callers of a key share its load, and callers that flush it share its flush. Any of them that
///   is polled drives it; a caller that is dropped leaves it to the others, and nothing is lost.
/// * **Room in order.** If all entries are pinned, waiting callers are served in order of arrival. Room is reserved
///   before a load, and nothing leaves before the load has succeeded. The least recently used entry leaves, at the same
///   cost however many entries there are; a clean one costs no I/O.
///
/// # Values
///
/// Values are cloned for each reader and each flush, so put large ones into an `Arc`. A [change](Pinned::update) works
/// on a clone: what is being written stays as it was when its flush began, and the entry is dirty again.
///
/// Loads and flushes are polled from the task of whichever caller is polled. The back end may ask the cache for other
/// keys, for which there has to be room beside that of the asking loads; asking for the key it is working on fails with
/// [`WriteBackError::Reentrant`].
///
/// In a program without async, `parts::block_on` (with `std`) waits for any call; a [time limit](Room::Within) for room
/// then holds without a runtime.
///
/// # Origin
///
/// The rules are those of the metadata cache in `imago` 0.2, whose order of flushing is that of QEMU's qcow2 driver;
/// [`migration::from_imago`](crate::migration::from_imago) lists what differs, and why, behaviour by behaviour.
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
