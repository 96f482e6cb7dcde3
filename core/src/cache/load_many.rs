//! The settings of loads of many keys at once.

use alloc::vec::Vec;
use core::{future::Future, hash::BuildHasher};

use super::{Builder, NoSource};
use crate::{Key, LoadMany, LoadManyFn, Loaded, LoadedManyFn, ManyLoader, Runtime, Source, policy::Policy};

impl<K: Key, R: Runtime, P: Policy, H: BuildHasher> Builder<K, R, NoSource, P, H> {
    /// Loads many keys at once by a closure that returns plain values.
    ///
    /// [`get_many`](crate::Cache::get_many) asks it once for all keys that it has to load, each of which is there once; a
    /// lookup of a single key asks it for that one. Answers are matched by key, in any order; a key that is not answered
    /// has failed.
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
    pub fn load_many_fn<F, Fut, I, V, E>(self, load: F) -> Builder<K, R, LoadManyFn<F>, P, H>
    where
        F: Fn(Vec<K>) -> Fut,
        Fut: Future<Output = Result<I, E>>,
        I: IntoIterator<Item = (K, V)>,
        V: Clone,
    {
        self.source(LoadManyFn(load))
    }

    /// Loads many keys at once by a closure that says more of each.
    ///
    /// As [`load_many_fn`](Self::load_many_fn), but each key has a [`Loaded`] value or an error of its own.
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
    ///     .loaded_many_fn(|ids: Vec<u32>| async move { Ok(ids.into_iter().map(move |id| (id, answer(id)))) })
    ///     .build()?;
    /// let found = block_on(cache.get_many(&[0, 1]));
    /// assert_eq!(found[0].as_ref().unwrap_err().error().map(io::Error::to_string), Some("nobody".into()));
    /// assert_eq!(found[1].as_ref().ok(), Some(&2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn loaded_many_fn<F, Fut, I, V, E>(self, load: F) -> Builder<K, R, LoadedManyFn<F>, P, H>
    where
        F: Fn(Vec<K>) -> Fut,
        Fut: Future<Output = Result<I, E>>,
        I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
        V: Clone,
    {
        self.source(LoadedManyFn(load))
    }

    /// Loads many keys at once by a [`LoadMany`] of one's own.
    ///
    /// Its type has a name, so that the cache's type can be written down; see there for an example.
    #[must_use]
    pub fn many_loader<T: LoadMany<K>>(self, load: T) -> Builder<K, R, ManyLoader<T>, P, H> {
        self.source(ManyLoader(load))
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Stores what a load of many keys answers though nobody asked for it.
    ///
    /// That is where nothing fresh is stored and nothing is being loaded, and where no write came to the key's shard
    /// since the load began: no write is undone by what was read before it. What is loaded
    /// [alone](crate::OnTimeout::LoadAlone) is not stored, and nothing beside it. By default such answers are ignored.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_many_fn(|_: Vec<u32>| async { io::Result::Ok(vec![(1, "one"), (2, "two")]) })
    ///     .store_surplus()
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "one");
    /// assert_eq!(cache.get_if_present(&2), Some("two"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn store_surplus(mut self) -> Self {
        self.settings.rules.stores_surplus = true;
        self
    }
}
