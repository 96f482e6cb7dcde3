//! What all clones of a write-back cache share, how it is locked, and what holds an entry in it.

use alloc::{boxed::Box, vec::Vec};
use core::{mem, task::Waker};

use super::{
    Fault,
    book::Book,
    node::Node,
    room::Patience,
    timeless::{Aside, Timeless},
};
use crate::{
    DefaultHasher, Instant, Key, Runtime, Threads,
    contain::{Contained, both, each},
    dirty::{Ledger, Ticket},
    shard::Seat,
    share::{Engine, ShardOf},
    source::{Files, TaskOf},
    sync::Arc,
};

pub(crate) struct Shared<K: Key, V: Clone, E, R: Runtime> {
    pub(super) runtime: R,
    pub(super) backend: Arc<<R::Threads as Threads>::Files<K, V, E>>,
    /// Loads and flushes under way, each shared by all callers that wait for it, and the book beside them.
    pub(super) engine: Arc<EngineOf<K, V, E, R>>,
    pub(super) hasher: DefaultHasher,
    pub(super) settings: Settings,
    /// This cache in the graph of all.
    pub(super) node: Node<R::Threads>,
}

/// What is decided when the cache is built.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) name: Arc<str>,
    /// How many entries one call flushes at once.
    pub(super) flush_limit: usize,
    pub(super) flush_after: core::time::Duration,
}

/// What is shared while it is under way: a load, or one of the flushes of a key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task<K> {
    Load(K),
    Flush(K, u64),
}

impl<K: Eq> Task<K> {
    pub(super) fn is_load_of(&self, key: &K) -> bool {
        matches!(self, Self::Load(own) if own == key)
    }
}

/// The result of a task.
pub enum Done<K: Key, V: Clone, E, R: Runtime> {
    /// This was loaded, and gets its place when the load finishes.
    Brought(Box<Brought<K, V, E, R>>),
    /// The entry is there, and pinned for all callers that waited.
    Loaded(Arc<Pin<K, V, E, R>>),
    /// Its key was written meanwhile, and another load has loaded it since, or the cache was closed: look again.
    Elsewhere,
    /// This was written, and is clean when the flush finishes.
    Written(Writing<K, V, E, R>),
    Flushed,
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for Done<K, V, E, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Loaded(pin) => Self::Loaded(Arc::clone(pin)),
            // No caller gets what is not finished.
            Self::Elsewhere | Self::Brought(_) => Self::Elsewhere,
            Self::Flushed | Self::Written(_) => Self::Flushed,
        }
    }
}

/// A task of the engine's.
pub(super) type TaskFor<K, V, E, R> = TaskOf<Done<K, V, E, R>, Fault<K, E>, <R as Runtime>::Threads>;

/// What keeps the book of a write-back cache.
pub(super) type BookOf<K, V, E, R> = Book<K, V, E, <R as Runtime>::Threads>;

/// The runtime of the engine of a write-back cache.
pub(super) type TimelessOf<K, V, E, R> = Timeless<R, BookOf<K, V, E, R>>;

/// The engine of a write-back cache. It stores nothing: the book does.
pub(super) type EngineOf<K, V, E, R> = Engine<Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside>;

/// The loads and flushes that are under way.
pub(super) type FlightsOf<K, V, E, R> = ShardOf<Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside>;

impl<K: Key, V: Clone, E, R: Runtime> Shared<K, V, E, R> {
    pub(super) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Reads the clock; its very end is no deadline, or what is due there would never be.
    pub(super) fn now(&self) -> Instant {
        self.runtime.now().told()
    }

    /// Runs `f` on the flights and the book, alone, and lets the graph know what it has to.
    pub(super) fn with_flights<T>(
        &self,
        f: impl FnOnce(&mut FlightsOf<K, V, E, R>, &mut BookOf<K, V, E, R>) -> T,
    ) -> T {
        let (result, served, _failure) = self.engine.shards.of(0).with_both(|flights, book| {
            let result = f(flights, book);
            (result, book.note(), book.forget_failure())
        });
        self.node.serve(served);
        result
    }

