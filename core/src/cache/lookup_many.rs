//! Many keys at once: the calls, and what they may say for themselves.

use alloc::{borrow::ToOwned, vec::Vec};
use core::{
    borrow::Borrow,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    Cache, Key, Loaded, LookupOptions, Outcome, Runtime, Takes, Tuning,
    cache::AnyCache,
    share::{ByClosure, FromLoader, Leads, Many, Outcomes, Results, Shape, Values},
    source::{own_answers, plain_answers},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the values of many keys, loading those that are missing.
    ///
    /// Each key gets its own answer, in the order asked; a key that is asked for twice is loaded once and answered
    /// twice. Hits and the answers of other keys are returned even if some keys fail. Keys that are being loaded
    /// already are joined.
    ///
    /// All others are loaded at once, before this call waits for anything, so calls whose keys overlap in any order
    /// cannot wait for each other. If the cache has a loader of [many keys](crate::Builder::load_many_fn), one load
    /// takes them all, or as many loads as its [bound](crate::Builder::max_batch) requires; otherwise there is one load
    /// for each key. Single lookups join those loads, and a write to one of the keys affects only that key.
    ///
    /// Any caller that waits for any of the keys drives a load of many keys; it is dropped when no caller waits for any
    /// of them. Keys that reach the lock timeout or the lock age together are loaded together.
    ///
    /// The time for a poll is proportional to the number of keys whose loads were woken.
    ///
    /// Keys may be borrowed in any form that the map knows: for `String`s that is `["a", "b"]`, not `&["a", "b"]`,
    /// whose items are `&&str`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), for each key. If a load fails as a whole, each key that it was begun for gets the
    /// failure. A key that the load does not answer has failed ([`Cause::Missing`](crate::Cause::Missing)).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get), for each key.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_many_fn(|ids: Vec<u32>| async move {
    ///         // SELECT id, name FROM users WHERE id IN (...)
    ///         io::Result::Ok(ids.into_iter().map(|id| (id, format!("user {id}"))))
    ///     })
    ///     .build()?;
    /// cache.insert(2, String::from("root"));
    /// let names: Result<Vec<_>, _> = block_on(cache.get_many(&[1, 2, 3])).into_iter().collect();
    /// assert_eq!(names?, ["user 1", "root", "user 3"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_many<'a, Q, I>(&'a self, keys: I) -> impl Future<Output = Results<V, E>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized + 'a,
        I: IntoIterator<Item = &'a Q>,
    {
        GetMany::<_, _, _, _, _, _, _, Values>(Many::new(&self.inner, keys, FromLoader))
    }

    /// Returns the values of many keys, loading missing ones with `load`.
    ///
    /// As [`get_many`](Self::get_many), for a load that this call brings. The closure gets all keys that this call has
    /// to load, or at most [`max_batch`](crate::Builder::max_batch) of them at a time. It is called again for keys
    /// whose loads this call has to begin later: at the lock age, at the lock timeout, or because another caller was
    /// dropped. The closure may borrow; its future owns what it needs and is stored in the cache, where any caller that
    /// waits for any of its keys can drive it.
    ///
    /// # Errors
    ///
    /// As [`get_many`](Self::get_many).
    ///
    /// # Cancel safety
    ///
    /// As [`get_many`](Self::get_many): the load is not lost if the caller that brought it is dropped.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    ///
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let prices = vec![10, 20, 30];
    /// let found = block_on(cache.get_many_or_load(&[0, 2], |ids: Vec<u32>| {
    ///     let answers: Vec<_> = ids.into_iter().map(|id| (id, prices[id as usize])).collect();
    ///     async { Ok(answers) }
    /// }));
    /// assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), [10, 30]);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn get_many_or_load<'a, Q, I, C, F, A>(
        &'a self,
        keys: I,
        load: C,
    ) -> impl Future<Output = Results<V, E>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized + 'a,
        I: IntoIterator<Item = &'a Q>,
        K: 'static,
        V: 'static,
        E: 'static,
        C: FnMut(Vec<K>) -> F,
        F: Future<Output = Result<A, E>>,
        A: IntoIterator<Item = (K, V)>,
        R::Threads: Takes<F>,
    {
        let leads = ByClosure::new(load, plain_answers::<K, V, E, R::Threads, A>);
        GetMany::<_, _, _, _, _, _, _, Values>(Many::new(&self.inner, keys, leads))
    }

    /// Returns the values of many keys and how each was found.
    ///
    /// As [`get_many`](Self::get_many). Methods of [`LookupMany`] change how this call looks or loads.
    ///
    /// # Errors
    ///
    /// As [`get_many`](Self::get_many).
    ///
    /// # Cancel safety
    ///
    /// As [`get_many`](Self::get_many).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// let outcomes = block_on(cache.lookup_many(&[1, 2]));
    /// let status = |index: usize| outcomes[index].as_ref().ok().map(|outcome| outcome.status());
    /// assert_eq!((status(0), status(1)), (Some(Status::Hit), Some(Status::Miss)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn lookup_many<'a, Q, I>(&'a self, keys: I) -> LookupMany<'a, Self, Q>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized + 'a,
        I: IntoIterator<Item = &'a Q>,
    {
        LookupMany(Many::new(&self.inner, keys, FromLoader))
    }
}

