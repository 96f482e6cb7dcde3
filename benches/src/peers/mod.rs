//! The caches side by side, each as its own documentation uses it.

use std::{fmt::Debug, future::Future, hash::Hash, sync::Arc, time::Duration};

use crate::Source;

mod deadline;
mod fibre;
mod floor;
mod foyer;
mod larder;
mod locked;
mod moka;
mod pingora;
mod quick;

pub use self::{
    deadline::{CoarseQuick, TimedQuick},
    fibre::Fibre,
    floor::Floor,
    foyer::Foyer,
    larder::{CoarseLarder, Larder, NearLarder, TokioLarder},
    locked::{CachedLru, Lru, MicroMoka},
    moka::{MiniMoka, Moka},
    pingora::{Pingora, TinyUfo},
    quick::Quick,
};

/// A kind of keys, and the values that go with them.
pub trait Key: Clone + Debug + Eq + Hash + Ord + Send + Sync + 'static {
    /// What is stored under such a key.
    type Value: Clone + Debug + Send + Sync + 'static;

    /// Returns the key with this number.
    fn nth(number: u64) -> Self;

    /// Returns the number of this key.
    fn number(&self) -> u64;

    /// Returns the value with this number.
    fn value(number: u64) -> Self::Value;
}

impl Key for u64 {
    type Value = Self;

    fn nth(number: u64) -> Self {
        number
    }

    fn number(&self) -> u64 {
        *self
    }

    fn value(number: u64) -> Self {
        number
    }
}

impl Key for String {
    type Value = Arc<str>;

    fn nth(number: u64) -> Self {
        format!("key:{number:016}")
    }

    fn number(&self) -> u64 {
        self[4..].parse().unwrap_or(0)
    }

    fn value(number: u64) -> Arc<str> {
        format!("value of {number}").into()
    }
}

/// What a cache is built for.
#[derive(Clone)]
pub struct Setup {
    /// How many entries it holds.
    pub capacity: usize,
    /// How long they live; without it they live for ever.
    pub ttl: Option<Duration>,
    /// How long a caller waits for the load of another, where a cache can limit that.
    pub lock_timeout: Option<Duration>,
    /// Where values come from that have to be loaded.
    pub source: Source,
}

impl Setup {
    /// A cache for so many entries that live for ever.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, ttl: None, lock_timeout: None, source: Source::new() }
    }
}

/// A cache, as every workload sees it.
pub trait Peer<K: Key>: Send + Sync + 'static {
    /// Its name in tables.
    const NAME: &'static str;

    /// Builds one.
    fn new(setup: &Setup) -> Self;

    /// Returns the value under a key, if there is one.
    fn get(&self, key: &K) -> Option<K::Value>;

    /// Stores a value.
    fn insert(&self, key: K, value: K::Value);

    /// Removes a key.
    fn remove(&self, key: &K);
}

/// A cache that loads what it has not, once for all who ask for it at the same time.
pub trait Loads: Peer<u64> {
    /// Returns the value under a key, which is loaded from the [`Setup`]'s source if it is not there.
    fn load(&self, key: u64) -> impl Future<Output = Option<u64>> + Send;
}

/// A cache whose entries can be gone over.
pub trait Walks: Peer<u64> {
    /// Goes over all entries; returns how many there were.
    fn walk(&self) -> usize;

    /// Removes all entries.
    fn clear(&self);
}