    /// The same for what is an affair of the book alone.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut BookOf<K, V, E, R>) -> T) -> T {
        self.with_flights(|_, book| f(book))
    }

    /// The same for what wakes callers, which is done once the lock is released.
    pub(super) fn waking(&self, f: impl FnOnce(&mut Ledger<K, V, Waker>) -> Vec<Waker>) {
        let wakers = self.with(|book| f(&mut book.ledger));
        each(wakers.into_iter(), Waker::wake);
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Shared<K, V, E, R> {
    fn drop(&mut self) {
        let mut others = self.node.forget(true);
        // Taken, not cloned: a key that panics there would keep the back end from being told of any.
        let (keys, values): (Vec<_>, Vec<_>) = self.with(|book| book.ledger.take_dirty()).into_iter().unzip();
        let _values = Contained(values);
        let tell = |_: &mut _| _ = (!keys.is_empty()).then(|| self.backend.lost(keys));
        // Told first: caches that go with this one may panic.
        both(&mut others, tell, |others| each(others.drain(..), drop));
    }
}

/// A pin of one entry, which is taken away when this is dropped.
pub struct Pin<K: Key, V: Clone, E, R: Runtime> {
    pub(super) shared: Arc<Shared<K, V, E, R>>,
    pub(super) place: u32,
}

impl<K: Key, V: Clone, E, R: Runtime> Pin<K, V, E, R> {
    /// Takes over a pin.
    pub(super) fn new(shared: &Arc<Shared<K, V, E, R>>, place: u32) -> Self {
        Self { shared: Arc::clone(shared), place }
    }

    /// Pins the entry of a key, if there is one.
    pub(super) fn of(shared: &Arc<Shared<K, V, E, R>>, key: &K) -> Option<Self> {
        let hash = shared.hash(key);
        let place = shared.with(|book| {
            let place = book.ledger.find(hash, |k| k == key)?;
            book.ledger.pin(place);
            Some(place)
        })?;
        Some(Self::new(shared, place))
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Clone for Pin<K, V, E, R> {
    fn clone(&self) -> Self {
        self.shared.with(|book| book.ledger.pin(self.place));
        Self::new(&self.shared, self.place)
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Pin<K, V, E, R> {
    fn drop(&mut self) {
        self.shared.waking(|ledger| ledger.unpin(self.place));
    }
}

/// A reserved place; dropping it passes it on.
pub(crate) struct Place<K: Key, V: Clone, E, R: Runtime> {
    pub(super) shared: Arc<Shared<K, V, E, R>>,
    /// Whether the way to it is clear.
    pub(super) is_clear: bool,
    /// It is taken now, or was given back.
    is_spent: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Place<K, V, E, R> {
    /// Takes over a place.
    pub(super) fn new(shared: &Arc<Shared<K, V, E, R>>) -> Self {
        Self { shared: Arc::clone(shared), is_clear: false, is_spent: false }
    }

    /// Notes that the place is taken now.
    pub(super) const fn spend(&mut self) {
        self.is_spent = true;
    }

    /// Passes it on, within a step under the lock; returns the wakers to wake.
    pub(super) fn give_back(&mut self, ledger: &mut Ledger<K, V, Waker>) -> Vec<Waker> {
        self.is_spent = true;
        ledger.give_back(self.is_clear)
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Place<K, V, E, R> {
    fn drop(&mut self) {
        if !self.is_spent {
            self.shared.waking(|ledger| ledger.give_back(self.is_clear));
        }
    }
}

/// An entry that is being written; dropped, it is as dirty as it was.
pub struct Writing<K: Key, V: Clone, E, R: Runtime> {
    pub(super) shared: Arc<Shared<K, V, E, R>>,
    place: u32,
    is_over: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Writing<K, V, E, R> {
    /// Takes over the entry at this place, whose flush has begun.
    pub(super) fn new(shared: &Arc<Shared<K, V, E, R>>, place: u32) -> Self {
        Self { shared: Arc::clone(shared), place, is_over: false }
    }

    /// Notes whether it was written, within a step under the lock; returns the wakers to wake.
    pub(super) fn end(&mut self, book: &mut BookOf<K, V, E, R>, is_written: bool) -> Vec<Waker> {
        self.is_over = true;
        book.ledger.end_flush(self.place, is_written);
        mem::take(&mut book.ending)
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Writing<K, V, E, R> {
    fn drop(&mut self) {
        if !self.is_over {
            let shared = Arc::clone(&self.shared);
            let ending = shared.with(|book| self.end(book, false));
            each(ending.into_iter(), Waker::wake);
        }
    }
}

/// What a load has brought, on its way to its reserved place.
pub struct Brought<K: Key, V: Clone, E, R: Runtime> {
    pub(super) hash: u64,
    /// Set until it has its place.
    pub(super) new: Option<(K, V)>,
    pub(super) place: Place<K, V, E, R>,
    pub(super) patience: Patience,
    /// Its turn among those that wait for another place, if it has waited for one.
    pub(super) again: Option<Ticket>,
    /// What has left for it.
    pub(super) left: Option<(K, V)>,
    /// Continues with it if it has no place yet.
    pub(super) resume: Resume<K, V, E, R>,
}

/// Turns a value that has no place yet back into a load.
pub(super) type Resume<K, V, E, R> =
    fn(Brought<K, V, E, R>, Seat<<R as Runtime>::Notify>, Refused) -> TaskFor<K, V, E, R>;

/// Why a value has no place yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Something has to be flushed first.
    Dirty,
    /// Everything is pinned.
    Full,
    /// It is out of date, as its key was written since.
    Void,
}
