//! The configuration of a write-back cache, checked once.

use alloc::boxed::Box;
use core::{fmt, future::Future, time::Duration};

use super::{
    Fault, WriteBack,
    book::Book,
    finish::finish,
    flush_job::FlushJob,
    load_job::LoadJob,
    lookup::Wraps,
    node::Node,
    share::answered,
    shared::{Brought, Done, Refused, Settings, Shared, TaskFor},
    timeless::{Aside, Timeless},
};
use crate::{
    Backend, Cache, ConfigError, DefaultHasher, Key, Runtime, Stores, Takes, Threads, cache::assemble, dirty::Delays,
    shard::Seat, sync::Arc,
};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Begins the configuration of a cache on this runtime, in front of this back end.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).name("pages").capacity(10_000).build()?;
    /// # assert!(cache.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder<B: Backend<K, Value = V, Error = E>>(runtime: R, backend: B) -> WriteBackBuilder<K, V, E, R>
    where
        R::Threads: Stores<K, V, E, B>,
    {
        let settings = Settings { name: Arc::from("cache"), flush_limit: 16, flush_after: Duration::from_secs(5) };
        let delays = Delays { first: Duration::from_millis(100), cap: Duration::from_secs(5) };
        WriteBackBuilder {
            runtime,
            backend: <R::Threads as Stores<K, V, E, B>>::store(backend),
            capacity: 1_000,
            delays,
            settings,
            seed: None,
        }
    }
}

/// The configuration of a [`WriteBack`].
///
/// Made by [`WriteBack::builder`]; [`build`](Self::build) checks it.
///
/// ```
/// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
/// # let disk = Memory::<u32, u32>::new();
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).capacity(256).flush_limit(4).build()?;
/// # assert!(cache.is_empty());
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[must_use = "a builder does nothing before `build`"]
pub struct WriteBackBuilder<K, V, E, R: Runtime> {
    runtime: R,
    backend: Arc<<R::Threads as Threads>::Files<K, V, E>>,
    capacity: usize,
    delays: Delays,
    settings: Settings,
    seed: Option<u64>,
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBackBuilder<K, V, E, R> {
    /// Sets how many entries the cache may hold; by default 1000.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// assert_eq!(WriteBack::builder(runtime, disk).capacity(0).build().err(), Some(ConfigError::Capacity));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(self, entries: usize) -> Self {
        Self { capacity: entries, ..self }
    }

