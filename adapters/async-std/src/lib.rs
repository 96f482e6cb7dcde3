//! Larder on async-std: all of [`larder`], and [`AsyncStd`], a runtime with async-std's timer and spawner.
//!
//! Async-std is discontinued, and its authors point to smol: a new program is better served by `larder-smol`, which is
//! built on the same timer and executor. This crate is for programs that already use async-std.
//!
//! ```
//! use std::time::Duration;
//! use larder_async_std::{AsyncStd, Cache};
//!
//! # async_std::task::block_on(async {
//! let cache = Cache::builder(AsyncStd::new())
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
//!     .build()?;
//! assert_eq!(cache.get("larder").await?, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! A load is polled from the task of whichever waiting caller is polled, so its task-locals are that task's.
//!
#![doc = include_str!("../map.md")]
#![forbid(unsafe_code)]

use core::{future::Future, pin::Pin, time::Duration};

pub use ::larder;
use async_std::task;
use larder::parts::{CoarseClock, Host, Hosted, StdClock};
pub use larder::*;

/// Async-std as a runtime for caches: its timer, spawner and clock.
///
/// The clock is that of the standard library, as async-std's own. Timer and executor exist for the whole process and
/// are started when they are first needed, so callers may be polled anywhere, on async-std's executor or any other, and
/// spawning always works.
///
/// ```
/// use std::time::Duration;
/// use async_std::task;
/// use larder_async_std::{AsyncStd, Cache, LoadError, OnTimeout};
///
/// let cache = Cache::builder(AsyncStd::new())
///     .lock_timeout(Duration::from_millis(1), OnTimeout::Fail)
///     .load_fn(|_: u32| std::future::pending::<std::io::Result<u32>>())
///     .build()?;
/// assert!(matches!(task::block_on(cache.get(&7)), Err(LoadError::LockTimeout)));
/// # Ok::<(), larder_async_std::ConfigError>(())
/// ```
pub type AsyncStd = Hosted<GlobalExecutor, StdClock>;

/// A cache on [`AsyncStd`], by default with errors of any kind.
///
/// ```
/// use larder_async_std::Cache;
///
/// struct Users {
///     names: Cache<u64, String>,
/// }
///
/// let users = Users { names: Cache::new(10_000) };
/// # users.names.insert(7, String::from("user 7"));
/// ```
pub type Cache<K, V, E = BoxError> = larder::Cache<K, V, E, AsyncStd>;

/// A lazy slot on [`AsyncStd`].
///
/// ```
/// use larder_async_std::{ConfigError, LazySlot, Loaded, AsyncStd};
///
/// fn token() -> Result<LazySlot<String>, ConfigError> {
///     LazySlot::builder(AsyncStd::new()).fetch_fn(|_| async { Ok(Loaded::new(String::from("token"))) }).build()
/// }
/// # token()?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type LazySlot<V, E = BoxError> = larder::LazySlot<V, E, AsyncStd>;

/// A write-back cache on [`AsyncStd`].
///
/// ```
/// use larder_async_std::{ConfigError, AsyncStd, WriteBack, parts::{Memory, NotThere}};
///
/// fn pages(disk: Memory<u64, String>) -> Result<WriteBack<u64, String, NotThere>, ConfigError> {
///     WriteBack::builder(AsyncStd::new(), disk).build()
/// }
/// # pages(Memory::new())?;
/// # Ok::<(), ConfigError>(())
/// ```
pub type WriteBack<K, V, E = BoxError> = larder::WriteBack<K, V, E, AsyncStd>;

/// The configuration of a cache, by default on [`AsyncStd`].
///
/// ```
/// use std::time::Duration;
/// use larder_async_std::{Builder, Cache, AsyncStd};
///
/// fn brief<K, V>(builder: Builder<K, V>) -> Builder<K, V>
/// where
///     K: larder_async_std::Key,
///     V: Clone,
/// {
///     builder.ttl(Duration::from_secs(5))
/// }
/// let names: Cache<u64, String> = brief(Cache::builder(AsyncStd::new())).build()?;
/// # names.insert(7, String::from("user 7"));
/// # Ok::<(), larder_async_std::ConfigError>(())
/// ```
pub type Builder<K, V, E = BoxError, R = AsyncStd> = larder::Builder<K, V, E, R>;

/// Where a load of many keys sends its answers one by one, by default on [`AsyncStd`].
pub type AnswerSink<K, V, E = BoxError, R = AsyncStd> = larder::AnswerSink<K, V, E, R>;

/// The configuration of a lazy slot, by default on [`AsyncStd`].
pub type SlotBuilder<V, E = BoxError, R = AsyncStd> = larder::SlotBuilder<V, E, R>;

/// The configuration of a write-back cache, by default on [`AsyncStd`].
pub type WriteBackBuilder<K, V, E = BoxError, R = AsyncStd> = larder::WriteBackBuilder<K, V, E, R>;

/// A handle of a cache on [`AsyncStd`] that does not keep it alive.
///
/// ```
/// use larder_async_std::{Cache, WeakCache};
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
pub type WeakCache<K, V, E = BoxError, R = AsyncStd> = larder::WeakCache<K, V, E, R>;

/// A handle of a lazy slot on [`AsyncStd`] that does not keep it alive.
pub type WeakSlot<V, E = BoxError, R = AsyncStd> = larder::WeakSlot<V, E, R>;

/// A handle of a write-back cache on [`AsyncStd`] that does not keep it alive.
pub type WeakWriteBack<K, V, E = BoxError, R = AsyncStd> = larder::WeakWriteBack<K, V, E, R>;

/// [`AsyncStd`] with a clock that is cheaper to read and accurate to a few milliseconds.
///
/// ```
/// use larder_async_std::{larder, CoarseAsyncStd};
///
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(CoarseAsyncStd::new()).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_async_std::ConfigError>(())
/// ```
pub type CoarseAsyncStd = Hosted<GlobalExecutor, CoarseClock>;

/// Async-std's timer, and its global executor.
///
/// ```
/// use larder_async_std::{larder, GlobalExecutor, parts::{Hosted, StdClock}};
///
/// // Your own clock could take the place of this one.
/// let runtime = Hosted::<GlobalExecutor, _>::with_clock(StdClock::new());
/// let cache = larder::Cache::<u32, u32, std::io::Error, _>::builder(runtime).build()?;
/// # cache.insert(1, 10);
/// # Ok::<(), larder_async_std::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalExecutor;

impl Host for GlobalExecutor {
    /// Async-std's own has no name.
    type Delay = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn delay(&self, time: Duration) -> Option<Self::Delay> {
        Some(Box::pin(task::sleep(time)))
    }

    fn may_block(&self) -> bool {
        task::try_current().is_none()
    }
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for GlobalExecutor {
    fn spawn(&self, future: F) -> Result<(), F> {
        task::spawn(future);
        Ok(())
    }
}
