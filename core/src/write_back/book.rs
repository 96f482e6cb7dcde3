//! What a write-back cache keeps under its lock, beside the loads and flushes that are under way.

use alloc::{sync::Arc, vec::Vec};
use core::task::Waker;

use super::{Unflushed, node::Node};
use crate::{
    Threads,
    dirty::{Ledger, Need},
};

/// The entries, who waits for room, and what has to be flushed first.
pub(crate) struct Book<K, V, T: Threads> {
    pub(super) ledger: Ledger<K, V, Waker>,
    /// The caches that this one depends on.
    pub(super) links: Vec<(Node, Arc<Other<T>>)>,
    pub(super) is_closed: bool,
    /// Whether another cache depends, or has depended, on this one.
    pub(super) is_needed: bool,
    /// The first change that is not on disk, as the graph knows of it.
    noted: Option<u64>,
    /// The keys whose loads wait for room.
    pub(super) stuck: Vec<K>,
    /// Who waits for a flush that was given up and has not gone yet.
    pub(super) ending: Vec<Waker>,
}

/// Another cache, which is flushed before this one: flushes what is needed of it.
pub(super) type Other<T> = <T as Threads>::Callback<Need, FlushOf<T>>;

/// The flush of a whole cache.
pub(super) type FlushOf<T> = <T as Threads>::Task<Result<(), Unflushed>>;

impl<K, V, T: Threads> Book<K, V, T> {
    /// An empty book with room for so many entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ledger: Ledger::new(capacity),
            links: Vec::new(),
            is_closed: false,
            is_needed: false,
            noted: None,
            stuck: Vec::new(),
            ending: Vec::new(),
        }
    }

    /// Tells the graph of the first change that is not on disk.
    pub(super) fn note(&mut self, node: &Node) {
        let oldest = self.ledger.oldest();
        if core::mem::replace(&mut self.noted, oldest) != oldest {
            node.note(oldest);
        }
    }
}

/// A book without room, until there is another.
impl<K, V, T: Threads> Default for Book<K, V, T> {
    fn default() -> Self {
        Self::new(0)
    }
}
