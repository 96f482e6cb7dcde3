//! What a write-back cache keeps under its lock, beside the loads and flushes that are under way.

use alloc::vec::Vec;
use core::task::Waker;

use super::node::{Node, Served};
use crate::{Threads, dirty::Ledger};

/// The entries, and who waits for room.
pub(crate) struct Book<K, V, T: Threads> {
    pub(super) ledger: Ledger<K, V, Waker>,
    pub(super) is_closed: bool,
    /// Where it is in the graph, if another cache depends or has depended on this one.
    pub(super) node: Option<Node<T>>,
    /// The first change that is not on disk and the last one, as the graph knows of them.
    noted: (Option<u64>, u64),
    /// The keys whose loads wait for room.
    pub(super) stuck: Vec<K>,
    /// Who waits for a flush that was given up and has not gone yet.
    pub(super) ending: Vec<Waker>,
}

impl<K, V, T: Threads> Book<K, V, T> {
    /// An empty book with room for so many entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ledger: Ledger::new(capacity),
            is_closed: false,
            node: None,
            noted: (None, 0),
            stuck: Vec::new(),
            ending: Vec::new(),
        }
    }

    /// Tells the graph of the first change that is not on disk and of the last one; returns who is to hear of it, too.
    pub(super) fn note(&mut self) -> Served<T> {
        let Some(node) = &self.node else { return Vec::new() };
        let now = (self.ledger.oldest(), self.ledger.last_change());
        if core::mem::replace(&mut self.noted, now) == now {
            return Vec::new();
        }
        node.note(now.0, now.1)
    }
}

/// A book without room, until there is another.
impl<K, V, T: Threads> Default for Book<K, V, T> {
    fn default() -> Self {
        Self::new(0)
    }
}
