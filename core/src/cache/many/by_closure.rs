//! Many keys at once, by a closure of the call's own that may borrow.

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
    Cache, Key, Loaded, LookupOptions, Outcome, Runtime, Source,
    cache::lookup_future::lookup_future,
    policy::Policy,
    seams::{OwnAnswers, PlainAnswers},
};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Cache<K, L, R, P, H> {
    /// Returns the values of many keys, loading those that are missing by `load`.
    ///
    /// As [`get_many`](Self::get_many), but the load stays with this caller, who alone carries it on: what is said of
    /// that at [`get_with`](Self::get_with) holds for it, too. The closure is called with all keys that this call has
    /// to load, and again with those whose loads it has to begin later, at the lock age, at the lock timeout, or
    /// because somebody else was dropped.
    ///
    /// # Errors
    ///
    /// As [`get_many`](Self::get_many).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops its load; who waits for one of its keys is woken and loads by himself.
    ///
    /// ```
    /// use futures_lite::future::block_on;
    /// use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    ///
    /// let cache = Cache::builder::<u32>(Std::new(ManualClock::new())).per_call::<u32, io::Error>().build()?;
    /// let prices = vec![10, 20, 30];
    /// let found = block_on(cache.get_many_with(&[0, 2], |ids: Vec<u32>| async {
    ///     Ok(ids.into_iter().map(|id| (id, prices[id as usize])).collect::<Vec<_>>())
    /// }));
    /// assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), [10, 30]);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn get_many_with<'a, Q, I, C, F, A>(&'a self, keys: I, load: C) -> GetManyWith<'a, K, Q, L, R, P, H, C, F, A>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        I: IntoIterator<Item = &'a Q>,
        C: FnMut(Vec<K>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        A: IntoIterator<Item = (K, L::Value)>,
    {
        GetManyWith(Many::new(&self.inner, keys, LookupOptions::new(), Plainly(load)))
    }

    /// Returns the values of many keys and how each was found.
    ///
    /// As [`get_many_with`](Self::get_many_with), with options of the call's own; the load says of each key a value
    /// with its lifetime and weight, or an error.
    ///
    /// # Errors
    ///
    /// As [`get_many`](Self::get_many).
    ///
    /// # Cancel safety
    ///
    /// As [`get_many_with`](Self::get_many_with).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// # let cache = Cache::builder::<u32>(Std::new(ManualClock::new())).per_call::<u32, io::Error>().build()?;
    /// let prices = vec![10, 20, 30];
    /// let price = |id: u32| match prices.get(id as usize) {
    ///     Some(price) => Ok(Loaded::new(*price).ttl(Duration::from_secs(60))),
    ///     None => Err(io::Error::other("no such thing")),
    /// };
    /// let found = block_on(cache.lookup_many_with(&[0, 7], LookupOptions::new(), |ids: Vec<u32>| async {
    ///     Ok(ids.into_iter().map(|id| (id, price(id))).collect::<Vec<_>>())
    /// }));
    /// assert_eq!(found[0].as_ref().ok().map(|outcome| *outcome.value()), Some(10));
    /// assert!(found[1].is_err());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn lookup_many_with<'a, Q, I, C, F, A>(
        &'a self,
        keys: I,
        options: LookupOptions,
        load: C,
    ) -> LookupManyWith<'a, K, Q, L, R, P, H, C, F, A>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        I: IntoIterator<Item = &'a Q>,
        C: FnMut(Vec<K>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        A: IntoIterator<Item = (K, Result<Loaded<L::Value>, L::Error>)>,
    {
        LookupManyWith(Many::new(&self.inner, keys, options, Fully(load)))
    }
}

/// Leads by a closure whose answers are plain values.
pub(crate) struct Plainly<C>(C);

/// Leads by a closure whose answers are values with lifetimes, and errors.
pub(crate) struct Fully<C>(C);

impl<K, L, C, F, A> Leads<K, L> for Plainly<C>
where
    L: Source<K>,
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, L::Error>>,
    A: IntoIterator<Item = (K, L::Value)>,
{
    type Load = PlainAnswers<F>;

    const RESTS: Rests = Rests::WithCall;

    fn begin(&mut self, _: &L, keys: Vec<K>) -> Option<Self::Load> {
        Some(PlainAnswers::new((self.0)(keys)))
    }
}

impl<K, L, C, F, A> Leads<K, L> for Fully<C>
where
    L: Source<K>,
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, L::Error>>,
    A: IntoIterator<Item = (K, Result<Loaded<L::Value>, L::Error>)>,
{
    type Load = OwnAnswers<F>;

    const RESTS: Rests = Rests::WithCall;

    fn begin(&mut self, _: &L, keys: Vec<K>) -> Option<Self::Load> {
        Some(OwnAnswers::new((self.0)(keys)))
    }
}

/// The future of [`Cache::get_many_with`].
///
/// It keeps the load, so dropping it drops that.
#[must_use = "a future does nothing unless it is polled"]
pub struct GetManyWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F, A>(
    Many<'a, K, Q, L, R, P, H, Plainly<C>, Values>,
)
where
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, L::Error>>,
    A: IntoIterator<Item = (K, L::Value)>;

lookup_future!(GetManyWith[C, F, A]: poll -> Told<L::Value, L::Error>,
    where C: FnMut(Vec<K>) -> F, F: Future<Output = Result<A, L::Error>>, A: IntoIterator<Item = (K, <L as Source<K>>::Value)>);

/// The future of [`Cache::lookup_many_with`].
///
/// It keeps the load, so dropping it drops that.
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupManyWith<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, C, F, A>(
    Many<'a, K, Q, L, R, P, H, Fully<C>, Outcomes>,
)
where
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, L::Error>>,
    A: IntoIterator<Item = (K, Result<Loaded<L::Value>, L::Error>)>;

lookup_future!(LookupManyWith[C, F, A]: poll -> Told<Outcome<L::Value, L::Error>, L::Error>,
    where C: FnMut(Vec<K>) -> F, F: Future<Output = Result<A, L::Error>>, A: IntoIterator<Item = (K, Result<Loaded<<L as Source<K>>::Value>, <L as Source<K>>::Error>)>);
