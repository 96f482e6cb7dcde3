//! The settings that are user code: loaders, weighers and listeners.

use alloc::{rc::Rc, vec::Vec};
use core::marker::PhantomData;

use super::Builder;
use crate::{
    AnswerSink, Keeps, Key, Load, LoadMany, Loaded, Previous, RemovalCause, Revalidate, Revalidated, Runtime, Tuning,
    share::Engine,
    source::{
        Listener, LoadEachFn, LoadFn, LoadManyFn, LoadOf, LoadedFn, LoadedManyFn, Loader, ManyLoader, OneThread,
        RevalidateFn, Revalidator, Weigher,
    },
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Loads with a closure that returns plain values.
    ///
    /// The load is stored in the cache and polled from the task of whichever waiter is polled; all of them share its
    /// error. So it has to own what it uses: the closure keeps a handle, and each load gets a clone of it.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::{io, sync::Arc};
    /// let names = Arc::new(["Ada", "Grace"]); // for example a pool of connections
    /// let load = move |id: usize| {
    ///     let names = Arc::clone(&names);
    ///     async move { io::Result::Ok(names[id]) }
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_fn(load).build()?;
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    ///
    /// Without the clone, the load borrows from the closure, which is not possible for an async closure on many
    /// threads:
    ///
    /// ```compile_fail,E0525
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::{io, sync::Arc};
    /// # let names = Arc::new(["Ada", "Grace"]);
    /// let load = async move |id: usize| io::Result::Ok(names[id]); // it borrows `names`
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_fn(load).build();
    /// ```
    ///
    /// On one thread, [`load_async_fn`](Self::load_async_fn) accepts such a closure.
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
    pub fn load_fn<F, Fut>(mut self, load: F) -> Self
    where
        F: Fn(K) -> Fut,
        Fut: LoadOf<V, E>,
        R::Threads: Keeps<K, V, E, LoadFn<F>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, LoadFn<F>>>::keep(LoadFn(load)));
        self
    }

    /// Loads with an async closure, on a single thread.
    ///
    /// As [`load_fn`](Self::load_fn), but what the closure owns need not be cloned for each load: a load keeps the
    /// closure alive, and may borrow from it. For many threads, Rust cannot yet express that such a load may move
    /// between them.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Local};
    /// # use std::io;
    /// let names = vec![String::from("Ada"), String::from("Grace")];
    /// let cache = Cache::builder(Local::new(ManualClock::new()))
    ///     .load_async_fn(async move |id: usize| io::Result::Ok(names[id].clone()))
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "Grace");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn load_async_fn<F>(self, load: F) -> Self
    where
        F: AsyncFn(K) -> Result<V, E> + 'static,
        R: Runtime<Threads = OneThread>,
        K: 'static,
        V: 'static,
        E: 'static,
    {
        let load = Rc::new(load);
        self.load_fn(move |key| {
            let load = Rc::clone(&load);
            async move { load(key).await }
        })
    }

    /// Loads with a closure that returns [`Loaded`] values.
    ///
    /// So each value may bring its own lifetime and weight.
    ///
    /// ```
    /// # use larder::TimeLeft;
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .loaded_fn(|host: String| async move {
    ///         let (address, seconds) = ("192.0.2.1", 30); // the name server's answer
    ///         Ok::<_, io::Error>(Loaded::new(address).ttl(Duration::from_secs(seconds)))
    ///     })
    ///     .build()?;
    /// let outcome = block_on(cache.lookup("example.org"))?;
    /// assert_eq!(outcome.time_left(), TimeLeft::For(Duration::from_secs(30)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loaded_fn<F, Fut>(mut self, load: F) -> Self
    where
        F: Fn(K) -> Fut,
        Fut: LoadOf<Loaded<V>, E>,
        R::Threads: Keeps<K, V, E, LoadedFn<F>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, LoadedFn<F>>>::keep(LoadedFn(load)));
        self
    }

    /// Loads with a custom type.
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
    pub fn loader<L: Load<K, Value = V, Error = E>>(mut self, load: L) -> Self
    where
        R::Threads: Keeps<K, V, E, Loader<L>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, Loader<L>>>::keep(Loader(load)));
        self
    }

    /// Loads with a closure that gets the value that is held now.
    ///
    /// However stale that value is. The closure may return that it is [unchanged](Revalidated::Unchanged), as HTTP's
    /// 304 does. For such a loader an expired value is still useful, so it is held until room is needed, or for as long
    /// as [`revalidate_within`](Self::revalidate_within) says.
    ///
    /// A load outside the shared ones ([`OnTimeout::LoadAlone`](crate::OnTimeout::LoadAlone)) gets the value as well;
    /// if it finds it unchanged, the caller gets it, and it stays stored as it was.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, Previous, Revalidated, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .revalidate_fn(|id: u32, previous: Option<Previous<String>>| async move {
    ///         io::Result::Ok(match previous {
    ///             Some(_) => Revalidated::unchanged(),
    ///             None => Revalidated::from(format!("user {id}")),
    ///         })
    ///     })
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "user 1");
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(block_on(cache.get(&1))?, "user 1");
    /// let found = cache.peek(&1).expect("it is still the same value, and fresh again");
    /// assert_eq!(found.age(), Duration::from_secs(90));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn revalidate_fn<F, Fut>(mut self, load: F) -> Self
    where
        F: Fn(K, Option<Previous<V>>) -> Fut,
        Fut: LoadOf<Revalidated<V>, E>,
        R::Threads: Keeps<K, V, E, RevalidateFn<F>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, RevalidateFn<F>>>::keep(RevalidateFn(load)));
        self
    }

    /// Loads with a custom type that gets the value that is held now.
    ///
    /// As [`revalidate_fn`](Self::revalidate_fn), for a [`Revalidate`], which may also say what to serve
    /// [instead](crate::Failed) when it fails; see there for an example.
    #[must_use]
    pub fn revalidator<L: Revalidate<K, Value = V, Error = E>>(mut self, load: L) -> Self
    where
        R::Threads: Keeps<K, V, E, Revalidator<L>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, Revalidator<L>>>::keep(Revalidator(load)));
        self.hold_instead = Some(Engine::hold_instead);
        self
    }

    /// Loads many keys at once with a closure that returns plain values.
    ///
    /// [`get_many`](crate::Cache::get_many) calls it once for all keys that it has to load, each of them once, or as
    /// often as [`max_batch`](Self::max_batch) requires; a lookup of a single key calls it for that key. Answers are
    /// matched by key, in any order; a key that is not answered has failed.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_many_fn(|ids: Vec<u32>| async move {
    ///         io::Result::Ok(ids.into_iter().map(|id| (id, id * 2)))
    ///     })
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&21))?, 42);
    /// assert_eq!(block_on(cache.get_many(&[21, 22]))[1].as_ref().ok(), Some(&44));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn load_many_fn<F, Fut, I>(mut self, load: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut,
        Fut: LoadOf<I, E>,
        I: IntoIterator<Item = (K, V)>,
        R::Threads: Keeps<K, V, E, LoadManyFn<F, I>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, LoadManyFn<F, I>>>::keep(LoadManyFn(load, PhantomData)));
        self
    }

    /// Loads many keys at once with a closure with a result for each.
    ///
    /// As [`load_many_fn`](Self::load_many_fn), but each key gets its own [`Loaded`] value or its own error.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let answer = |id: u32| match id {
    ///     0 => Err(io::Error::other("nobody")),
    ///     _ => Ok(Loaded::new(id * 2).ttl(Duration::from_secs(60))),
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .loaded_many_fn(move |ids: Vec<u32>| async move { Ok(ids.into_iter().map(move |id| (id, answer(id)))) })
    ///     .build()?;
    /// let found = block_on(cache.get_many(&[0, 1]));
    /// assert_eq!(found[0].as_ref().unwrap_err().error().map(io::Error::to_string), Some("nobody".into()));
    /// assert_eq!(found[1].as_ref().ok(), Some(&2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn loaded_many_fn<F, Fut, I>(mut self, load: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut,
        Fut: LoadOf<I, E>,
        I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
        R::Threads: Keeps<K, V, E, LoadedManyFn<F, I>>,
    {
        self.sources
            .set_loader(<R::Threads as Keeps<K, V, E, LoadedManyFn<F, I>>>::keep(LoadedManyFn(load, PhantomData)));
        self
    }

    /// Loads many keys at once with a closure that sends its answers one by one.
    ///
    /// For sources that have some answers sooner than others: rows that stream in, many requests side by side, a tier of
    /// which some keys are at hand. As [`load_many_fn`](Self::load_many_fn), but callers that wait for a key are told once
    /// it is answered, while the load goes on for the others. A lookup of many keys ends with its last answer.
    ///
    /// What is sent between two of its awaits is published together, with one reading of the clock. When the load ends,
    /// keys without an answer are [missing](crate::Cause::Missing), or have failed with its error. It is dropped once all
    /// its keys are answered, or nobody waits for any of them.
    ///
    /// ```
    /// # use futures_lite::{StreamExt, future::block_on, stream};
    /// # use larder::{AnswerSink, Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let load = |ids: Vec<u32>, answers: AnswerSink<u32, String, io::Error, _>| async move {
    ///     let mut rows = stream::iter(ids); // SELECT id, name FROM users WHERE id IN (...)
    ///     while let Some(id) = rows.next().await {
    ///         answers.answer(id, format!("user {id}"));
    ///     }
    ///     Ok(())
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_each_fn(load).build()?;
    /// let found = block_on(cache.get_many(&[1, 2]));
    /// assert_eq!(found[1].as_ref().unwrap(), "user 2");
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn load_each_fn<F, Fut>(mut self, load: F) -> Self
    where
        F: Fn(Vec<K>, AnswerSink<K, V, E, R>) -> Fut,
        Fut: LoadOf<(), E>,
        R::Threads: Keeps<K, V, E, LoadEachFn<F, R>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, LoadEachFn<F, R>>>::keep(LoadEachFn(load, PhantomData)));
        self.hold_instead = Some(Engine::hold_instead);
        self
    }

    /// Loads many keys at once with a custom [`LoadMany`].
    ///
    /// For loaders that are types of their own, such as one that wraps another; see there for an example.
    #[must_use]
    pub fn many_loader<L: LoadMany<K, Value = V, Error = E>>(mut self, load: L) -> Self
    where
        R::Threads: Keeps<K, V, E, ManyLoader<L>>,
    {
        self.sources.set_loader(<R::Threads as Keeps<K, V, E, ManyLoader<L>>>::keep(ManyLoader(load)));
        self
    }

    /// Sets how many keys one load of many keys gets at most.
    ///
    /// A call that has more keys to load begins several loads with at most this many keys each, all of them before it
    /// waits for any. Each load is independent: it ends, fails and exceeds its [`load_budget`](Self::load_budget)
    /// alone. This also holds for loads that calls bring. It does not bound what a load returns: with
    /// [`store_surplus`](Self::store_surplus) a load may answer more keys than it was asked for, but not for the call's
    /// other loads, whose keys are in flight by then. A lookup of a single key asks for that key alone in any case. By
    /// default all keys of a call go into one load; zero is refused.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_many_fn(|ids: Vec<u32>| async move {
    ///         assert!(ids.len() <= 100); // or the back end refuses the request
    ///         io::Result::Ok(ids.into_iter().map(|id| (id, id * 2)))
    ///     })
    ///     .max_batch(100)
    ///     .build()?;
    /// let ids: Vec<u32> = (0..250).collect();
    /// assert!(block_on(cache.get_many(&ids)).iter().all(Result::is_ok));
    /// assert_eq!(cache.stats().loads_succeeded, 250); // in three loads; each key counts
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn max_batch(mut self, keys: usize) -> Self {
        self.settings.rules.max_batch = keys;
        self
    }

    /// Weighs values that come without a weight.
    ///
    /// That is if neither the load nor the call gives one. Zero counts as 1. The closure runs outside every lock; if it
    /// panics, the load has panicked.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .capacity(1_000_000) // now in bytes
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(format!("user {id}")) })
    ///     .weigher(|_, name| name.len() as u64)
    ///     .build()?;
    /// block_on(cache.get(&7))?;
    /// assert_eq!(cache.weight(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn weigher<F: Fn(&K, &V) -> u64>(mut self, weigher: F) -> Self
    where
        R::Threads: Keeps<K, V, E, Weigher<F>>,
    {
        self.sources.set_weigher(<R::Threads as Keeps<K, V, E, Weigher<F>>>::keep(Weigher(weigher)));
        self
    }

    /// Calls this closure for every value that leaves, with the reason.
    ///
    /// Each value has one event: a stored one when it is no longer held, and a refused one when it is refused. The
    /// closure runs outside every lock, after all waiting callers have been woken, in the call that caused the event:
    /// the cache is in its final state, and the closure may call it. A panic unwinds through that call once the other
    /// events have been delivered. Several listeners are called in the order in which they were set.
    ///
    /// A value that is handed out without being stored has no event, unless it was refused. Dropping the cache causes
    /// no events.
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
    pub fn listener<F: Fn(&K, &V, RemovalCause)>(mut self, listener: F) -> Self
    where
        R::Threads: Keeps<K, V, E, Listener<F>>,
    {
        self.sources.listener = Some(<R::Threads as Keeps<K, V, E, Listener<F>>>::keep(Listener(listener)));
        self
    }
}
