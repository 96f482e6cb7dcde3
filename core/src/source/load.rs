//! The interface to where values come from.

use alloc::boxed::Box;
use core::{future::Future, hash::Hash, num::NonZeroU64, pin::Pin, time::Duration};

use crate::{Ttl, time::nanos};

/// What a load returns: a value, its lifetime and its weight.
///
/// The load's lifetime and weight take precedence over those of the call and the cache; what the load leaves open, the
/// call or the cache decides. A value is published when its load ends, unless it is [older](Self::aged).
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
    pub(crate) weight: Option<NonZeroU64>,
    /// How long ago it was published, in nanoseconds.
    pub(crate) age: u64,
}

impl<V> Loaded<V> {
    /// Wraps a value and leaves the rest to the call and the cache.
    ///
    /// ```
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new(7), Loaded::from(7));
    /// ```
    pub const fn new(value: V) -> Self {
        Self { value, ttl: Ttl::Inherit, weight: None, age: 0 }
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
        self.ttl = if self.age == 0 { ttl.into() } else { ttl.into().aged() };
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
        self.weight = NonZeroU64::new(if weight == 0 { 1 } else { weight });
        self
    }

    /// Says that the value was published this long ago.
    ///
    /// For answers that were on their way for a while, or kept by another cache, as HTTP's `Age` says. The value's age
    /// counts from then, and so does its lifetime, wherever that is set, unless it ends [by a wall clock](Ttl::until). If it
    /// is over already, the value is [stale](Self::stale) since its end. Its age is told as far as the cache's clock reaches
    /// back.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, Loaded, ManualClock, TimeLeft, parts::Std};
    /// # let clock = ManualClock::new();
    /// # clock.advance(Duration::from_secs(1000));
    /// let cache = Cache::<&str, u32, std::io::Error, _>::builder(Std::new(clock))
    ///     .ttl(Duration::from_secs(60))
    ///     .build()?;
    /// cache.insert_with("a", Loaded::new(1).aged(Duration::from_secs(20)));
    /// let found = cache.peek("a").expect("it is fresh");
    /// assert_eq!(found.age(), Duration::from_secs(20));
    /// assert_eq!(found.time_left(), TimeLeft::For(Duration::from_secs(40)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn aged(mut self, age: Duration) -> Self {
        self.age = nanos(age);
        self.ttl = if self.age == 0 { self.ttl.of_any_age() } else { self.ttl.aged() };
        self
    }

    /// Says that the value expired this long ago.
    ///
    /// That is its lifetime: see [`Ttl::stale`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Loaded, Ttl};
    /// let old = Loaded::new(7).stale(Duration::from_secs(5));
    /// assert_eq!(old.get_ttl(), Ttl::stale(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub const fn stale(mut self, since: Duration) -> Self {
        self.ttl = Ttl::stale(since);
        self
    }

    /// Returns the value.
    ///
    /// ```
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new("larder").value().len(), 6);
    /// ```
    pub const fn value(&self) -> &V {
        &self.value
    }

    /// Returns the value alone.
    ///
    /// ```
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new("larder").weight(6).into_value(), "larder");
    /// ```
    pub fn into_value(self) -> V {
        self.value
    }

    /// Returns the lifetime that the load has set.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Loaded, Ttl};
    /// let answer = Loaded::new("192.0.2.1").ttl(Duration::from_secs(30));
    /// assert_eq!(answer.get_ttl(), Ttl::For(Duration::from_secs(30)));
    /// assert_eq!(Loaded::new("192.0.2.1").get_ttl(), Ttl::Inherit);
    /// ```
    pub const fn get_ttl(&self) -> Ttl {
        self.ttl.of_any_age()
    }

    /// Returns the weight that the load has set, if it has.
    ///
    /// ```
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new("larder").weight(6).get_weight(), Some(6));
    /// assert_eq!(Loaded::new("larder").get_weight(), None);
    /// ```
    pub const fn get_weight(&self) -> Option<u64> {
        match self.weight {
            Some(weight) => Some(weight.get()),
            None => None,
        }
    }

    /// Returns how long ago the value was published; zero if the load does not say.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Loaded;
    /// assert_eq!(Loaded::new(7).aged(Duration::from_secs(20)).get_age(), Duration::from_secs(20));
    /// assert_eq!(Loaded::new(7).get_age(), Duration::ZERO);
    /// ```
    pub const fn get_age(&self) -> Duration {
        Duration::from_nanos(self.age)
    }

    /// Returns the value, and all else that the load says of it.
    ///
    /// [`map`](Self::map) puts them together again: nothing is lost, whatever a `Loaded` holds.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Loaded;
    /// let answer = Loaded::new("192.0.2.1").ttl(Duration::from_secs(30)).weight(9);
    /// let (address, terms) = answer.clone().into_parts();
    /// assert_eq!(terms, Loaded::new(()).ttl(Duration::from_secs(30)).weight(9));
    /// assert_eq!(terms.map(|()| address), answer);
    /// ```
    pub fn into_parts(self) -> (V, Loaded<()>) {
        let Self { value, ttl, weight, age } = self;
        (value, Loaded { value: (), ttl, weight, age })
    }

    /// Turns the value into another one, and leaves all else as it is.
    ///
    /// ```
    /// # use larder::Loaded;
    /// let length = Loaded::new("larder").weight(6).map(str::len);
    /// assert_eq!(length, Loaded::new(6).weight(6));
    /// ```
    pub fn map<U>(self, f: impl FnOnce(V) -> U) -> Loaded<U> {
        let Self { value, ttl, weight, age } = self;
        Loaded { value: f(value), ttl, weight, age }
    }
}

