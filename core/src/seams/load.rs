//! The seam to where values come from.

use alloc::vec::Vec;
use core::{future::Future, hash::Hash};

use super::{
    many::Answers,
    revalidate::{Answered, Previous},
};
use crate::{RemovalCause, Ttl};

/// What a load answers: a value, its lifetime and its weight.
///
/// What the load says of them goes before what the call and the cache say; what it leaves open is up to those.
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
    /// Wraps a value and leaves the rest to the call and the cache.
    ///
    /// ```
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new(7), Loaded::from(7));
    /// ```
    pub const fn new(value: V) -> Self {
        Self { value, ttl: Ttl::Inherit, weight: None }
    }

    /// Sets how long the value is fresh, from its publication on.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Loaded, Ttl};
    /// let token = Loaded::new("t0k3n").ttl(Duration::from_secs(3600));
    /// let secret = Loaded::new("s3cr3t").ttl(Ttl::NotStored);
    /// ```
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets the weight, in the unit of the capacity; zero counts as 1.
    ///
    /// ```
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>("") })
    /// #     .build()?;
    /// cache.insert_with(1, Loaded::new("larder").weight(6));
    /// assert_eq!(cache.weight(), 6);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
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
///
/// A load may ask the cache for other keys; see [`Cache`](crate::Cache) for what happens if it asks for its own. A load
/// that panics has failed: its caller unwinds, the others who wait get an error.
///
/// ```
/// use std::{convert::Infallible, future::{Ready, ready}};
/// use futures_lite::future::block_on;
/// use larder::{Cache, Load, Loaded, ManualClock, parts::Std};
///
/// struct Squares;
///
/// impl Load<u32> for Squares {
///     type Value = u64;
///     type Error = Infallible;
///     type Future = Ready<Result<Loaded<u64>, Infallible>>;
///
///     fn load(&self, side: u32) -> Self::Future {
///         ready(Ok(Loaded::new(u64::from(side).pow(2))))
///     }
/// }
///
/// let cache = Cache::builder(Std::new(ManualClock::new())).loader(Squares).build()?;
/// assert_eq!(block_on(cache.get(&12))?, 144);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
/// Full keys are compared: equal hashes never share a value, an error or a load. `Hash`, `Eq` and `Clone` run under a
/// shard's lock, so they must not call the cache.
///
/// ```
/// use larder::Key;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Question {
///     name: String,
///     kind: u16,
/// }
///
/// fn is_key<K: Key>() {}
/// is_key::<Question>();
/// ```
pub trait Key: Hash + Eq + Clone {}

impl<K: Hash + Eq + Clone> Key for K {}

/// Where the values of a cache come from.
///
/// That is a loader of its own, or each call by itself ([`PerCall`], [`LocalPerCall`]). Closed to other types:
/// implement [`Load`] instead. [`Builder`](crate::Builder) makes one. The trait is there to be named in bounds:
///
/// ```
/// use larder::{Cache, Runtime, Source};
///
/// /// Works with any cache of these keys, whatever loads its values.
/// fn forget_guests<L: Source<u32>, R: Runtime>(cache: &Cache<u32, L, R>) {
///     cache.retain(|id, _| *id < 1_000_000);
/// }
/// ```
///
/// [`PerCall`]: crate::PerCall
/// [`LocalPerCall`]: crate::LocalPerCall
pub trait Source<K>: sealed::Sealed {
    /// What is cached.
    type Value: Clone;

    /// What a failed load says.
    type Error;

    /// What a load that succeeds says.
    #[doc(hidden)]
    type Answer: Into<Answered<Self::Value>>;

    /// A load as it is kept in a flight.
    type Future: Future<Output = Result<Self::Answer, Self::Error>> + Unpin;

    /// A load of many keys at once, if there are such.
    #[doc(hidden)]
    type Batch: Future<Output = Result<Answers<K, Self::Value, Self::Error>, Self::Error>> + Unpin;

    /// Whether there is anything to load by.
    #[doc(hidden)]
    const IS_READY: bool = true;

    /// Whether this loads by itself; if not, each call brings a load.
    #[doc(hidden)]
    const LOADS: bool = true;

    /// Whether keys are loaded many at once.
    #[doc(hidden)]
    const BATCHES: bool = false;

    /// Whether loads are handed the value that is held.
    #[doc(hidden)]
    const REVALIDATES: bool = false;

    /// Whether there is anything to say of a value's weight or lifetime.
    #[doc(hidden)]
    const JUDGES: bool = false;

    /// Whether somebody listens to values that leave.
    #[doc(hidden)]
    const LISTENS: bool = false;

    /// Whether somebody watches for changes.
    #[doc(hidden)]
    const WATCHES: bool = false;

    /// Begins the load of `key`; `None` where only calls bring loads.
    #[doc(hidden)]
    fn begin(&self, key: K, previous: Option<Previous<Self::Value>>) -> Option<Self::Future>;

    /// Begins the load of all these keys; `None` where each is loaded by itself.
    #[doc(hidden)]
    fn begin_many(&self, keys: Vec<K>) -> Option<Self::Batch> {
        let _ = keys;
        None
    }

    /// Says of a value what neither its load nor the call has said.
    #[doc(hidden)]
    fn judge(&self, key: &K, value: &Self::Value) -> Judgement {
        let _ = (key, value);
        Judgement::default()
    }

    /// Draws a number by which it is left to chance whether a fresh value is refreshed.
    #[doc(hidden)]
    fn random(&self) -> Option<f64> {
        None
    }

    /// Tells whoever listens that a value has left.
    #[doc(hidden)]
    fn left(&self, key: &K, value: &Self::Value, cause: RemovalCause) {
        let _ = (key, value, cause);
    }

    /// Tells whoever watches what is not as it was.
    #[doc(hidden)]
    fn touched(&self, _: Touched) {}
}

/// What of a key is not as it was. Part of [`Source`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// A value is there that was not, or the other way round.
    Value,
    /// The value is the same, and fresh until another time.
    Deadline,
}

/// What is said of a value by rules for all values: it counts where its load and the call are silent.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Judgement {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
}

/// A [`Source`] that can load any key by itself.
///
/// Caches of such a source have [`get`](crate::Cache::get) and what is built on it.
///
/// ```
/// use larder::{Cache, HasLoader, LoadError, Runtime, Source};
///
/// async fn warm<L, R>(cache: &Cache<u32, L, R>, ids: &[u32]) -> Result<(), LoadError<L::Error>>
/// where
///     L: Source<u32> + HasLoader,
///     R: Runtime,
/// {
///     for id in ids {
///         cache.get(id).await?;
///     }
///     Ok(())
/// }
/// ```
pub trait HasLoader {}

pub(crate) mod sealed {
    /// Keeps [`Source`](super::Source) closed.
    pub trait Sealed {}
}
