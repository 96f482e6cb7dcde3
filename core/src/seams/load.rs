//! The seam to where values come from.

use core::{future::Future, hash::Hash};

use crate::Ttl;

/// What a load answers: a value, and what the source says of its lifetime and weight.
///
/// ```
/// use core::time::Duration;
/// use larder::Loaded;
///
/// let answer = Loaded::new("192.0.2.1").ttl(Duration::from_secs(30)).weight(9);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
}

impl<V> Loaded<V> {
    /// Wraps a value whose lifetime and weight are left to the call and the cache.
    pub const fn new(value: V) -> Self {
        Self { value, ttl: Ttl::Inherit, weight: None }
    }

    /// Sets how long the value is fresh.
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets the weight; zero counts as 1.
    #[must_use]
    pub const fn weight(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }
}

impl<V> From<V> for Loaded<V> {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}

/// Loads the value of a key.
///
/// Mostly a closure, see [`Builder::load_fn`](crate::Builder::load_fn); a type of one's own has a future that can be
/// named. The future is stored inside the cache and polled from the task of whichever waiting caller is polled, so its
/// task-locals, spans and cooperative budget are that task's. It MUST register the waker it was polled with last, as
/// every future must, and it may be dropped at any await.
pub trait Load<K> {
    /// What is cached.
    type Value: Clone;

    /// What a failed load says; all who wait share it.
    type Error;

    /// The load of one key.
    type Future: Future<Output = Result<Loaded<Self::Value>, Self::Error>>;

    /// Begins the load of `key`.
    fn load(&self, key: K) -> Self::Future;
}

/// What a key has to be able to do; every type that can has it.
///
/// `Hash`, `Eq` and `Clone` run under a shard's lock, so they must not call the cache.
pub trait Key: Hash + Eq + Clone {}

impl<K: Hash + Eq + Clone> Key for K {}

/// Where a cache's values come from: a loader of its own, or each call by itself ([`PerCall`], [`LocalPerCall`]).
///
/// Closed to other types: implement [`Load`] instead. [`Builder`](crate::Builder) makes one.
///
/// [`PerCall`]: crate::PerCall
/// [`LocalPerCall`]: crate::LocalPerCall
pub trait Source<K>: sealed::Sealed {
    /// What is cached.
    type Value: Clone;

    /// What a failed load says.
    type Error;

    /// A load as it is kept in a flight.
    type Future: Future<Output = Result<Loaded<Self::Value>, Self::Error>> + Unpin;

    /// Whether values have weights of their own.
    #[doc(hidden)]
    const WEIGHS: bool = false;

    /// Begins the load of `key`; `None` where only calls bring loads.
    #[doc(hidden)]
    fn begin(&self, key: K) -> Option<Self::Future>;

    /// Returns the weight of a value, if it is weighed.
    #[doc(hidden)]
    fn weigh(&self, key: &K, value: &Self::Value) -> Option<u64> {
        let _ = (key, value);
        None
    }
}

/// A [`Source`] that can load any key by itself, so that a plain `get` can.
pub trait HasLoader {}

pub(crate) mod sealed {
    /// Keeps [`Source`](super::Source) closed.
    pub trait Sealed {}
}
