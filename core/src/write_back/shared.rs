//! What all clones of a write-back cache share, and how it is locked.

use alloc::{sync::Arc, vec::Vec};
use core::{hash::BuildHasher, marker::PhantomData, task::Waker};

use super::{
    job::Job,
    node::Node,
    pinned::Pinned,
    threads::{ManyThreads, Threads},
    timeless::Timeless,
};
use crate::{
    Backend, Cache, DefaultHasher, Instant, Key, Loaded, Lock, Previous, Runtime, Source,
    contain::{contain, each},
    dirty::{Ledger, Need},
    policy::Lru,
    seams::{NoBatch, sealed::Sealed},
    write_back::Fault,
};

pub(crate) struct Shared<K: Key, B: Backend<K>, R: Runtime, D: Threads = ManyThreads> {
    pub(super) runtime: R,
    pub(super) backend: B,
    pub(super) book: R::Lock<Book<K, B::Value, D>>,
    /// Loads and flushes that are under way, each shared by all who wait for it. Stores nothing.
    pub(super) io: Io<K, B, R, D>,
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
pub(super) struct Book<K, V, D: Threads> {
    pub(super) ledger: Ledger<K, V, Waker>,
    /// The caches that this one depends on.
    pub(super) links: Vec<(Node, Arc<D::Other>)>,
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
pub(crate) enum Done<K: Key, B: Backend<K>, R: Runtime, D: Threads> {
    Loaded(Pinned<K, B, R, D>),
    Flushed,
}

/// The engine by which tasks are shared.
pub(super) type Io<K, B, R, D> = Cache<Task<K>, Jobs<K, B, R, D>, Timeless<R>, Lru, DefaultHasher>;

/// A source of tasks, each of which is brought by who asks first.
pub(crate) struct Jobs<K, B, R, D>(PhantomData<fn() -> (K, B, R, D)>);

impl<K, B, R, D> Jobs<K, B, R, D> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Clone for Done<K, B, R, D> {
    fn clone(&self) -> Self {
        match self {
            Self::Loaded(handle) => Self::Loaded(handle.clone()),
            Self::Flushed => Self::Flushed,
        }
    }
}

impl<K, B, R, D> Sealed for Jobs<K, B, R, D> {}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Source<Task<K>> for Jobs<K, B, R, D> {
    type Value = Done<K, B, R, D>;
    type Error = Fault<K, B::Error>;
    type Answer = Loaded<Self::Value>;
    type Future = Job<K, B, R, D>;
    type Batch = NoBatch<Task<K>, Self::Value, Self::Error>;

    fn begin(&self, _: Task<K>, _: Option<Previous<Self::Value>>) -> Option<Self::Future> {
        None
    }
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Shared<K, B, R, D> {
    pub(super) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Reads the clock; its very end is no deadline, or what is due there would never be.
    pub(super) fn now(&self) -> Instant {
        self.runtime.now().told()
    }

    /// Runs `f` on the book, alone, and lets the graph know what it has to.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Book<K, B::Value, D>) -> T) -> T {
        self.book.with(|book| {
            let result = f(book);
            if book.is_needed {
                book.note(&self.node);
            }
            result
        })
    }

    /// Returns what has to be flushed before this cache, with what it needs of each, and lets go of what was flushed.
    pub(super) fn needed(&self) -> Vec<(Arc<D::Other>, Need)> {
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
    pub(super) fn waking(&self, f: impl FnOnce(&mut Ledger<K, B::Value, Waker>) -> Vec<Waker>) {
        let wakers = self.with(|book| f(&mut book.ledger));
        each(wakers.into_iter(), Waker::wake);
    }
}

impl<K, V, D: Threads> Book<K, V, D> {
    /// Tells the graph of the first change that is not on disk.
    pub(super) fn note(&mut self, node: &Node) {
        let oldest = self.ledger.oldest();
        if core::mem::replace(&mut self.noted, oldest) != oldest {
            node.note(oldest);
        }
    }
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Drop for Shared<K, B, R, D> {
    fn drop(&mut self) {
        self.node.leave();
        // Taken, not cloned: a key that panics there would keep the back end from hearing of any.
        let (keys, _values): (Vec<_>, Vec<_>) = self.book.with(|book| book.ledger.take_dirty()).into_iter().unzip();
        if !keys.is_empty() {
            contain(|| self.backend.lost(keys));
        }
    }
}
