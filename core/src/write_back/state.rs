//! How it stands with a write-back cache.

use super::{WriteBack, threads::Threads};
use crate::{Backend, Key, Runtime};

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> WriteBack<K, B, R, D> {
    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.shared.with(|book| book.ledger.len())
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many entries have changes that are not on disk.
    pub fn dirty(&self) -> usize {
        self.shared.with(|book| book.ledger.dirty())
    }

    /// Returns how many entries are pinned.
    pub fn pinned(&self) -> usize {
        self.shared.with(|book| book.ledger.pinned())
    }

    /// Tells whether the cache was closed.
    pub fn is_closed(&self) -> bool {
        self.shared.with(|book| book.is_closed)
    }

    /// Returns the back end.
    pub fn backend(&self) -> &B {
        &self.shared.backend
    }

    /// Returns the runtime.
    pub fn runtime(&self) -> &R {
        self.shared.io.runtime()
    }

    /// Returns the name by which errors call this cache.
    pub fn name(&self) -> &str {
        &self.shared.settings.name
    }
}
