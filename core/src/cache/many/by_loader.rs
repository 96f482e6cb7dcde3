//! Many keys at once, by the cache's own loader.

use alloc::{borrow::ToOwned, vec::Vec};
use core::{
    borrow::Borrow,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Many, Outcomes, Told, Values,
    gather::{Leads, Rests},
};
use crate::{
    Cache, HasLoader, Key, LookupOptions, Outcome, Runtime, Source, cache::lookup_future::lookup_future, policy::Policy,
};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H>
where
    L: HasLoader,
{
    /// Returns the values of many keys, loading those that are missing.
    ///
    /// Each key has an answer of its own, in the order asked; one that is asked for twice is loaded once and answered
    /// twice. Hits and the answers of other keys are there though some have failed. Keys that are being loaded are
    /// joined. All others are loaded at once, before anything is waited for, so that calls whose keys overlap in any
    /// order cannot wait for each other: by one load, if the cache has a loader of
    /// [many keys](crate::Builder::load_many_fn), and by one for each key otherwise. Single lookups join those loads,
    /// and a write to one of the keys concerns that key alone.
    ///
    /// Any caller who waits for any of the keys carries a load of many keys on; it is dropped when nobody waits for any
    /// of them. Keys that reach the lock timeout or the lock age together are loaded together.
    ///
    /// Each poll takes time in proportion to the number of keys, and does nothing for those that are settled.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), for each key. A load that fails as a whole is the failure of each key it was begun for,
    /// and a key that it does not answer has failed ([`Cause::Missing`](crate::Cause::Missing)).
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
    pub fn get_many<'a, Q, I>(&'a self, keys: I) -> GetMany<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        I: IntoIterator<Item = &'a Q>,
    {
        GetMany(Many::new(&self.inner, keys, LookupOptions::new(), FromLoader))
    }

    /// Returns the values of many keys and how each was found.
    ///
    /// As [`get_many`](Self::get_many), with options of the call's own.
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
    /// # use larder::{Cache, LookupOptions, ManualClock, Status, parts::Std};
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
    /// #     .build()?;
    /// cache.insert(1, 10);
    /// let outcomes = block_on(cache.lookup_many(&[1, 2], LookupOptions::new()));
    /// let status = |index: usize| outcomes[index].as_ref().ok().map(|outcome| outcome.status());
    /// assert_eq!((status(0), status(1)), (Some(Status::Hit), Some(Status::Miss)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn lookup_many<'a, Q, I>(&'a self, keys: I, options: LookupOptions) -> LookupMany<'a, K, Q, L, R, P, H>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        I: IntoIterator<Item = &'a Q>,
    {
        LookupMany(Many::new(&self.inner, keys, options, FromLoader))
    }
}

/// Leads by the cache's own loader.
pub(crate) struct FromLoader;

impl<K, L: Source<K>> Leads<K, L> for FromLoader {
    type Load = L::Batch;

    const RESTS: Rests = if L::BATCHES { Rests::InFlights } else { Rests::ByKey };

    fn begin(&mut self, source: &L, keys: Vec<K>) -> Option<L::Batch> {
        source.begin_many(keys)
    }
}

/// The future of [`Cache::get_many`].
///
/// It does nothing before its first poll, and needs no pinning.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, ManualClock, parts::Std};
/// # let cache = Cache::builder(Std::new(ManualClock::new()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let get = cache.get_many(&[1, 2]);
/// assert_eq!(cache.stats().loads_begun, 0);
/// assert_eq!(block_on(get).len(), 2);
/// assert_eq!(cache.stats().loads_begun, 2);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct GetMany<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    Many<'a, K, Q, L, R, P, H, FromLoader, Values>,
);

lookup_future!(GetMany[]: poll -> Told<L::Value, L::Error>);

/// The future of [`Cache::lookup_many`].
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{Cache, LookupOptions, ManualClock, parts::Std};
/// # let cache = Cache::builder(Std::new(ManualClock::new()))
/// #     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
/// #     .build()?;
/// let lookup = cache.lookup_many(&[1, 1], LookupOptions::new());
/// let outcomes: Result<Vec<_>, _> = block_on(lookup).into_iter().collect();
/// assert_eq!(outcomes?[1].attempt(), Some(1)); // the same load as the first's
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupMany<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher>(
    Many<'a, K, Q, L, R, P, H, FromLoader, Outcomes>,
);

lookup_future!(LookupMany[]: poll -> Told<Outcome<L::Value, L::Error>, L::Error>);
