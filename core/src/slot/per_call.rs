//! Fetches that each call brings.

use alloc::boxed::Box;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{KEY, LazySlot, Slotted, one_key::OneKey};
use crate::{
    GetStale, LoadError, Loaded, LocalPerCall, LookupOptions, Outcome, PerCall, Previous, Runtime, Source,
    cache::{AskBy, LookupBy, Means, Owned, answer, poll_kept},
    flight::Start,
    policy::Lru,
};

/// A source of a slot to which each call brings a fetch of its own.
///
/// That is a closure `C`, which is handed the previous value, whose future `F` answers `A`: the value or a [`Loaded`] one.
/// For [`PerCall`] both have to be `Send` and own what they need, for [`LocalPerCall`] only the latter. Closed to other
/// types.
pub trait TakesFetch<R: Runtime, C, F, A>: Source<()> + Sized {
    /// Boxes a fetch; the closure is called when it is polled first.
    #[doc(hidden)]
    fn wrap(slot: LazySlot<Self, R>, fetch: C) -> Self::Future;
}

macro_rules! takes_fetch {
    ($source:ident $(, $send:ident)?) => {
        impl<V: Clone, E, R, C, F, A> TakesFetch<R, C, F, A> for $source<V, E>
        where
            R: Runtime,
            C: FnOnce(Option<Previous<V>>) -> F $(+ $send)? + 'static,
            F: Future<Output = Result<A, E>> $(+ $send)? + 'static,
            A: Into<Loaded<V>>,
            LazySlot<Self, R>: Sized $(+ $send)? + 'static,
        {
            fn wrap(slot: LazySlot<Self, R>, fetch: C) -> Self::Future {
                Box::pin(async move {
                    let previous = slot.previous();
                    // The slot keeps the fetch, which must not keep the slot.
                    drop(slot);
                    fetch(previous).await.map(|answer| answer.into().weight(1))
                })
            }
        }
    };
}

takes_fetch!(PerCall, Send);
takes_fetch!(LocalPerCall);

impl<L: Source<()>, R: Runtime> LazySlot<L, R> {
    /// Returns the value, fetching it by this closure if need be.
    ///
    /// The closure is called only if this caller fetches, with the value that is held then. The fetch is kept in the slot,
    /// so that whoever waits carries it on; it owns what it needs. As [`get`](Self::get) otherwise. For slots
    /// [without a fetch](crate::SlotBuilder::per_call) of their own.
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
    /// let slot = LazySlot::builder(Std::new(ManualClock::new())).per_call::<u32, io::Error>().build()?;
    /// let fetch = |previous: Option<larder::Previous<u32>>| async move {
    ///     let number = previous.map_or(1, |previous| previous.value() + 1);
    ///     Ok(Loaded::new(number).ttl(Ttl::ExpiresAtOnce))
    /// };
    /// assert_eq!(block_on(slot.get_or_fetch(fetch))?, 1);
    /// assert_eq!(block_on(slot.get_or_fetch(fetch))?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_fetch<C, F, A>(&self, fetch: C) -> GetOrFetch<'_, L, R, C, F, A>
    where
        C: FnOnce(Option<Previous<L::Value>>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        L: TakesFetch<R, C, F, A>,
    {
        GetOrFetch(self.ask_by(fetch))
    }

    /// Returns the value and how it was found, fetching it by this closure if need be.
    ///
    /// As [`get_or_fetch`](Self::get_or_fetch) with options of the call's own.
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
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new())).per_call::<u32, std::io::Error>().build()?;
    /// let outcome = block_on(slot.lookup_or_fetch(LookupOptions::new(), |_| async { Ok(7) }))?;
    /// assert_eq!((*outcome.value(), outcome.status()), (7, Status::Miss));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_or_fetch<C, F, A>(&self, options: LookupOptions, fetch: C) -> LookupOrFetch<'_, L, R, C, F, A>
    where
        C: FnOnce(Option<Previous<L::Value>>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        L: TakesFetch<R, C, F, A>,
    {
        LookupOrFetch(LookupBy::new(self.ask_by(fetch), options))
    }

    /// Returns the value at once, fresh or not, and its refresh, which is by this closure.
    ///
    /// As [`lookup_stale`](Self::lookup_stale) with a fetch of the call's own.
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
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new())).per_call::<u32, std::io::Error>().build()?;
    /// slot.set(1);
    /// slot.expire();
    /// let found = block_on(slot.stale_or_fetch(LookupOptions::new(), |_| async { Ok(7) }))?;
    /// assert_eq!(*found.outcome.value(), 1);
    /// block_on(found.refresh.expect("nobody else has it"));
    /// assert_eq!(slot.peek().map(|found| *found.value()), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stale_or_fetch<C, F, A>(&self, options: LookupOptions, fetch: C) -> SlotStaleOrFetch<'_, L, R, C, F, A>
    where
        C: FnOnce(Option<Previous<L::Value>>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        L: TakesFetch<R, C, F, A>,
    {
        GetStale::by(LookupBy::stale(self.ask_by(fetch), options))
    }

    fn ask_by<C, F, A>(&self, fetch: C) -> AskByFetch<'_, L, R, C, F, A> {
        AskBy::new(&self.cache.inner, KEY, ByFetch { slot: self, fetch: Some(fetch), kept: None, answers: PhantomData })
    }

    /// Returns the value and how it was found, fetching it by this closure if need be.
    ///
    /// The closure and its future may borrow. So the fetch stays with its caller: others wait for it as for any, but cannot
    /// carry it on while he is not polled, except for a newer one beyond the [lock age](crate::SlotBuilder::lock_age); if
    /// he is dropped, the next who waits fetches by his own means. As [`lookup`](Self::lookup) otherwise, on any slot.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get), and the fetch is dropped with its caller.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, LookupOptions, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new())).per_call::<usize, io::Error>().build()?;
    /// let name = String::from("larder");
    /// let outcome = block_on(slot.lookup_with(LookupOptions::new(), |_| async { Ok(name.len()) }))?;
    /// assert_eq!(*outcome.value(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_with<C, F, A>(
        &self,
        options: LookupOptions,
        fetch: C,
    ) -> impl Future<Output = Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>> + Unpin
    where
        C: FnOnce(Option<Previous<L::Value>>) -> F,
        F: Future<Output = Result<A, L::Error>>,
        A: Into<Loaded<L::Value>>,
    {
        self.cache.lookup_with(KEY, options, move || {
            let fetch = fetch(self.previous());
            async move { fetch.await.map(|answer| answer.into().weight(1)) }
        })
    }
}

