//! The settings that make a cache's type: where values come from, the policy, the hasher.

use alloc::boxed::Box;
use core::{convert::Infallible, future::Future, hash::BuildHasher, marker::PhantomData};

use super::{Builder, ConfigError, DefaultHasher};
use crate::{
    BoxLoad, BoxLoader, Key, Listener, Listening, Load, LoadFn, Loaded, LoadedFn, Loader, LocalPerCall, PerCall,
    Previous, RemovalCause, Runtime, Source, Weighed, Weigher, With,
    policy::Policy,
    seams::{NoBatch, sealed::Sealed},
};

/// No source yet: a [`Builder`] needs one before it can be of use.
///
/// ```
/// use larder::{Builder, Cache, NoSource, parts::{NoTimer, Std, StdClock}};
///
/// /// What the caches of a program have in common, except where values come from.
/// fn settings<K: larder::Key>() -> Builder<K, Std<NoTimer<StdClock>>, NoSource> {
///     Cache::builder(Std::new(NoTimer::new(StdClock::new()))).capacity(1_000)
/// }
///
/// let lengths = settings().load_fn(|name: String| async move { Ok::<_, ()>(name.len()) }).build()?;
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct NoSource(pub(super) ());

impl Sealed for NoSource {}

impl<K> Source<K> for NoSource {
    type Value = Infallible;
    type Error = Infallible;
    type Answer = Loaded<Infallible>;
    type Future = BoxLoad<Infallible, Infallible>;
    type Batch = NoBatch<K, Infallible, Infallible>;

    const IS_READY: bool = false;

    fn begin(&self, _: K, _: Option<Previous<Infallible>>) -> Option<Self::Future> {
        None
    }
}

impl<K: Key, R: Runtime, P: Policy, H: BuildHasher> Builder<K, R, NoSource, P, H> {
    /// Loads by a closure that returns plain values.
    ///
    /// The load is kept in the cache and polled from the task of whichever waiter is polled; its error is shared by all
    /// of them.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|name: String| async move { Ok::<_, io::Error>(name.len()) })
    ///     .build()?;
    /// assert_eq!(block_on(cache.get("larder"))?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn load_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, LoadFn<F>, P, H>
    where
        F: Fn(K) -> Fut,
        Fut: Future<Output = Result<V, E>>,
        V: Clone,
    {
        self.change(|_| LoadFn(load), |hasher| hasher)
    }

    /// Loads by a closure that returns [`Loaded`] values.
    ///
    /// So each value may have a lifetime and a weight of its own.
    ///
    /// ```
    /// # use larder::TimeLeft;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .loaded_fn(|host: String| async move {
    ///         let (address, seconds) = ("192.0.2.1", 30); // what a name server answers
    ///         Ok::<_, io::Error>(Loaded::new(address).ttl(Duration::from_secs(seconds)))
    ///     })
    ///     .build()?;
    /// let outcome = block_on(cache.lookup("example.org", LookupOptions::new()))?;
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(30)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loaded_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, LoadedFn<F>, P, H>
    where
        F: Fn(K) -> Fut,
        Fut: Future<Output = Result<Loaded<V>, E>>,
        V: Clone,
    {
        self.change(|_| LoadedFn(load), |hasher| hasher)
    }

