//! What all clones of a write-back cache share, and how it is locked.

use alloc::{sync::Arc, vec::Vec};
use core::{hash::BuildHasher, task::Waker};

use super::{job::Job, node::Node, pinned::Pinned, timeless::Timeless};
use crate::{
    Cache, DefaultHasher, Instant, Key, Lock, Runtime, Threads, Tuned,
    contain::{contain, each},
    dirty::{Ledger, Need},
    policy::Lru,
    source::{Files, TaskOf},
    write_back::Fault,
};

pub(crate) struct Shared<K: Key, V: Clone, E, R: Runtime> {
    pub(super) runtime: R,
    pub(super) backend: Arc<<R::Threads as Threads>::Files<K, V, E>>,
    pub(super) book: R::Lock<Book<K, V, R::Threads>>,
    /// Loads and flushes that are under way, each shared by all who wait for it. Stores nothing.
    pub(super) io: Io<K, V, E, R>,
    /// Erases the type of a task.
    pub(super) wrap: Wrap<K, V, E, R>,
    pub(super) hasher: DefaultHasher,
    pub(super) settings: Settings,
    /// This cache in the graph of all.
    pub(super) node: Node,
}

/// What is decided when the cache is built.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) name: Arc<str>,
    /// How many entries one call flushes at once.
    pub(super) flush_limit: usize,
    pub(super) flush_after: core::time::Duration,
}

/// All that is kept under the lock.
pub(super) struct Book<K, V, T: Threads> {
    pub(super) ledger: Ledger<K, V, Waker>,
    /// The caches that this one depends on.
    pub(super) links: Vec<(Node, Arc<T::Other>)>,
    pub(super) is_closed: bool,
    /// Whether another cache depends, or has depended, on this one.
    pub(super) is_needed: bool,
    /// The first change that is not on disk, as the graph knows of it.
    pub(super) noted: Option<u64>,
    /// The keys whose loads wait for room.
    pub(super) stuck: Vec<K>,
    /// Who waits for a flush that was given up and has not gone yet.
    pub(super) ending: Vec<Waker>,
}

/// What is shared while it is under way: a load, or one of the flushes of a key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task<K> {
    Load(K),
    Flush(K, u64),
}

/// What a task comes to.
pub enum Done<K: Key, V: Clone, E, R: Runtime> {
    Loaded(Pinned<K, V, E, R>),
    Flushed,
}

/// The engine by which tasks are shared.
pub(super) type Io<K, V, E, R> = Cache<Task<K>, Done<K, V, E, R>, Fault<K, E>, Timeless<R>, Tuned<Lru>>;

/// Makes a load of the engine's of a task.
pub(super) type Wrap<K, V, E, R> =
    fn(Job<K, V, E, R>) -> TaskOf<Done<K, V, E, R>, Fault<K, E>, <R as Runtime>::Threads>;

impl<K: Key, V: Clone, E, R: Runtime> Clone for Done<K, V, E, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Loaded(handle) => Self::Loaded(handle.clone()),
            Self::Flushed => Self::Flushed,
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Shared<K, V, E, R> {
    pub(super) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Reads the clock; its very end is no deadline, or what is due there would never be.
    pub(super) fn now(&self) -> Instant {
        self.runtime.now().told()
    }

    /// Runs `f` on the book, alone, and lets the graph know what it has to.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Book<K, V, R::Threads>) -> T) -> T {
        self.book.with(|book| {
            let result = f(book);
            if book.is_needed {
                book.note(&self.node);
            }
            result
        })
    }

    /// Returns what has to be flushed before this cache, with what it needs of each, and lets go of what was flushed.
    pub(super) fn needed(&self) -> Vec<(Arc<<R::Threads as Threads>::Other>, Need)> {
        let (needed, _gone) = self.with(|book| {
            if book.links.is_empty() {
                return (Vec::new(), Vec::new());
            }
            let needs = self.node.needs();
            let other =
                |node: &Node| book.links.iter().find(|(link, _)| link == node).map(|(_, other)| Arc::clone(other));
            let needed = needs.iter().filter_map(|(node, need)| Some((other(node)?, *need))).collect();
            let is_needed = |node: &Node| needs.iter().any(|(needed, _)| needed == node);
            let (links, gone) = core::mem::take(&mut book.links).into_iter().partition(|(node, _)| is_needed(node));
            book.links = links;
            (needed, gone)
        });
        needed
    }

    /// The same for what wakes callers, which is done once the lock is released.
    pub(super) fn waking(&self, f: impl FnOnce(&mut Ledger<K, V, Waker>) -> Vec<Waker>) {
        let wakers = self.with(|book| f(&mut book.ledger));
        each(wakers.into_iter(), Waker::wake);
    }
}

impl<K, V, T: Threads> Book<K, V, T> {
    /// Tells the graph of the first change that is not on disk.
    pub(super) fn note(&mut self, node: &Node) {
        let oldest = self.ledger.oldest();
        if core::mem::replace(&mut self.noted, oldest) != oldest {
            node.note(oldest);
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Shared<K, V, E, R> {
    fn drop(&mut self) {
        self.node.leave();
        // Taken, not cloned: a key that panics there would keep the back end from hearing of any.
        let (keys, _values): (Vec<_>, Vec<_>) = self.book.with(|book| book.ledger.take_dirty()).into_iter().unzip();
        if !keys.is_empty() {
            contain(|| self.backend.lost(keys));
        }
    }
}