/// The future of [`LazySlot::stale_or_fetch`].
pub type SlotStaleOrFetch<'a, L, R, C, F, A> =
    GetStale<'a, (), (), Slotted<L, R>, R, Lru, OneKey, ByFetch<'a, L, R, C, F, A>>;

/// A lookup of the one key by a fetch of the call's own.
type AskByFetch<'a, L, R, C, F, A> = AskBy<'a, (), (), Slotted<L, R>, R, Lru, OneKey, ByFetch<'a, L, R, C, F, A>>;

/// The same with options.
type LookupByFetch<'a, L, R, C, F, A> = LookupBy<'a, (), (), Slotted<L, R>, R, Lru, OneKey, ByFetch<'a, L, R, C, F, A>>;

/// The future of [`LazySlot::get_or_fetch`].
#[must_use = "a future does nothing unless it is polled"]
pub struct GetOrFetch<'a, L: Source<()>, R: Runtime, C, F, A>(AskByFetch<'a, L, R, C, F, A>);

/// The future of [`LazySlot::lookup_or_fetch`].
#[must_use = "a future does nothing unless it is polled"]
pub struct LookupOrFetch<'a, L: Source<()>, R: Runtime, C, F, A>(LookupByFetch<'a, L, R, C, F, A>);

impl<L: Source<()>, R: Runtime, C, F, A> Unpin for GetOrFetch<'_, L, R, C, F, A> {}
impl<L: Source<()>, R: Runtime, C, F, A> Unpin for LookupOrFetch<'_, L, R, C, F, A> {}

impl<L: TakesFetch<R, C, F, A>, R: Runtime, C, F, A> Future for GetOrFetch<'_, L, R, C, F, A> {
    type Output = Result<L::Value, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_value(cx)
    }
}

impl<L: TakesFetch<R, C, F, A>, R: Runtime, C, F, A> Future for LookupOrFetch<'_, L, R, C, F, A> {
    type Output = Result<Outcome<L::Value, L::Error>, LoadError<L::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

/// Leads by a fetch of this call, which owns what it needs and rests in the flight.
pub struct ByFetch<'a, L: Source<()>, R: Runtime, C, F, A> {
    slot: &'a LazySlot<L, R>,
    fetch: Option<C>,
    kept: Option<L::Future>,
    answers: PhantomData<fn() -> (F, A)>,
}

impl<L: TakesFetch<R, C, F, A>, R: Runtime, C, F, A> ByFetch<'_, L, R, C, F, A> {
    fn wrap(&mut self) -> Option<L::Future> {
        self.fetch.take().map(|fetch| L::wrap(self.slot.clone(), fetch))
    }
}

impl<L: TakesFetch<R, C, F, A>, R: Runtime, C, F, A> Means<(), Slotted<L, R>> for ByFetch<'_, L, R, C, F, A> {
    fn start(&mut self) -> Option<Start<L::Future>> {
        self.wrap().map(Start::Ready)
    }

    fn start_alone(&mut self, _: &Slotted<L, R>, (): (), _: Option<Previous<L::Value>>) {
        self.kept = self.wrap();
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        poll_kept(&mut self.kept, cx).map(answer)
    }

    fn drop_own(&mut self) {
        self.kept = None;
    }
}
