//! The sources that there are: loaders of each kind, and none.

use alloc::boxed::Box;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::load::{HasLoader, Load, Loaded, Source, sealed::Sealed};

/// A source that is a [`Load`] of the user's own.
pub struct Loader<T>(pub(crate) T);

impl<T> Sealed for Loader<T> {}
impl<T> HasLoader for Loader<T> {}

impl<K, T: Load<K>> Source<K> for Loader<T> {
    type Value = T::Value;
    type Error = T::Error;
    type Future = Pin<Box<T::Future>>;

    fn begin(&self, key: K) -> Option<Self::Future> {
        Some(Box::pin(self.0.load(key)))
    }
}

/// A source that is a closure returning plain values.
pub struct LoadFn<F>(pub(crate) F);

impl<F> Sealed for LoadFn<F> {}
impl<F> HasLoader for LoadFn<F> {}

impl<K, V: Clone, E, F, Fut> Source<K> for LoadFn<F>
where
    F: Fn(K) -> Fut,
    Fut: Future<Output = Result<V, E>>,
{
    type Value = V;
    type Error = E;
    type Future = Plain<Fut>;

    fn begin(&self, key: K) -> Option<Self::Future> {
        Some(Plain(Box::pin((self.0)(key))))
    }
}

/// The load of a [`LoadFn`]: its value is wrapped as [`Loaded`].
pub struct Plain<F>(Pin<Box<F>>);

impl<F, V, E> Future for Plain<F>
where
    F: Future<Output = Result<V, E>>,
{
    type Output = Result<Loaded<V>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(|answer| answer.map(Loaded::new))
    }
}

/// A source that is a closure returning [`Loaded`] values.
pub struct LoadedFn<F>(pub(crate) F);

impl<F> Sealed for LoadedFn<F> {}
impl<F> HasLoader for LoadedFn<F> {}

impl<K, V: Clone, E, F, Fut> Source<K> for LoadedFn<F>
where
    F: Fn(K) -> Fut,
    Fut: Future<Output = Result<Loaded<V>, E>>,
{
    type Value = V;
    type Error = E;
    type Future = Pin<Box<Fut>>;

    fn begin(&self, key: K) -> Option<Self::Future> {
        Some(Box::pin((self.0)(key)))
    }
}

/// A boxed load that may move between threads.
pub type BoxLoad<V, E> = Pin<Box<dyn Future<Output = Result<Loaded<V>, E>> + Send>>;

/// A boxed load that stays on its thread.
pub type LocalBoxLoad<V, E> = Pin<Box<dyn Future<Output = Result<Loaded<V>, E>>>>;

/// A source whose type can be written down: a boxed closure of boxed loads.
pub struct BoxLoader<K, V, E>(pub(crate) Box<dyn Fn(K) -> BoxLoad<V, E> + Send + Sync>);

impl<K, V, E> Sealed for BoxLoader<K, V, E> {}
impl<K, V, E> HasLoader for BoxLoader<K, V, E> {}

impl<K, V: Clone, E> Source<K> for BoxLoader<K, V, E> {
    type Value = V;
    type Error = E;
    type Future = BoxLoad<V, E>;

    fn begin(&self, key: K) -> Option<Self::Future> {
        Some((self.0)(key))
    }
}

/// No loader: each call brings a load that owns what it needs and may move between threads.
pub struct PerCall<V, E>(pub(crate) PhantomData<fn() -> (V, E)>);

impl<V, E> Sealed for PerCall<V, E> {}

impl<K, V: Clone, E> Source<K> for PerCall<V, E> {
    type Value = V;
    type Error = E;
    type Future = BoxLoad<V, E>;

    fn begin(&self, _: K) -> Option<Self::Future> {
        None
    }
}

/// No loader: each call brings a load that owns what it needs and stays on its thread.
pub struct LocalPerCall<V, E>(pub(crate) PhantomData<fn() -> (V, E)>);

impl<V, E> Sealed for LocalPerCall<V, E> {}

impl<K, V: Clone, E> Source<K> for LocalPerCall<V, E> {
    type Value = V;
    type Error = E;
    type Future = LocalBoxLoad<V, E>;

    fn begin(&self, _: K) -> Option<Self::Future> {
        None
    }
}

/// A source whose values are weighed by a closure.
pub struct Weighed<L, W> {
    pub(crate) source: L,
    pub(crate) weigher: W,
}

impl<L, W> Sealed for Weighed<L, W> {}
impl<L: HasLoader, W> HasLoader for Weighed<L, W> {}

impl<K, L, W> Source<K> for Weighed<L, W>
where
    L: Source<K>,
    W: Fn(&K, &L::Value) -> u64,
{
    type Value = L::Value;
    type Error = L::Error;
    type Future = L::Future;

    const WEIGHS: bool = true;

    fn begin(&self, key: K) -> Option<Self::Future> {
        self.source.begin(key)
    }

    fn weigh(&self, key: &K, value: &Self::Value) -> Option<u64> {
        Some((self.weigher)(key, value))
    }
}
