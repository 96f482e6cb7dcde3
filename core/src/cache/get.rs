//! Lookups of a value alone.

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, future::Future, hash::Hash};

use super::{Cache, KeyLookup};
use crate::{
    Key, LoadError, Loaded, Runtime, Takes, Tuning,
    share::{ByCall, ByLoader, Lent},
    source::NewValue,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Cache<K, V, E, R, S> {
    /// Returns the value of `key`, loading it if needed.
    ///
    /// It is loaded if it is missing or has expired. Callers of one key share one load. A stale value is served only if
    /// the load fails, within [`stale_if_error`](crate::Builder::stale_if_error), or at the lock timeout, if that says
    /// so. A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// [`LoadError::Failed`] with the error that all callers get that waited for the same load,
    /// [`LoadError::LockTimeout`] after the lock timeout, [`LoadError::Reentrant`] for a load that asks for its own
    /// key, and [`LoadError::NoLoader`] if this call would have to begin a load and the cache has no loader. A load
    /// that panics unwinds through the caller that polled it; the others get the error.
    ///
    /// # Cancel safety
    ///
    /// Nothing happens before the first poll. If the future is dropped, the load goes on with the other waiting
    /// callers. If there are none, the load is dropped, or left to the spawner with
    /// [`finish_abandoned`](crate::Builder::finish_abandoned).
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
    ///     .build()?;
    /// // In an async function: `cache.get("larder").await?`
    /// assert_eq!(block_on(cache.get("larder"))?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get<'a, Q>(&'a self, key: &'a Q) -> impl Future<Output = Result<V, LoadError<E>>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        KeyLookup::new(&self.inner, key, ByLoader)
    }

    /// Returns the value of `key`, loading it with `load` if needed.
    ///
    /// The closure may borrow. It is called only if this call has to begin a load, not if the key is being loaded
    /// already. Its future owns what it needs: it is boxed and stored in the cache, where any waiting caller can drive
    /// it, so all that is promised for [`get`](Self::get) holds.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get): the load is not lost if the caller that brought it is dropped.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    ///
    /// let cache: Cache<String, usize, std::io::Error, _> = Cache::builder(Std::new(ManualClock::new())).build()?;
    /// let name = String::from("larder");
    /// let load = || {
    ///     let owned = name.clone(); // on a miss only
    ///     async move { Ok(owned.len()) }
    /// };
    /// assert_eq!(block_on(cache.get_or_load(&name, load))?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_load<'a, Q, C, F>(
        &'a self,
        key: &'a Q,
        load: C,
    ) -> impl Future<Output = Result<V, LoadError<E>>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        V: 'static,
        E: 'static,
        C: FnOnce() -> F,
        F: Future<Output = Result<V, E>>,
        R::Threads: Takes<F>,
    {
        KeyLookup::new(&self.inner, key, ByCall::new(load, NewValue))
    }

    /// Returns the value of `key`, loading it with `load` if needed.
    ///
    /// If the key is being loaded already, this call joins that load. The closure and its future may borrow, so they
    /// stay with this caller, and no other caller can drive the load. If this caller is dropped, the one that has
    /// waited longest begins a load of its own; if this caller is alive but not polled, the others wait until a
    /// [`lock_age`](crate::Builder::lock_age) is over; by default there is none. A load that owns what it needs has none of these limits: see [`get_or_load`](Self::get_or_load).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the error is shared by all waiting callers.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops its load; the callers that wait for it are woken, and one of them begins its own.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone())).build()?;
    /// let prices = vec![10, 20, 30];
    /// let price = block_on(cache.get_with(&1, || async {
    ///     prices.get(1).copied().ok_or_else(|| io::Error::other("no such thing"))
    /// }))?;
    /// assert_eq!(price, 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_with<'a, Q, C, F>(&'a self, key: &'a Q, load: C) -> impl Future<Output = Result<V, LoadError<E>>> + Unpin
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        C: FnOnce() -> F,
        F: Future<Output = Result<V, E>>,
    {
        KeyLookup::new(&self.inner, key, Lent::new(load, Loaded::new))
    }
}
