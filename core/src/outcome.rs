//! What a lookup returns.

use core::{fmt, time::Duration};

use crate::{Failure, Instant, TimeLeft};

/// How a lookup got its value.
///
/// A caller that began a load gets `Miss` or `Expired`, depending on what it found when it came, even if it began the
/// load later, at the lock age or the lock timeout. All other waiting callers get `LockHit`, whichever caller polled
/// the load and whichever attempt succeeded.
///
/// ```
/// # use core::time::Duration;
/// # use larder::Status;
/// assert_eq!(Status::LockHit.as_str(), "lock_hit");
/// assert!(Status::Stale(Duration::from_secs(3)).is_hit());
/// assert_eq!(Status::Stale(Duration::from_secs(3)).stale(), Some(Duration::from_secs(3)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A fresh value was stored.
    Hit,
    /// This caller began a load, and found nothing or was not to look.
    Miss,
    /// The stored value had expired, and this caller began a load.
    Expired,
    /// This caller joined a load that another caller had begun.
    LockHit,
    /// A value was served that had expired this long ago.
    Stale(Duration),
}

impl Status {
    /// Returns the name that logs and metrics use.
    ///
    /// ```
    /// # use larder::Status;
    /// assert_eq!(Status::Hit.as_str(), "hit");
    /// assert_eq!(Status::LockHit.as_str(), "lock_hit");
    /// ```
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Expired => "expired",
            Self::LockHit => "lock_hit",
            Self::Stale(_) => "stale",
        }
    }

    /// Returns whether this caller needed no load of its own.
    ///
    /// ```
    /// # use larder::Status;
    /// assert!(Status::LockHit.is_hit());
    /// assert!(!Status::Expired.is_hit());
    /// ```
    pub const fn is_hit(&self) -> bool {
        matches!(self, Self::Hit | Self::LockHit | Self::Stale(_))
    }

    /// Returns how long ago the value expired, if it was served stale.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Status;
    /// assert_eq!(Status::Stale(Duration::from_secs(3)).stale(), Some(Duration::from_secs(3)));
    /// assert_eq!(Status::Hit.stale(), None);
    /// ```
    pub const fn stale(&self) -> Option<Duration> {
        match self {
            Self::Stale(age) => Some(*age),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a value left the cache.
///
/// A value that had expired when it left gets `Expired`, for whatever reason it left.
///
/// ```
/// # use larder::RemovalCause;
/// assert_eq!(RemovalCause::Evicted.as_str(), "evicted");
/// assert!(RemovalCause::Evicted.is_automatic());
/// assert!(!RemovalCause::Removed.is_automatic());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemovalCause {
    /// It had expired.
    Expired,
    /// It had to make room.
    Evicted,
    /// Another value was stored, or refused, under its key.
    Replaced,
    /// It was removed by key, by a predicate, by a clear, or by a load whose value is not to be stored.
    Removed,
    /// It could not be stored.
    ///
    /// It was too heavy for the capacity, which may be zero, or there was no memory for it.
    Refused,
}

impl RemovalCause {
    /// Returns the name that logs and metrics use.
    ///
    /// ```
    /// # use larder::RemovalCause;
    /// assert_eq!(RemovalCause::Expired.as_str(), "expired");
    /// ```
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Refused => "refused",
        }
    }

    /// Returns whether the cache itself removed the value, without being told to.
    ///
    /// ```
    /// # use larder::RemovalCause;
    /// assert!(RemovalCause::Expired.is_automatic());
    /// assert!(!RemovalCause::Replaced.is_automatic());
    /// ```
    pub const fn is_automatic(&self) -> bool {
        matches!(self, Self::Expired | Self::Evicted | Self::Refused)
    }
}