impl<V> From<V> for Loaded<V> {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}

/// Loads the value of a key.
///
/// Usually a closure, see [`Builder::load_fn`](crate::Builder::load_fn); a custom type has a future that can be named.
/// The future is stored inside the cache and polled from the task of whichever waiting caller is polled, so its
/// task-locals, spans and cooperative budget are that task's. It MUST register the waker it was polled with last, as
/// every future must, and it may be dropped at any await.
///
/// A load may ask the cache for other keys; see [`Cache`](crate::Cache) for what happens if it asks for its own. A load
/// that panics has failed: the caller that polls it unwinds, the other waiting callers get an error.
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
///
/// A loader may be wrapped in another one, which sees each answer and may change what it says:
///
/// ```
/// use core::time::Duration;
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use futures_lite::future::block_on;
/// use larder::{BoxLoad, Cache, Load, Loaded, ManualClock, Ttl, parts::Std};
///
/// /// Counts the bytes that are loaded, and sees that they expire.
/// struct Counted<L> { loader: L, bytes: Arc<AtomicU64> }
///
/// impl<K, L> Load<K> for Counted<L>
/// where
///     L: Load<K, Value = String, Future: Send + 'static>,
/// {
///     type Value = String;
///     type Error = L::Error;
///     type Future = BoxLoad<String, L::Error>;
///
///     fn load(&self, key: K) -> Self::Future {
///         let (load, bytes) = (self.loader.load(key), Arc::clone(&self.bytes));
///         Box::pin(async move {
///             let loaded = load.await?;
///             bytes.fetch_add(loaded.value().len() as u64, Ordering::Relaxed);
///             Ok(match loaded.get_ttl() {
///                 Ttl::Inherit => loaded.ttl(Duration::from_secs(60)),
///                 _ => loaded,
///             })
///         })
///     }
/// }
///
/// struct Names;
///
/// impl Load<u32> for Names {
///     type Value = String;
///     type Error = std::io::Error;
///     type Future = BoxLoad<String, std::io::Error>;
///
///     fn load(&self, id: u32) -> Self::Future {
///         Box::pin(async move { Ok(Loaded::new(format!("user {id}"))) })
///     }
/// }
///
/// let bytes = Arc::new(AtomicU64::new(0));
/// let loader = Counted { loader: Names, bytes: Arc::clone(&bytes) };
/// let cache = Cache::builder(Std::new(ManualClock::new())).loader(loader).build()?;
/// assert_eq!(block_on(cache.get(&7))?, "user 7");
/// assert_eq!(bytes.load(Ordering::Relaxed), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An error that borrows for `'static`, as `&'static str` does, keeps a lookup from being spawned, where the compiler
/// cannot tell that such a loader's erased future is `Send` ("implementation of `Send` is not general enough"); an error
/// type of one's own, or a `String`, avoids that.
pub trait Load<K> {
    /// What is cached.
    type Value: Clone;

    /// The error of a failed load; all waiting callers share it.
    type Error;

    /// The load of one key.
    type Future: Future<Output = Result<Loaded<Self::Value>, Self::Error>>;

    /// Begins the load of `key`.
    fn load(&self, key: K) -> Self::Future;
}

/// What a key has to implement; every type that does is a `Key`.
///
/// Full keys are compared: keys with equal hashes never share a value, an error or a load. `Hash`, `Eq` and `Clone` run
/// under a shard's lock, so they must not call the cache.
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

/// A boxed load that may move between threads.
///
/// ```
/// use larder::{BoxLoad, Load, Loaded};
///
/// struct Names;
///
/// impl Load<u32> for Names {
///     type Value = String;
///     type Error = std::io::Error;
///     type Future = BoxLoad<String, std::io::Error>;
///
///     fn load(&self, id: u32) -> Self::Future {
///         Box::pin(async move { Ok(Loaded::new(format!("user {id}"))) })
///     }
/// }
/// ```
pub type BoxLoad<V, E> = Pin<Box<dyn Future<Output = Result<Loaded<V>, E>> + Send>>;

/// A boxed load that stays on its thread.
///
/// ```
/// use std::{convert::Infallible, rc::Rc};
/// use larder::{Load, Loaded, LocalBoxLoad};
///
/// struct Names;
///
/// impl Load<u32> for Names {
///     type Value = Rc<str>;
///     type Error = Infallible;
///     type Future = LocalBoxLoad<Rc<str>, Infallible>;
///
///     fn load(&self, id: u32) -> Self::Future {
///         Box::pin(async move { Ok(Loaded::new(format!("user {id}").into())) })
///     }
/// }
/// ```
pub type LocalBoxLoad<V, E> = Pin<Box<dyn Future<Output = Result<Loaded<V>, E>>>>;

pub(crate) mod sealed {
    /// Keeps [`Source`](super::Source) closed.
    pub trait Sealed {}
}