    /// Loads by a type of one's own.
    ///
    /// ```
    /// # use larder::{BoxLoad, Load};
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// struct Greeter(&'static str);
    ///
    /// impl Load<String> for Greeter {
    ///     type Value = String;
    ///     type Error = io::Error;
    ///     type Future = BoxLoad<String, io::Error>;
    ///
    ///     fn load(&self, name: String) -> Self::Future {
    ///         let greeting = self.0;
    ///         Box::pin(async move { Ok(Loaded::new(format!("{greeting}, {name}"))) })
    ///     }
    /// }
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new())).loader(Greeter("Hello")).build()?;
    /// assert_eq!(block_on(cache.get("larder"))?, "Hello, larder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loader<T: Load<K>>(self, load: T) -> Builder<K, R, Loader<T>, P, H> {
        self.change(|_| Loader(load), |hasher| hasher)
    }

    /// Loads by a boxed closure that returns plain values.
    ///
    /// As [`load_fn`](Self::load_fn), but the type of the cache can be written down, at the cost of calling through a
    /// pointer at each load.
    ///
    /// ```
    /// # use larder::BoxLoader;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// struct Lengths {
    ///     cache: Cache<String, BoxLoader<String, usize, io::Error>, Std<ManualClock>>,
    /// }
    ///
    /// let lengths = Lengths {
    ///     cache: Cache::builder(Std::new(ManualClock::new()))
    ///         .boxed_load_fn(|name: String| async move { Ok(name.len()) })
    ///         .build()?,
    /// };
    /// assert_eq!(block_on(lengths.cache.get("larder"))?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn boxed_load_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, BoxLoader<K, V, E>, P, H>
    where
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        V: Clone,
    {
        let load = move |key| -> BoxLoad<V, E> {
            let load = load(key);
            Box::pin(async move { load.await.map(Loaded::new) })
        };
        self.change(|_| BoxLoader(Box::new(load)), |hasher| hasher)
    }

    /// Loads by a boxed closure that returns [`Loaded`] values.
    ///
    /// As [`loaded_fn`](Self::loaded_fn), but the type of the cache can be written down, at the cost of calling through
    /// a pointer at each load.
    ///
    /// ```
    /// # use larder::BoxLoader;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// type Addresses = Cache<String, BoxLoader<String, [u8; 4], io::Error>, Std<ManualClock>>;
    ///
    /// let addresses: Addresses = Cache::builder(Std::new(ManualClock::new()))
    ///     .boxed_loaded_fn(|_| async { Ok(Loaded::new([192, 0, 2, 1]).ttl(Duration::from_secs(30))) })
    ///     .build()?;
    /// assert_eq!(block_on(addresses.get("example.org"))?, [192, 0, 2, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn boxed_loaded_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, BoxLoader<K, V, E>, P, H>
    where
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        V: Clone,
    {
        let load = move |key| -> BoxLoad<V, E> { Box::pin(load(key)) };
        self.change(|_| BoxLoader(Box::new(load)), |hasher| hasher)
    }

    /// Has each call bring a load of its own.
    ///
    /// There is no loader then. The loads own what they need and are `Send`; see
    /// [`Cache::get_or_load`](crate::Cache::get_or_load).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder::<u32>(Std::new(ManualClock::new())).per_call::<String, io::Error>().build()?;
    /// let name = block_on(cache.get_or_load(&7, || async { Ok(String::from("user 7")) }))?;
    /// assert_eq!(name, "user 7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn per_call<V: Clone, E>(self) -> Builder<K, R, PerCall<V, E>, P, H> {
        self.change(|_| PerCall(PhantomData), |hasher| hasher)
    }

    /// Has each call bring a load that stays on its thread.
    ///
    /// There is no loader then. The loads own what they need and need not be `Send`; see
    /// [`Cache::get_or_load`](crate::Cache::get_or_load).
    ///
    /// ```
    /// # use larder::parts::Local;
    /// # use std::rc::Rc;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock};
    /// # use std::io;
    /// let cache = Cache::builder::<u32>(Local::new(ManualClock::new()))
    ///     .local_per_call::<Rc<str>, io::Error>()
    ///     .build()?;
    /// let name = block_on(cache.get_or_load(&7, || async { Ok(Rc::from("user 7")) }))?;
    /// assert_eq!(&*name, "user 7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn local_per_call<V: Clone, E>(self) -> Builder<K, R, LocalPerCall<V, E>, P, H> {
        self.change(|_| LocalPerCall(PhantomData), |hasher| hasher)
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Weighs values that come without a weight.
    ///
    /// That is where neither load nor call says it. Zero counts as 1. The closure runs outside every lock; its panic
    /// counts as the load's.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .capacity(1_000_000) // bytes, then
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(format!("user {id}")) })
    ///     .weigher(|_, name| name.len() as u64)
    ///     .build()?;
    /// block_on(cache.get(&7))?;
    /// assert_eq!(cache.weight(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn weigher<W: Fn(&K, &L::Value) -> u64>(self, weigher: W) -> Builder<K, R, Weighed<L, W>, P, H> {
        self.change(|source| With { source, extra: Weigher(weigher) }, |hasher| hasher)
    }

    /// Tells this closure of every value that leaves, and why.
    ///
    /// Each value has one event: those that were stored, when they are held no more, and those that were refused. The
    /// closure runs outside every lock, after all who wait have been woken, in the call that brought it about: the cache
    /// is as it will be, and the closure may call it. Its panic goes out through that call once the other events are
    /// through. With several listeners, the first that was set hears first.
    ///
    /// A value that is handed out without being stored has no event, unless it was too heavy. Dropping the cache has
    /// none.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, RemovalCause, parts::Std};
    /// # use std::io;
    /// use std::sync::mpsc;
    ///
    /// let (sender, events) = mpsc::channel();
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .listener(move |id: &u32, value: &u32, cause| sender.send((*id, *value, cause)).unwrap_or_default())
    ///     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(1, 11);
    /// cache.remove(&1);
    /// let events: Vec<_> = events.try_iter().collect();
    /// assert_eq!(events, [(1, 10, RemovalCause::Replaced), (1, 11, RemovalCause::Removed)]);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn listener<F>(self, listener: F) -> Builder<K, R, Listening<L, F>, P, H>
    where
        F: Fn(&K, &L::Value, RemovalCause),
    {
        self.change(|source| With { source, extra: Listener(listener) }, |hasher| hasher)
    }

    /// Takes another eviction policy than the default.
    ///
    /// That is [`GatedFifo`](crate::policy::GatedFifo).
    ///
    /// ```
    /// # use larder::policy::Lru;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .capacity(2)
    ///     .shards(1) // so that the order is that of all keys
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id) })
    ///     .policy::<Lru>()
    ///     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(2, 20);
    /// cache.get_if_present(&1);
    /// cache.insert(3, 30);
    /// assert!(cache.contains(&1) && !cache.contains(&2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn policy<T: Policy>(self) -> Builder<K, R, L, T, H> {
        self.change(|source| source, |hasher| hasher)
    }

    /// Takes another hasher than the default.
    ///
    /// It should be seeded, or an attacker can choose keys that collide.
    ///
    /// ```
    /// # use std::hash::RandomState;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id) })
    ///     .hasher(RandomState::new())
    ///     .build()?;
    /// # cache.insert(1, 10);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn hasher<T: BuildHasher>(self, hasher: T) -> Builder<K, R, L, P, T> {
        self.change(|source| source, |_| Some(hasher))
    }

    /// Loads by this source instead.
    pub(super) fn source<T: Source<K>>(self, source: T) -> Builder<K, R, T, P, H> {
        self.change(|_| source, |hasher| hasher)
    }

    /// Replaces the parts that make the cache's type, all but one of them by themselves.
    pub(crate) fn change<L2: Source<K>, P2: Policy, H2: BuildHasher>(
        self,
        source: impl FnOnce(L) -> L2,
        hasher: impl FnOnce(Option<H>) -> Option<H2>,
    ) -> Builder<K, R, L2, P2, H2> {
        let mut settings = self.settings;
        if self.spawn.is_some() {
            // The spawner was chosen for another type of cache, and forgetting it in silence would lose work.
            settings.order = Err(ConfigError::FinishAbandoned);
        }
        Builder {
            runtime: self.runtime,
            source: source(self.source),
            hasher: hasher(self.hasher),
            settings,
            spawn: None,
            parts: PhantomData,
        }
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy> Builder<K, R, L, P, DefaultHasher> {
    /// Seeds the default hasher.
    ///
    /// For repeatable runs, and needed without std, where there is no randomness: there it is best taken from a source
    /// of noise, or an attacker can choose keys that collide.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .hash_seed(42)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id) })
    ///     .build()?;
    /// # cache.insert(1, 10);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn hash_seed(mut self, seed: u64) -> Self {
        self.hasher = Some(DefaultHasher::with_seed(seed));
        self
    }
}
