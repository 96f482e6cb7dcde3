//! The end of a cache.

use core::task::Waker;

use super::{FlushError, WriteBack, threads::Threads};
use crate::{Backend, Key, Runtime, contain::each};

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> WriteBack<K, B, R, D> {
    /// Closes the cache and writes everything that is dirty.
    ///
    /// From its first poll on, calls that would load or store fail with [`Closed`](crate::WriteBackError::Closed); changes
    /// through handles that are still there count. It may be called again, to write what could not be written.
    ///
    /// # Errors
    ///
    /// All keys that could not be written, each with the reason; they stay dirty.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the cache is closed, and what was not written is dirty.
    pub async fn close(&self) -> Result<(), FlushError<K, B::Error>> {
        let wake = self.shared.with(|book| {
            book.is_closed = true;
            // Who waits for room will not need it.
            book.ledger.call_all()
        });
        each(wake.into_iter(), Waker::wake);
        self.flush().await
    }
}