/// The future of [`Cache::lookup_many`].
///
/// Before it is polled, its methods set what this call wants; everything else is as in the cache. It does nothing
/// before its first poll, and needs no pinning.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
/// # let cache = Cache::builder(Std::new(ManualClock::new()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let lookup = cache.lookup_many(&[1, 1]).options(LookupOptions::new().reload());
/// let outcomes: Result<Vec<_>, _> = block_on(lookup).into_iter().collect();
/// assert_eq!(outcomes?[1].attempt(), Some(1)); // from the same load
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupMany<'a, C: AnyCache, Q: ?Sized, M = FromLoader>(
    Many<'a, C::Key, Q, C::Value, C::Error, C::Runtime, C::Tuning, M, Outcomes>,
);

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> LookupMany<'a, Cache<K, V, E, R, S>, Q, M> {
    /// Sets options for this call; they take precedence over the cache's.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, LookupOptions, ManualClock, TimeLeft, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// let brief = LookupOptions::new().ttl(Duration::from_secs(5));
    /// let outcomes: Result<Vec<_>, _> = block_on(cache.lookup_many(&[1, 2]).options(brief)).into_iter().collect();
    /// assert!(outcomes?.iter().all(|outcome| outcome.time_left() == TimeLeft::For(Duration::from_secs(5))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn options(mut self, options: LookupOptions) -> Self {
        self.0.options = options;
        self
    }
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning> LookupMany<'a, Cache<K, V, E, R, S>, Q> {
    /// Loads with `load` if needed, whether or not the cache has a loader.
    ///
    /// As [`get_many_or_load`](Cache::get_many_or_load); for each key, the load returns a value with its lifetime and
    /// weight, or an error.
    ///
    /// # Errors
    ///
    /// As [`get_many`](Cache::get_many).
    ///
    /// # Cancel safety
    ///
    /// As [`get_many_or_load`](Cache::get_many_or_load).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let price = |id: u32| match id {
    ///     0 => Ok(Loaded::new(10).ttl(Duration::from_secs(60))),
    ///     _ => Err(io::Error::other("no such thing")),
    /// };
    /// let found = block_on(cache.lookup_many(&[0, 7]).by(|ids: Vec<u32>| async move {
    ///     Ok(ids.into_iter().map(|id| (id, price(id))).collect::<Vec<_>>())
    /// }));
    /// assert_eq!(found[0].as_ref().ok().map(|outcome| *outcome.value()), Some(10));
    /// assert!(found[1].is_err());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn by<C, F, A>(self, load: C) -> LookupMany<'a, Cache<K, V, E, R, S>, Q, impl Leads<K, V, E, R::Threads>>
    where
        K: 'static,
        V: 'static,
        E: 'static,
        C: FnMut(Vec<K>) -> F,
        F: Future<Output = Result<A, E>>,
        A: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
        R::Threads: Takes<F>,
    {
        LookupMany(self.0.with(ByClosure::new(load, own_answers::<K, V, E, R::Threads, A>)))
    }
}

impl<C: AnyCache, Q: ?Sized, M> Unpin for LookupMany<'_, C, Q, M> {}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for LookupMany<'_, Cache<K, V, E, R, S>, Q, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Leads<K, V, E, R::Threads>,
{
    type Output = Results<Outcome<V, E>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

/// A lookup of many keys that returns only the values.
struct GetMany<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>>(
    Many<'a, K, Q, V, E, R, S, M, W>,
);

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Unpin
    for GetMany<'_, K, Q, V, E, R, S, M, W>
{
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M, W> Future for GetMany<'_, K, Q, V, E, R, S, M, W>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Leads<K, V, E, R::Threads>,
    W: Shape<V, E>,
{
    type Output = Results<W::Answer, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}
