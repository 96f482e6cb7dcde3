//! What users give a cache, as sources: closures and loaders of each kind.

use alloc::vec::Vec;
#[cfg(feature = "std")]
use core::task::Context;
use core::{future::Future, marker::PhantomData, time::Duration};

#[cfg(feature = "std")]
use super::FirstOf;
use super::{
    Answered, Asked, BatchOf, Load, LoadMany, Loaded, Previous, Revalidate, Revalidated, Source, Takes, TaskOf,
    Threads,
    erased::Delivery,
    many::{own_answers, plain_answers},
    revalidate::kept,
    told::NewValue,
};
use crate::{RemovalCause, Ttl};

/// What a loader's closure has to return: a future of a `Result` of `A`.
///
/// Implemented by every such future; its purpose is the message if the closure returns something else.
#[diagnostic::on_unimplemented(
    message = "the closure has to return a future of `Result<{A}, {E}>`, and `{Self}` is none",
    label = "not a load of this cache",
    note = "write `|key| async move {{ Ok(value) }}`; where nothing is awaited, `|key| core::future::ready(Ok(value))`"
)]
pub trait LoadOf<A, E>: Future<Output = Result<A, E>> {}

#[diagnostic::do_not_recommend]
impl<A, E, F: Future<Output = Result<A, E>>> LoadOf<A, E> for F {}

/// A loader that is a [`Load`].
pub struct Loader<L>(pub(crate) L);

/// A loader that is a closure returning plain values.
pub struct LoadFn<F>(pub(crate) F);

/// A loader that is a closure returning [`Loaded`] values.
pub struct LoadedFn<F>(pub(crate) F);

/// A loader that is a closure which gets the previous value.
pub struct RevalidateFn<F>(pub(crate) F);

/// A loader that is a [`Revalidate`].
pub struct Revalidator<L>(pub(crate) L);

/// A loader that is a [`LoadMany`].
pub struct ManyLoader<L>(pub(crate) L);

/// A loader that is a closure returning plain values for many keys; `I` is what holds them.
pub struct LoadManyFn<F, I>(pub(crate) F, pub(crate) PhantomData<fn() -> I>);

/// A loader that is a closure returning [`Loaded`] values and errors for many keys; `I` is what holds them.
pub struct LoadedManyFn<F, I>(pub(crate) F, pub(crate) PhantomData<fn() -> I>);

impl<K, V, E, T, L> Source<K, V, E, T> for Loader<L>
where
    V: 'static,
    E: 'static,
    T: Takes<L::Future>,
    L: Load<K, Value = V, Error = E>,
{
    fn load(&self, key: K, _: Asked<V>) -> Option<TaskOf<V, E, T>> {
        Some(T::load(|| self.0.load(key), (), NewValue))
    }

    #[cfg(feature = "std")]
    fn load_and_poll(&self, key: K, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        T::first(|| self.0.load(key), (), NewValue, cx)
    }
}

impl<K, V, E, T, F, Fut> Source<K, V, E, T> for LoadFn<F>
where
    V: 'static,
    E: 'static,
    T: Takes<Fut>,
    F: Fn(K) -> Fut,
    Fut: Future<Output = Result<V, E>>,
{
    fn load(&self, key: K, _: Asked<V>) -> Option<TaskOf<V, E, T>> {
        Some(T::load(|| (self.0)(key), (), NewValue))
    }

    #[cfg(feature = "std")]
    fn load_and_poll(&self, key: K, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        T::first(|| (self.0)(key), (), NewValue, cx)
    }
}

impl<K, V, E, T, F, Fut> Source<K, V, E, T> for LoadedFn<F>
where
    V: 'static,
    E: 'static,
    T: Takes<Fut>,
    F: Fn(K) -> Fut,
    Fut: Future<Output = Result<Loaded<V>, E>>,
{
    fn load(&self, key: K, _: Asked<V>) -> Option<TaskOf<V, E, T>> {
        Some(T::load(|| (self.0)(key), (), NewValue))
    }

    #[cfg(feature = "std")]
    fn load_and_poll(&self, key: K, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        T::first(|| (self.0)(key), (), NewValue, cx)
    }
}

