//! The end of a cache.

use core::{future::Future, task::Waker};

use super::{FlushError, WriteBack};
use crate::{Key, Runtime, contain::each, share::Once};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Closes the cache and writes everything that is dirty.
    ///
    /// From its first poll on, calls that would load or store fail with [`Closed`](crate::WriteBackError::Closed);
    /// changes through existing handles still count. It may be called again, to write what could not be written.
    ///
    /// # Errors
    ///
    /// All keys that could not be written, each with the reason; they stay dirty.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it is ready, the cache is closed, and what was not written stays dirty.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// block_on(cache.close())?;
    /// assert_eq!(disk.get(&1), Some("uno"));
    /// assert!(matches!(block_on(cache.get_or_load(&1)), Err(WriteBackError::Closed)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) -> impl Future<Output = Result<(), FlushError<K, E>>> + Unpin {
        Once::new(move || {
            Some(async move {
                let wake = self.shared.with(|book| {
                    book.is_closed = true;
                    // Callers that wait for room will not need it.
                    book.ledger.close()
                });
                each(wake.into_iter(), Waker::wake);
                self.flush().await
            })
        })
    }
}