    /// Sets the name of this cache in errors; by default `cache`.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// assert_eq!(WriteBack::builder(runtime, disk).name("pages").build()?.name(), "pages");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = Arc::from(name);
        self
    }

    /// Sets how many entries one [`flush`](WriteBack::flush) writes at once.
    ///
    /// 16 by default. With 1, entries are written in the order in which they were changed.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// assert_eq!(WriteBack::builder(runtime, disk).flush_limit(0).build().err(), Some(ConfigError::FlushLimit));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_limit(mut self, entries: usize) -> Self {
        self.settings.flush_limit = entries;
        self
    }

    /// Sets after how long [`next_flush`](WriteBack::next_flush) calls a change due.
    ///
    /// 5 seconds by default. The cache does not flush by itself: this only tells a program that flushes when to do so.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).flush_after(Duration::from_secs(30)).build()?;
    /// # assert_eq!(cache.next_flush(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_after(mut self, age: Duration) -> Self {
        self.settings.flush_after = age;
        self
    }

    /// Sets how long callers that need room do not retry a failing back end.
    ///
    /// To make room, a few entries are tried. If none of them could be flushed, callers that need room get the same
    /// failure at once, until an entry is tried again: after the first of these delays, and then after twice as long
    /// each time, up to the cap. By default 100 milliseconds, and at most 5 seconds. With a first delay of zero each of
    /// these callers tries one entry. [`flush`](WriteBack::flush) and its variants call the back end at once, and a
    /// success ends the delays.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let (first, cap) = (Duration::from_secs(1), Duration::from_secs(60));
    /// let builder = WriteBack::builder(runtime.clone(), disk.clone()).error_backoff(first, cap);
    /// # assert!(builder.build().is_ok());
    /// let wrong = WriteBack::builder(runtime, disk).error_backoff(cap, first);
    /// assert_eq!(wrong.build().err(), Some(ConfigError::BackoffCap));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn error_backoff(self, first: Duration, cap: Duration) -> Self {
        Self { delays: Delays { first, cap }, ..self }
    }

    /// Seeds the hasher.
    ///
    /// Required without `std`, as [`hash_seed`](crate::Builder::hash_seed) is.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).hash_seed(42).build()?;
    /// # assert!(cache.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hash_seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Returns the cache, if the settings make sense.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the wrong setting.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).capacity(8).build()?;
    /// assert_eq!(cache.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn build(self) -> Result<WriteBack<K, V, E, R>, ConfigError>
    where
        K: 'static,
        V: 'static,
        E: 'static,
        R: 'static,
        R::Threads: Takes<Box<LoadJob<K, V, E, R>>> + Takes<Box<FlushJob<K, V, E, R>>>,
    {
        let hasher = self.check()?;
        Ok(WriteBack { shared: Arc::new(self.assemble(hasher)), wraps: Wraps::new() })
    }

    /// Do the settings make sense? Returns the hasher.
    pub(super) fn check(&self) -> Result<DefaultHasher, ConfigError> {
        if self.capacity == 0 {
            return Err(ConfigError::Capacity);
        }
        if self.settings.flush_limit == 0 {
            return Err(ConfigError::FlushLimit);
        }
        if self.delays.cap < self.delays.first {
            return Err(ConfigError::BackoffCap);
        }
        self.seed.map(DefaultHasher::with_seed).or_else(DefaultHasher::random).ok_or(ConfigError::HashSeed)
    }

    pub(super) fn assemble(self, hasher: DefaultHasher) -> Shared<K, V, E, R> {
        let Self { runtime, backend, capacity, delays, settings, .. } = self;
        // What is under way is found by key, and nothing is stored.
        let builder = Cache::builder_with(Timeless::new(), Aside(hasher.clone())).capacity(0);
        let mut engine = assemble(builder, hasher.clone());
        engine.finish = Some(finish);
        engine.shards.of(0).with_both(|_, book| *book = Book::new(capacity, delays));
        let node = Node::new(Arc::clone(&settings.name));
        Shared { runtime, backend, engine: Arc::new(engine), hasher, settings, node }
    }
}

impl<K, V, E, R> Wraps<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: 'static,
    R: Runtime + 'static,
    R::Threads: Takes<Box<LoadJob<K, V, E, R>>> + Takes<Box<FlushJob<K, V, E, R>>>,
{
    pub(super) fn new() -> Self {
        Self { load: wrap, resume, flush: wrap }
    }
}

/// Makes a task of a load or a flush, with its type erased.
fn wrap<K, V, E, R, J>(job: Box<J>) -> TaskFor<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: 'static,
    R: Runtime + 'static,
    R::Threads: Takes<Box<J>>,
    J: Future<Output = Result<Done<K, V, E, R>, Fault<K, E>>> + Unpin,
{
    <R::Threads as Takes<Box<J>>>::task(job, (), |result, ()| result.map(answered))
}

/// Turns a value that was loaded and has no place yet back into a load.
fn resume<K, V, E, R>(brought: Brought<K, V, E, R>, seat: Seat<R::Notify>, refused: Refused) -> TaskFor<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: 'static,
    R: Runtime + 'static,
    R::Threads: Takes<Box<LoadJob<K, V, E, R>>> + Takes<Box<FlushJob<K, V, E, R>>>,
{
    wrap(Box::new(LoadJob::resumed(brought, seat, refused, wrap)))
}

impl<K, V, E, R: Runtime> fmt::Debug for WriteBackBuilder<K, V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { name, flush_limit, flush_after } = &self.settings;
        let mut shown = f.debug_struct("WriteBackBuilder");
        shown.field("name", name).field("capacity", &self.capacity);
        shown.field("flush_limit", flush_limit).field("flush_after", flush_after).finish_non_exhaustive()
    }
}
