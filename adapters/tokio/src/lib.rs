//! Larder on tokio: all of [`larder`], and [`Tokio`], a runtime with tokio's clock, timer and spawner.
//!
//! ```
//! use std::time::Duration;
//! use larder_tokio::{Cache, Tokio};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = Cache::builder(Tokio::new())
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
//!     .build()?;
//! assert_eq!(cache.get("larder").await?, 6);
//! # Ok(())
//! # }
//! ```
//!
//! Blocking calls, such as `get_blocking`, are for threads without a runtime: if one is at hand, they are refused with
//! [`LoadError::MayNotBlock`]. In `spawn_blocking`, use the runtime's `Handle::block_on` to wait for the calls that do
//! not block. A load that uses tokio's timers or sockets panics if it is polled on a thread without a runtime; the
//! caller that polls it unwinds, and the other waiting callers get an error.
//!
//! A load is polled from the task of whichever waiting caller is polled, so its task-locals, spans and cooperative budget
//! are that task's.
//!
#![doc = include_str!("../map.md")]
#![forbid(unsafe_code)]

mod delays;

use core::{future::Future, time::Duration};

pub use ::larder;
pub use delays::TokioDelay;
use larder::parts::{CoarseClock, Host, Hosted};
pub use larder::*;
use tokio::{runtime::Handle, time};

/// Tokio as a runtime for caches: its clock, timer and spawner.
///
/// The clock is tokio's own, so a paused runtime moves lifetimes and timeouts as well. If no runtime is at hand, or it
/// is gone, nothing panics: deadlines are then noticed when a waiting call is polled, and a future that was to be
/// spawned is returned. The runtime must have its timers enabled, as for any wait in tokio. They have the precision of
/// a millisecond.
///
/// ```
/// use std::time::Duration;
/// use larder_tokio::{Cache, LoadError, OnTimeout, Tokio};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), larder_tokio::ConfigError> {
/// let cache = Cache::builder(Tokio::new())
///     .lock_timeout(Duration::from_millis(1), OnTimeout::Fail)
///     .load_fn(|_: u32| std::future::pending::<std::io::Result<u32>>())
///     .build()?;
/// assert!(matches!(cache.get(&7).await, Err(LoadError::LockTimeout)));
/// # Ok(())
/// # }
/// ```
pub type Tokio = Hosted<CurrentRuntime, TokioClock>;

/// A cache on [`Tokio`], by default with errors of any kind.
///
/// ```
/// use larder_tokio::Cache;
///
/// struct Users {
///     names: Cache<u64, String>,
/// }
///
/// let users = Users { names: Cache::new(10_000) };
/// # users.names.insert(7, String::from("user 7"));
/// ```
pub type Cache<K, V, E = BoxError> = larder::Cache<K, V, E, Tokio>;

/// A lazy slot on [`Tokio`].
///
/// ```
/// use larder_tokio::{ConfigError, LazySlot, Loaded, Tokio};
///
/// fn token() -> Result<LazySlot<String>, ConfigError> {
///     LazySlot::builder(Tokio::new()).fetch_fn(|_| async { Ok(Loaded::new(String::from("token"))) }).build()
/// }
/// # token()?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type LazySlot<V, E = BoxError> = larder::LazySlot<V, E, Tokio>;

/// A write-back cache on [`Tokio`].
///
/// ```
/// use larder_tokio::{ConfigError, Tokio, WriteBack, parts::{Memory, NotThere}};
///
/// fn pages(disk: Memory<u64, String>) -> Result<WriteBack<u64, String, NotThere>, ConfigError> {
///     WriteBack::builder(Tokio::new(), disk).build()
/// }
/// # pages(Memory::new())?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type WriteBack<K, V, E = BoxError> = larder::WriteBack<K, V, E, Tokio>;

