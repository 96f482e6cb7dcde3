//! Where the value of a slot comes from, if not from its calls.

use alloc::boxed::Box;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    BoxRevalidator, HasLoader, Loaded, Previous, Revalidated, Source,
    seams::{Answered, NoBatch, Revalidation, sealed::Sealed},
};

/// What a fetch may answer: a [`Loaded`] value, or a [`Revalidated`] one. Closed to other types.
///
/// ```
/// use larder::Answer;
///
/// fn is_answer<A: Answer<Value = &'static str>>() {}
/// is_answer::<larder::Loaded<&str>>();
/// is_answer::<larder::Revalidated<&str>>();
/// ```
pub trait Answer: Into<Revalidated<Self::Value>> + Sealed {
    /// The value of the slot.
    type Value: Clone;
}

impl<V> Sealed for Loaded<V> {}
impl<V> Sealed for Revalidated<V> {}

impl<V: Clone> Answer for Loaded<V> {
    type Value = V;
}

impl<V: Clone> Answer for Revalidated<V> {
    type Value = V;
}

/// A source that is a closure which fetches the value of a slot.
///
/// Made by [`SlotBuilder::fetch_fn`](crate::SlotBuilder::fetch_fn). The closure's type has no name; where the slot is to
/// be a field, a type parameter or [`BoxFetcher`] helps.
pub struct FetchFn<F, A>(pub(super) F, pub(super) PhantomData<fn() -> A>);

impl<F, A> Sealed for FetchFn<F, A> {}
impl<F, A> HasLoader for FetchFn<F, A> {}

impl<F, Fut, A, E> Source<()> for FetchFn<F, A>
where
    F: Fn(Option<Previous<A::Value>>) -> Fut,
    Fut: Future<Output = Result<A, E>>,
    A: Answer,
{
    type Value = A::Value;
    type Error = E;
    type Answer = Answered<A::Value>;
    type Future = Revalidation<Fetching<Fut>, A::Value>;
    type Batch = NoBatch<(), A::Value, E>;

    const REVALIDATES: bool = true;

    fn begin(&self, (): (), previous: Option<Previous<A::Value>>) -> Option<Self::Future> {
        let fetch = Fetching(Box::pin((self.0)(previous.clone())));
        Some(Revalidation { load: fetch, previous })
    }
}

/// A source of a slot whose type can be written down.
///
/// Made by [`SlotBuilder::boxed_fetch_fn`](crate::SlotBuilder::boxed_fetch_fn).
///
/// ```
/// use larder::{BoxFetcher, LazySlot, parts::{NoTimer, Std, StdClock}};
///
/// struct Client {
///     token: LazySlot<BoxFetcher<String, std::io::Error>, Std<NoTimer<StdClock>>>,
/// }
/// ```
pub type BoxFetcher<V, E> = BoxRevalidator<(), V, E>;

/// Returns this answer with the weight of all values of slots, where nothing has to make room.
pub(super) fn unweighed<V>(answer: Revalidated<V>) -> Revalidated<V> {
    match answer {
        Revalidated::New(loaded) => Revalidated::New(loaded.weight(1)),
        unchanged @ Revalidated::Unchanged(_) => unchanged,
    }
}

/// A fetch of any kind of answer. Part of [`FetchFn`]'s type.
pub struct Fetching<F>(Pin<Box<F>>);

impl<F, A, E> Future for Fetching<F>
where
    F: Future<Output = Result<A, E>>,
    A: Answer,
{
    type Output = Result<Revalidated<A::Value>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map_ok(|answer| unweighed(answer.into()))
    }
}
