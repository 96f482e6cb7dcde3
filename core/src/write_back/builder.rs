//! The configuration of a write-back cache, checked once.

use alloc::{sync::Arc, vec::Vec};
use core::{marker::PhantomData, time::Duration};

use super::{
    WriteBack,
    node::Node,
    shared::{Book, Jobs, Settings, Shared},
    threads::{ManyThreads, OneThread, Threads},
    timeless::Timeless,
};
use crate::{Backend, Cache, ConfigError, DefaultHasher, Key, Lock, Runtime, dirty::Ledger, policy::Lru};

impl<K: Key, B: Backend<K>, R: Runtime> WriteBack<K, B, R> {
    /// Begins the configuration of a cache on this runtime, in front of this back end.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).name("pages").capacity(10_000).build()?;
    /// # assert!(cache.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(runtime: R, backend: B) -> WriteBackBuilder<K, B, R> {
        let settings = Settings { name: Arc::from("cache"), flush_limit: 16, flush_after: Duration::from_secs(5) };
        WriteBackBuilder { runtime, backend, capacity: 1_000, settings, seed: None, parts: PhantomData }
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
pub struct WriteBackBuilder<K, B, R, D = ManyThreads> {
    runtime: R,
    backend: B,
    capacity: usize,
    settings: Settings,
    seed: Option<u64>,
    parts: PhantomData<fn(K) -> D>,
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> WriteBackBuilder<K, B, R, D> {
    /// Sets how many entries there may be; by default 1000.
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

    /// Sets the name that errors call this cache by; by default `cache`.
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

    /// Sets how many entries one call of [`flush`](WriteBack::flush) writes at once; by default 16.
    ///
    /// With 1 they are written in the order in which they were changed.
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

    /// Sets how old a change may be when [`next_flush`](WriteBack::next_flush) says that it is time; by default 5 seconds.
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

    /// Seeds the hasher; needed without std.
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

    /// Lets the cache depend on others that stay on their thread, and so it stays on its own.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).one_thread().build()?;
    /// # assert!(cache.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn one_thread(self) -> WriteBackBuilder<K, B, R, OneThread> {
        let Self { runtime, backend, capacity, settings, seed, .. } = self;
        WriteBackBuilder { runtime, backend, capacity, settings, seed, parts: PhantomData }
    }

    /// Returns the cache, if the settings make sense.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting which makes no sense.
    ///
    /// ```
    /// # use larder::{ConfigError, ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let (runtime, disk) = (Std::new(ManualClock::new()), Memory::<u32, u32>::new());
    /// let cache = WriteBack::builder(runtime, disk).capacity(8).build()?;
    /// assert_eq!(cache.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn build(self) -> Result<WriteBack<K, B, R, D>, ConfigError> {
        let Self { runtime, backend, capacity, settings, seed, .. } = self;
        if capacity == 0 {
            return Err(ConfigError::Capacity);
        }
        if settings.flush_limit == 0 {
            return Err(ConfigError::FlushLimit);
        }
        let hasher =
            seed.map(DefaultHasher::with_seed).or_else(crate::cache::default_hasher).ok_or(ConfigError::HashSeed)?;
        // What is under way is found by key, and nothing is stored.
        let io = Cache::builder(Timeless::new()).capacity(0).policy::<Lru>().hasher(hasher.clone());
        let io = io.change(|_| Jobs::new(), |hasher| hasher);
        let ledger = Ledger::new(capacity);
        let book = Book {
            ledger,
            links: Vec::new(),
            is_closed: false,
            is_needed: false,
            noted: None,
            stuck: Vec::new(),
            ending: Vec::new(),
        };
        let node = Node::new(Arc::clone(&settings.name));
        let shared = Shared { runtime, backend, book: R::Lock::new(book), io: io.build()?, hasher, settings, node };
        Ok(WriteBack { shared: Arc::new(shared) })
    }
}