impl fmt::Display for RemovalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Tells the values of one key apart.
///
/// Each value that is stored, by an insert or a load, gets its own generation. None is used again before its shard has
/// stored 2^32 values, which takes more than an hour at a million a second. If a generation is kept for longer, or in a
/// file, it may match another value. A value that was handed out and not stored has none.
///
/// ```
/// use larder::{Cache, ManualClock, parts::Std};
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
///     .build()?;
/// let first = cache.insert(1, 10);
/// let second = cache.insert(1, 10);
/// assert_ne!(first, second);
/// assert_eq!(cache.peek(&1).and_then(|found| found.generation()), second);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(pub(crate) u32);

/// A value and how it was found.
///
/// A caller that waits for a load gets the outcome of that load itself, not a second look at the store: it gets the
/// value even if that was not stored, or was evicted at once.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::block_on;
/// use larder::{Cache, LookupOptions, ManualClock, Status, TimeLeft, parts::Std};
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .ttl(Duration::from_secs(60))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
///     .build()?;
/// let outcome = block_on(cache.lookup(&21))?;
/// assert_eq!(*outcome.value(), 42);
/// assert_eq!(outcome.status(), Status::Miss);
/// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(60)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Outcome<V, E> {
    pub(crate) value: V,
    pub(crate) status: Status,
    pub(crate) age: Duration,
    pub(crate) time_left: TimeLeft,
    pub(crate) led: bool,
    pub(crate) attempt: Option<u32>,
    pub(crate) waited: Duration,
    pub(crate) generation: Option<u32>,
    pub(crate) error: Option<Failure<E>>,
}

impl<V: Clone, E> Clone for Outcome<V, E> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), error: self.error.clone(), ..*self }
    }
}

impl<V, E> Outcome<V, E> {
    /// Returns the value.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let outcome = block_on(cache.lookup(&21))?;
    /// assert_eq!(outcome.value(), &42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn value(&self) -> &V {
        &self.value
    }

    /// Returns the value without the rest.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let outcome = block_on(cache.lookup(&21))?;
    /// assert_eq!(outcome.into_value(), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_value(self) -> V {
        self.value
    }

    /// Returns how the value was found.
    ///
    /// ```
    /// # use larder::Status;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let outcome = block_on(cache.lookup(&21))?;
    /// assert_eq!(outcome.status(), Status::Miss);
    /// let outcome = block_on(cache.lookup(&21))?;
    /// assert_eq!(outcome.status(), Status::Hit);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Returns the time since the value was published.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(3));
    /// assert_eq!(cache.peek(&1).map(|found| found.age()), Some(Duration::from_secs(3)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Returns how much longer the value stays fresh.
    ///
    /// Zero if it is stale or was not stored.
    ///
    /// ```
    /// # use larder::TimeLeft;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .ttl(Duration::from_secs(60))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(20));
    /// let left = cache.peek(&1).map(|found| found.time_left());
    /// assert_eq!(left, Some(TimeLeft::For(Duration::from_secs(40))));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn time_left(&self) -> TimeLeft {
        self.time_left
    }

    /// Returns whether this caller began a load.
    ///
    /// Even if that failed, or took too long, and a stale value was served instead.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, yield_now, zip};
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { yield_now().await; Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// // Two callers at once: the first begins the load, the second joins it.
    /// let lookup = || cache.lookup(&21);
    /// let (first, second) = block_on(zip(lookup(), lookup()));
    /// assert!(first?.led());
    /// assert!(!second?.led()); // its status is `LockHit`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn led(&self) -> bool {
        self.led
    }

    /// Returns the number of the attempt that brought the value.
    ///
    /// Counted from 1 for each wave of loads of a key. `None` if the value was found or inserted.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let loaded = block_on(cache.lookup(&21))?;
    /// assert_eq!(loaded.attempt(), Some(1));
    /// let found = block_on(cache.lookup(&21))?;
    /// assert_eq!(found.attempt(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// Returns how long this caller waited.
    ///
    /// From its first poll to the publication of the value, or until it was served a stale one.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { yield_now().await; Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let mut lookup = cache.lookup(&21);
    /// assert!(block_on(poll_once(&mut lookup)).is_none()); // waits
    /// clock.advance(Duration::from_secs(3));
    /// assert_eq!(block_on(lookup)?.waited(), Duration::from_secs(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Returns the generation of the value, if it was stored.
    ///
    /// ```
    /// # use larder::Ttl;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let stored = block_on(cache.lookup(&1))?;
    /// assert!(stored.generation().is_some());
    /// let passed_on = block_on(cache.lookup(&2).options(LookupOptions::new().ttl(Ttl::NotStored)))?;
    /// assert!(passed_on.generation().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn generation(&self) -> Option<Generation> {
        self.generation.map(Generation)
    }

    /// Returns the failure that made the cache serve a stale value.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::builder(Std::new(clock.clone()))
    /// #     .ttl(Duration::from_secs(60))
    /// #     .stale_if_error(Duration::from_secs(600))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(std::io::Error::other("no route")) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(70));
    /// let outcome = block_on(cache.lookup(&1))?; // the load fails
    /// assert_eq!(*outcome.value(), 10);
    /// assert!(outcome.error().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn error(&self) -> Option<&Failure<E>> {
        self.error.as_ref()
    }
}

