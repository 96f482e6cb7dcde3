//! What a write-back cache keeps under its lock, beside the loads and flushes that are under way.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{mem, task::Waker};

use super::{
    WriteBackError,
    node::{Node, Served},
};
use crate::{
    Instant, Threads,
    dirty::{Delays, Ledger},
};

/// The entries, and the callers that wait for room.
pub(crate) struct Book<K, V, E, T: Threads> {
    pub(super) ledger: Ledger<K, V, Waker>,
    pub(super) is_closed: bool,
    /// Where it is in the graph, if another cache depends or has depended on this one.
    pub(super) node: Option<Node<T>>,
    /// The first change that is not on disk and the last one, as the graph knows of them.
    noted: (Option<u64>, u64),
    /// The keys whose loads wait for room, by their hashes and the numbers of these notes.
    pub(super) stuck: BTreeMap<(u64, u64), K>,
    /// How many such notes there have been.
    notes: u64,
    /// The first failure to make room, for as long as the back end counts as failing.
    pub(super) failure: Option<(K, WriteBackError<K, E>)>,
    /// The callers that wait for a flush that was given up and has not ended yet.
    pub(super) ending: Vec<Waker>,
    /// The callers that wait for the flush of what is to leave, by their numbers.
    pub(super) cleaning: BTreeMap<u64, Waker>,
}

impl<K, V, E, T: Threads> Book<K, V, E, T> {
    /// An empty book with room for so many entries.
    pub(super) fn new(capacity: usize, delays: Delays) -> Self {
        Self {
            ledger: Ledger::new(capacity, delays),
            is_closed: false,
            node: None,
            noted: (None, 0),
            stuck: BTreeMap::new(),
            notes: 0,
            failure: None,
            ending: Vec::new(),
            cleaning: BTreeMap::new(),
        }
    }

    /// Tells the graph of the first change that is not on disk and of the last one; returns which caches have to be
    /// told, too.
    pub(super) fn note(&mut self) -> Served<T> {
        let Some(node) = &self.node else { return Vec::new() };
        let now = (self.ledger.oldest(), self.ledger.last_change());
        if mem::replace(&mut self.noted, now) == now {
            return Vec::new();
        }
        node.note(now.0, now.1)
    }

    /// Notes that the load of a key waits for room; returns by what that is taken back.
    pub(super) fn note_stuck(&mut self, hash: u64, key: K) -> (u64, u64) {
        self.notes += 1;
        let note = (hash, self.notes);
        self.stuck.insert(note, key);
        note
    }

    /// Notes what wakes a caller that waits for the flush of what is to leave, where it was noted before; returns by what
    /// that is taken back.
    pub(super) fn note_cleaning(&mut self, note: Option<u64>, waker: Waker) -> u64 {
        self.notes += u64::from(note.is_none());
        let note = note.unwrap_or(self.notes);
        self.cleaning.insert(note, waker);
        note
    }

    /// Makes the callers that wait for such a flush look whether they still have to; returns the wakers to wake.
    pub(super) fn call_cleaning(&mut self) -> impl Iterator<Item = Waker> + use<K, V, E, T> {
        mem::take(&mut self.cleaning).into_values()
    }

    /// Returns whether the load of this key waits for room.
    pub(super) fn is_stuck(&self, hash: u64, key: &K) -> bool
    where
        K: Eq,
    {
        self.stuck.range((hash, 0)..=(hash, u64::MAX)).any(|(_, noted)| noted == key)
    }

    /// Notes why no room could be made; the first reason stays. The old one is dropped outside of the lock.
    pub(super) fn fail(
        &mut self,
        (since, round): (u64, u64),
        why: &mut Option<(K, WriteBackError<K, E>)>,
        now: Instant,
    ) {
        if !self.ledger.health.is_bad() {
            mem::swap(&mut self.failure, why);
        }
        self.ledger.fail(since, round, now);
    }

    /// Returns what is not needed any more, as the back end works again.
    pub(super) fn forget_failure(&mut self) -> Option<(K, WriteBackError<K, E>)> {
        self.failure.take_if(|_| !self.ledger.health.is_bad())
    }
}

/// A book without room, until there is another.
impl<K, V, E, T: Threads> Default for Book<K, V, E, T> {
    fn default() -> Self {
        Self::new(0, Delays::default())
    }
}