impl<K, V, E, T, F, Fut> Source<K, V, E, T> for RevalidateFn<F>
where
    V: Clone + 'static,
    E: 'static,
    T: Takes<Fut, Option<Previous<V>>>,
    F: Fn(K, Option<Previous<V>>) -> Fut,
    Fut: Future<Output = Result<Revalidated<V>, E>>,
{
    fn load(&self, key: K, Asked { previous, .. }: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let load = (self.0)(key, previous.clone());
        Some(T::task(load, previous, |result, previous| result.map(|answer| kept(answer, previous))))
    }

    fn revalidates(&self) -> bool {
        true
    }
}

impl<K, V, E, T, L> Source<K, V, E, T> for Revalidator<L>
where
    V: Clone + 'static,
    E: 'static,
    T: Takes<L::Future, Option<Previous<V>>>,
    L: Revalidate<K, Value = V, Error = E>,
{
    fn load(&self, key: K, Asked { previous, reload }: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let old = previous.clone();
        let load = if reload { self.0.reload(key, old) } else { self.0.revalidate(key, old) };
        Some(T::task(load, previous, |result, previous| match result {
            Ok(answer) => Ok(kept(answer, previous)),
            Err(failed) => Answered::failed(failed),
        }))
    }

    fn revalidates(&self) -> bool {
        true
    }
}

macro_rules! many {
    ([$($params:tt)*] $name:ty, $future:ty, $say:ident, |$this:ident, $keys:ident| $begin:expr, where $($bounds:tt)*) => {
        impl<K, V, E, T, $($params)*> Source<K, V, E, T> for $name
        where
            K: Eq + Clone + 'static,
            V: 'static,
            E: 'static,
            T: Threads + Takes<$future> + Takes<$future, K>,
            $($bounds)*
        {
            fn load(&self, key: K, _: Asked<V>) -> Option<TaskOf<V, E, T>> {
                let ($this, $keys) = (self, Vec::from([key.clone()]));
                Some(<T as Takes<$future, K>>::task($begin, key, |result, key| {
                    let all: Delivery<K, V, E, T> = $say(result, ());
                    all.of_one(&key)
                }))
            }

            fn load_many(&self, keys: Vec<K>, _: bool) -> Option<BatchOf<K, V, E, T>> {
                let ($this, $keys) = (self, keys);
                Some(<T as Takes<$future>>::task($begin, (), $say))
            }

            fn batches(&self) -> bool {
                true
            }
        }
    };
}

many!([L] ManyLoader<L>, L::Future, own_answers, |this, keys| this.0.load_many(keys), where
    L: LoadMany<K, Value = V, Error = E>);

many!([F, Fut, I] LoadManyFn<F, I>, Fut, plain_answers, |this, keys| (this.0)(keys), where
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, V)>);

many!([F, Fut, I] LoadedManyFn<F, I>, Fut, own_answers, |this, keys| (this.0)(keys), where
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>);

/// A closure that weighs values.
pub struct Weigher<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn(&K, &V) -> u64> Source<K, V, E, T> for Weigher<F> {
    fn weigh(&self, key: &K, value: &V) -> Option<u64> {
        Some((self.0)(key, value))
    }
}

/// A closure that says how long values live.
pub struct Expiry<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn(&K, &V) -> Ttl> Source<K, V, E, T> for Expiry<F> {
    fn end(&self, key: &K, value: &V) -> Ttl {
        (self.0)(key, value)
    }
}

/// A closure that tells the time by a wall clock.
pub struct WallClock<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn() -> Duration> Source<K, V, E, T> for WallClock<F> {
    fn wall_time(&self) -> Option<Duration> {
        Some((self.0)())
    }
}

/// A closure that says how long failures are kept.
pub struct Keeper<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn(&E) -> Option<Duration>> Source<K, V, E, T> for Keeper<F> {
    fn keep(&self, error: &E) -> Option<Duration> {
        (self.0)(error)
    }
}

/// A closure that is called for values that leave.
pub struct Listener<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn(&K, &V, RemovalCause)> Source<K, V, E, T> for Listener<F> {
    fn left(&self, key: &K, value: &V, cause: RemovalCause) {
        (self.0)(key, value, cause);
    }
}

/// A closure that draws numbers between 0 and 1.
pub struct Chance<F>(pub(crate) F);

impl<K, V, E, T: Threads, F: Fn() -> f64> Source<K, V, E, T> for Chance<F> {
    fn random(&self) -> Option<f64> {
        Some((self.0)())
    }
}