/// A copy of a fresh entry, with its age and weight.
///
/// As it was when [`Cache::entries`](crate::Cache::entries) copied it; it does not change any more.
///
/// ```
/// use core::time::Duration;
/// use larder::{Cache, ManualClock, TimeLeft, parts::Std};
///
/// let clock = ManualClock::new();
/// let cache = Cache::<&str, u32, std::io::Error, _>::builder(Std::new(clock.clone()))
///     .ttl(Duration::from_secs(60))
///     .build()?;
/// cache.insert("a", 1);
/// clock.advance(Duration::from_secs(20));
/// let entry = cache.entries().next().expect("it is fresh");
/// assert_eq!((*entry.key(), *entry.value()), ("a", 1));
/// assert_eq!(entry.age(), Duration::from_secs(20));
/// assert_eq!(entry.time_left(), TimeLeft::For(Duration::from_secs(40)));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) age: Duration,
    pub(crate) time_left: TimeLeft,
    pub(crate) deadline: Instant,
    pub(crate) weight: u64,
    pub(crate) generation: u32,
}

impl<K, V> Entry<K, V> {
    /// Returns the key.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert(1, 10);
    /// assert_eq!(cache.entries().map(|entry| *entry.key()).max(), Some(1));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Returns the value.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert(1, 10);
    /// assert_eq!(cache.entries().map(|entry| *entry.value()).max(), Some(10));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn value(&self) -> &V {
        &self.value
    }

    /// Returns the key and the value.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert(1, 10);
    /// assert_eq!(cache.entries().map(|entry| entry.into_pair()).max(), Some((1, 10)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn into_pair(self) -> (K, V) {
        (self.key, self.value)
    }

    /// Returns the time since the value was published.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(3));
    /// assert_eq!(cache.entries().map(|entry| entry.age()).max(), Some(Duration::from_secs(3)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Returns how much longer the value stays fresh.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, TimeLeft, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert(1, 10);
    /// assert!(cache.entries().all(|entry| entry.time_left() == TimeLeft::Forever));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn time_left(&self) -> TimeLeft {
        self.time_left
    }

    /// Returns the weight, in the capacity's unit.
    ///
    /// ```
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// cache.insert_with(1, Loaded::new(10).weight(6));
    /// assert_eq!(cache.entries().map(|entry| entry.weight()).max(), Some(6));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn weight(&self) -> u64 {
        self.weight
    }

    /// Returns the generation of the value.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let generation = cache.insert(1, 10);
    /// assert_eq!(cache.entries().map(|entry| entry.generation()).next(), generation);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn generation(&self) -> Generation {
        Generation(self.generation)
    }
}
