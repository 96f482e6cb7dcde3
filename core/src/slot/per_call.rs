//! Fetches that each call brings.

use core::future::Future;

use super::{KEY, LazySlot, StaleValue, fetch::Fetched};
use crate::{
    LoadError, Loaded, LookupOptions, Outcome, Previous, Runtime, Takes,
    cache::{GetStale, KeyLookup, OutcomeLookup},
    share::ByCall,
};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns the value, fetching it with this closure if needed.
    ///
    /// The closure is called only if this caller fetches, with the value that is held then. It may borrow. The fetch
    /// owns what it needs and is stored in the slot, so any waiting caller drives it. Otherwise as [`get`](Self::get),
    /// on any slot.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, Ttl, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::<u32, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let fetch = |previous: Option<larder::Previous<u32>>| async move {
    ///     let number = previous.map_or(1, |previous| previous.value() + 1);
    ///     Ok(Loaded::new(number).ttl(Ttl::ExpiresAtOnce))
    /// };
    /// assert_eq!(block_on(slot.get_or_fetch(fetch))?, 1);
    /// assert_eq!(block_on(slot.get_or_fetch(fetch))?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_fetch<C, F, A>(&self, fetch: C) -> impl Future<Output = Result<V, LoadError<E>>> + Unpin
    where
        V: 'static,
        E: 'static,
        C: FnOnce(Option<Previous<V>>) -> F,
        F: Future<Output = Result<A, E>>,
        A: Into<Loaded<V>>,
        R::Threads: Takes<F>,
    {
        KeyLookup::new(&self.cache.inner, KEY, self.by(fetch))
    }

    /// Returns the value and how it was found, fetching it with this closure if needed.
    ///
    /// As [`get_or_fetch`](Self::get_or_fetch), with options for this call.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, LookupOptions, ManualClock, Status, parts::Std};
    /// # let slot = LazySlot::<u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let outcome = block_on(slot.lookup_or_fetch(LookupOptions::new(), |_| async { Ok(7) }))?;
    /// assert_eq!((*outcome.value(), outcome.status()), (7, Status::Miss));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_or_fetch<C, F, A>(
        &self,
        options: LookupOptions,
        fetch: C,
    ) -> impl Future<Output = Result<Outcome<V, E>, LoadError<E>>> + Unpin
    where
        V: 'static,
        E: 'static,
        C: FnOnce(Option<Previous<V>>) -> F,
        F: Future<Output = Result<A, E>>,
        A: Into<Loaded<V>>,
        R::Threads: Takes<F>,
    {
        OutcomeLookup { ask: KeyLookup::new(&self.cache.inner, KEY, self.by(fetch)), options }
    }

    /// Returns the value at once, fresh or not, and a refresh with this closure.
    ///
    /// As [`lookup_stale`](Self::lookup_stale), with a fetch that this call brings.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, LookupOptions, ManualClock, parts::Std};
    /// # let slot = LazySlot::<u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// slot.set(1);
    /// slot.expire();
    /// let found = block_on(slot.stale_or_fetch(LookupOptions::new(), |_| async { Ok(7) }))?;
    /// assert_eq!(*found.outcome.value(), 1);
    /// block_on(found.refresh.expect("no other call has it"));
    /// assert_eq!(slot.peek().map(|found| *found.value()), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stale_or_fetch<C, F, A>(
        &self,
        options: LookupOptions,
        fetch: C,
    ) -> impl Future<Output = Result<StaleValue<V, E, R>, LoadError<E>>> + Unpin
    where
        V: 'static,
        E: 'static,
        C: FnOnce(Option<Previous<V>>) -> F,
        F: Future<Output = Result<A, E>>,
        A: Into<Loaded<V>>,
        R::Threads: Takes<F>,
    {
        GetStale { ask: KeyLookup::new(&self.cache.inner, KEY, self.by(fetch)), options }
    }

    fn by<C, F>(&self, fetch: C) -> ByCall<impl FnOnce() -> F, F, Fetched>
    where
        C: FnOnce(Option<Previous<V>>) -> F,
    {
        ByCall::new(|| fetch(self.previous()), Fetched)
    }

    /// Returns the value and how it was found, fetching it with this closure if needed.
    ///
    /// The closure and its future may borrow, so the fetch stays with its caller: other callers wait for it as for any,
    /// but cannot drive it while its caller is not polled; beyond the [lock age](crate::SlotBuilder::lock_age) they
    /// begin a newer one. If it is dropped, the next waiting caller begins its own fetch. Otherwise as
    /// [`lookup`](Self::lookup), on any slot.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get), and the fetch is dropped together with its caller.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::<usize, io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let name = String::from("larder");
    /// let outcome = block_on(slot.lookup_with(LookupOptions::new(), |_| async { Ok(name.len()) }))?;
    /// assert_eq!(*outcome.value(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_with<C, F, A>(
        &self,
        options: LookupOptions,
        fetch: C,
    ) -> impl Future<Output = Result<Outcome<V, E>, LoadError<E>>> + Unpin
    where
        C: FnOnce(Option<Previous<V>>) -> F,
        F: Future<Output = Result<A, E>>,
        A: Into<Loaded<V>>,
    {
        self.cache.lookup(KEY).options(options).lend(move || {
            let fetch = fetch(self.previous());
            async move { fetch.await.map(|answer| answer.into().weight(1)) }
        })
    }
}