/// The configuration of a cache, by default on [`Tokio`].
///
/// ```
/// use std::time::Duration;
/// use larder_tokio::{Builder, Cache, Tokio};
///
/// fn brief<K, V>(builder: Builder<K, V>) -> Builder<K, V>
/// where
///     K: larder_tokio::Key,
///     V: Clone,
/// {
///     builder.ttl(Duration::from_secs(5))
/// }
/// let names: Cache<u64, String> = brief(Cache::builder(Tokio::new())).build()?;
/// # names.insert(7, String::from("user 7"));
/// # Ok::<(), larder_tokio::ConfigError>(())
/// ```
pub type Builder<K, V, E = BoxError, R = Tokio> = larder::Builder<K, V, E, R>;

/// Where a load of many keys sends its answers one by one, by default on [`Tokio`].
pub type AnswerSink<K, V, E = BoxError, R = Tokio> = larder::AnswerSink<K, V, E, R>;

/// The configuration of a lazy slot, by default on [`Tokio`].
pub type SlotBuilder<V, E = BoxError, R = Tokio> = larder::SlotBuilder<V, E, R>;

/// The configuration of a write-back cache, by default on [`Tokio`].
pub type WriteBackBuilder<K, V, E = BoxError, R = Tokio> = larder::WriteBackBuilder<K, V, E, R>;

/// A handle of a cache on [`Tokio`] that does not keep it alive.
///
/// ```
/// use larder_tokio::{Cache, WeakCache};
///
/// struct Janitor {
///     names: WeakCache<u64, String>,
/// }
///
/// let names = Cache::new(10_000);
/// let janitor = Janitor { names: names.downgrade() };
/// drop(names);
/// assert!(janitor.names.upgrade().is_none());
/// ```
pub type WeakCache<K, V, E = BoxError, R = Tokio> = larder::WeakCache<K, V, E, R>;

/// A handle of a lazy slot on [`Tokio`] that does not keep it alive.
pub type WeakSlot<V, E = BoxError, R = Tokio> = larder::WeakSlot<V, E, R>;

/// A handle of a write-back cache on [`Tokio`] that does not keep it alive.
pub type WeakWriteBack<K, V, E = BoxError, R = Tokio> = larder::WeakWriteBack<K, V, E, R>;

/// [`Tokio`] with a clock that is cheaper to read and accurate to a few milliseconds.
///
/// It reads the operating system's coarse monotonic clock, so a paused runtime does not move it: waits with deadlines have
/// no place there, as that runtime would let time pass again and again for them.
///
/// ```
/// use larder_tokio::{larder, CoarseTokio};
///
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(CoarseTokio::new()).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_tokio::ConfigError>(())
/// ```
pub type CoarseTokio = Hosted<CurrentRuntime, CoarseClock>;

/// Tells the time since it was made, by tokio's clock.
///
/// While the machine sleeps it stands still, except on Windows; in `Hosted::<CurrentRuntime, BootClock>`,
/// [`BootClock`](larder::parts::BootClock) keeps running.
///
/// ```
/// use larder_tokio::{Clock, TokioClock};
///
/// let clock = TokioClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock(time::Instant);

impl TokioClock {
    /// Starts a clock at [`Instant::START`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use larder_tokio::{Clock, Instant, TokioClock};
    /// let clock = TokioClock::new();
    /// assert!(clock.now().saturating_since(Instant::START) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(time::Instant::now())
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::START.saturating_add(time::Instant::now().saturating_duration_since(self.0))
    }
}

/// The timer and the spawner of whichever tokio runtime is at hand.
///
/// ```
/// use larder_tokio::{larder, CurrentRuntime, TokioClock, parts::Hosted};
///
/// // Your own clock could take the place of this one.
/// let runtime = Hosted::<CurrentRuntime, _>::with_clock(TokioClock::new());
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(runtime).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_tokio::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CurrentRuntime;

impl Host for CurrentRuntime {
    type Delay = TokioDelay;

    fn delay(&self, time: Duration) -> Option<TokioDelay> {
        TokioDelay::begin(time)
    }

    // (Also on threads of `spawn_blocking` that may block: they cannot be told from others.)
    fn may_block(&self) -> bool {
        Handle::try_current().is_err()
    }
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for CurrentRuntime {
    fn spawn(&self, future: F) -> Result<(), F> {
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(future);
                Ok(())
            }
            Err(_) => Err(future),
        }
    }
}
