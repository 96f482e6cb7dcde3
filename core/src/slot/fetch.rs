//! Where the value of a slot comes from, unless its calls bring it.

use core::{future::Future, marker::PhantomData};

use crate::{
    Loaded, Previous, Revalidated, Takes,
    source::{Answered, Asked, Say, Source, TaskOf, kept, sealed::Sealed},
};

/// What a fetch may return: a [`Loaded`] or a [`Revalidated`] value.
///
/// Not to be implemented for other types.
///
/// ```
/// use larder::Answer;
///
/// fn is_answer<A: Answer<Value = &'static str>>() {}
/// is_answer::<larder::Loaded<&str>>();
/// is_answer::<larder::Revalidated<&str>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "a fetch of a slot has to answer `Loaded` or `Revalidated`, not `{Self}`",
    note = "wrap a plain value: `Ok(Loaded::new(value))`"
)]
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
/// The fetch of a slot: a closure that gets the previous value.
pub struct FetchFn<F, A>(pub(super) F, pub(super) PhantomData<fn() -> A>);

impl<V, E, T, F, Fut, A> Source<(), V, E, T> for FetchFn<F, A>
where
    V: Clone + 'static,
    E: 'static,
    T: Takes<Fut, Option<Previous<V>>>,
    F: Fn(Option<Previous<V>>) -> Fut,
    Fut: Future<Output = Result<A, E>>,
    A: Answer<Value = V>,
{
    fn load(&self, (): (), Asked { previous, .. }: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let fetch = (self.0)(previous.clone());
        Some(T::task(fetch, previous, |result, previous| result.map(|answer| kept(unweighed(answer.into()), previous))))
    }

    fn revalidates(&self) -> bool {
        true
    }
}

/// There is only one value, so it weighs 1 whatever its fetch says.
fn unweighed<V>(answer: Revalidated<V>) -> Revalidated<V> {
    match answer {
        Revalidated::New(loaded) => Revalidated::New(loaded.weight(1)),
        unchanged @ Revalidated::Unchanged(_) => unchanged,
    }
}

/// Turns the result of a fetch that a call brought into the engine's terms.
#[derive(Clone, Copy)]
pub(super) struct Fetched;

impl<A: Into<Loaded<V>>, V, E> Say<Result<A, E>, (), Result<Answered<V, E>, E>> for Fetched {
    fn say(&self, result: Result<A, E>, (): ()) -> Result<Answered<V, E>, E> {
        result.map(|answer| Answered::new(answer.into().weight(1)))
    }
}
