//! Larder on smol: all of [`larder`], and [`Smol`], a runtime with smol's timer and spawner.
//!
//! ```
//! use std::time::Duration;
//! use larder_smol::{Cache, Smol};
//!
//! # smol::block_on(async {
//! let cache = Cache::builder(Smol::new())
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
//!     .build()?;
//! assert_eq!(cache.get("larder").await?, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! A load is polled from the task of whichever waiting caller is polled.
//!
#![doc = include_str!("../map.md")]
#![forbid(unsafe_code)]

use core::{future::Future, time::Duration};

pub use ::larder;
use larder::parts::{CoarseClock, Host, Hosted, StdClock};
pub use larder::*;

/// Smol as a runtime for caches: its timer, spawner and clock.
///
/// The clock is that of the standard library, as smol's own. Timer and executor exist for the whole process and are
/// started when they are first needed, so callers may be polled anywhere, on smol's executors or any other, and
/// spawning always works. Spawned tasks run on smol's global executor, which has one thread unless `SMOL_THREADS` says
/// otherwise.
///
/// ```
/// use std::time::Duration;
/// use larder_smol::{Cache, LoadError, OnTimeout, Smol};
///
/// let cache = Cache::builder(Smol::new())
///     .lock_timeout(Duration::from_millis(1), OnTimeout::Fail)
///     .load_fn(|_: u32| std::future::pending::<std::io::Result<u32>>())
///     .build()?;
/// assert!(matches!(smol::block_on(cache.get(&7)), Err(LoadError::LockTimeout)));
/// # Ok::<(), larder_smol::ConfigError>(())
/// ```
pub type Smol = Hosted<GlobalExecutor, StdClock>;

/// A cache on [`Smol`], by default with errors of any kind.
///
/// ```
/// use larder_smol::Cache;
///
/// struct Users {
///     names: Cache<u64, String>,
/// }
///
/// let users = Users { names: Cache::new(10_000) };
/// # users.names.insert(7, String::from("user 7"));
/// ```
pub type Cache<K, V, E = BoxError> = larder::Cache<K, V, E, Smol>;

/// A lazy slot on [`Smol`].
///
/// ```
/// use larder_smol::{ConfigError, LazySlot, Loaded, Smol};
///
/// fn token() -> Result<LazySlot<String>, ConfigError> {
///     LazySlot::builder(Smol::new()).fetch_fn(|_| async { Ok(Loaded::new(String::from("token"))) }).build()
/// }
/// # token()?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type LazySlot<V, E = BoxError> = larder::LazySlot<V, E, Smol>;

/// A write-back cache on [`Smol`].
///
/// ```
/// use larder_smol::{ConfigError, Smol, WriteBack, parts::{Memory, NotThere}};
///
/// fn pages(disk: Memory<u64, String>) -> Result<WriteBack<u64, String, NotThere>, ConfigError> {
///     WriteBack::builder(Smol::new(), disk).build()
/// }
/// # pages(Memory::new())?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type WriteBack<K, V, E = BoxError> = larder::WriteBack<K, V, E, Smol>;

/// The configuration of a cache, by default on [`Smol`].
///
/// ```
/// use std::time::Duration;
/// use larder_smol::{Builder, Cache, Smol};
///
/// fn brief<K, V>(builder: Builder<K, V>) -> Builder<K, V>
/// where
///     K: larder_smol::Key,
///     V: Clone,
/// {
///     builder.ttl(Duration::from_secs(5))
/// }
/// let names: Cache<u64, String> = brief(Cache::builder(Smol::new())).build()?;
/// # names.insert(7, String::from("user 7"));
/// # Ok::<(), larder_smol::ConfigError>(())
/// ```
pub type Builder<K, V, E = BoxError, R = Smol> = larder::Builder<K, V, E, R>;

/// Where a load of many keys sends its answers one by one, by default on [`Smol`].
pub type AnswerSink<K, V, E = BoxError, R = Smol> = larder::AnswerSink<K, V, E, R>;

/// The configuration of a lazy slot, by default on [`Smol`].
pub type SlotBuilder<V, E = BoxError, R = Smol> = larder::SlotBuilder<V, E, R>;

/// The configuration of a write-back cache, by default on [`Smol`].
pub type WriteBackBuilder<K, V, E = BoxError, R = Smol> = larder::WriteBackBuilder<K, V, E, R>;

/// A handle of a cache on [`Smol`] that does not keep it alive.
///
/// ```
/// use larder_smol::{Cache, WeakCache};
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
pub type WeakCache<K, V, E = BoxError, R = Smol> = larder::WeakCache<K, V, E, R>;

/// A handle of a lazy slot on [`Smol`] that does not keep it alive.
pub type WeakSlot<V, E = BoxError, R = Smol> = larder::WeakSlot<V, E, R>;

/// A handle of a write-back cache on [`Smol`] that does not keep it alive.
pub type WeakWriteBack<K, V, E = BoxError, R = Smol> = larder::WeakWriteBack<K, V, E, R>;

/// [`Smol`] with a clock that is cheaper to read and accurate to a few milliseconds.
///
/// ```
/// use larder_smol::{larder, CoarseSmol};
///
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(CoarseSmol::new()).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_smol::ConfigError>(())
/// ```
pub type CoarseSmol = Hosted<GlobalExecutor, CoarseClock>;

/// Smol's timer, and its global executor.
///
/// ```
/// use larder_smol::{larder, GlobalExecutor, parts::{Hosted, StdClock}};
///
/// // Your own clock could take the place of this one.
/// let runtime = Hosted::<GlobalExecutor, _>::with_clock(StdClock::new());
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(runtime).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_smol::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalExecutor;

impl Host for GlobalExecutor {
    type Delay = smol::Timer;

    fn delay(&self, time: Duration) -> Option<smol::Timer> {
        Some(smol::Timer::after(time))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for GlobalExecutor {
    fn spawn(&self, future: F) -> Result<(), F> {
        smol::spawn(future).detach();
        Ok(())
    }
}
