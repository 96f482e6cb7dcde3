//! Loads of many keys at once.

use alloc::{boxed::Box, vec::Vec};
use core::{
    future::{Future, Pending},
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    load::{HasLoader, Key, Loaded, Source, sealed::Sealed},
    revalidate::{Answered, Lack, Previous},
};

/// Loads the values of many keys at once.
///
/// Mostly a closure, see [`Builder::load_many_fn`](crate::Builder::load_many_fn); a type of one's own has a name. The
/// future is shared by all who wait for any of the keys, and what is said of a [`Load`](crate::Load)'s future holds for
/// it, too.
///
/// Answers are matched by key, in any order. A key that is answered twice has the first answer. One that is not
/// answered has failed: [`Cause::Missing`](crate::Cause::Missing).
///
/// ```
/// use std::{future::{Ready, ready}, io};
/// use futures_lite::future::block_on;
/// use larder::{Cache, LoadMany, Loaded, ManualClock, parts::Std};
///
/// struct Roots;
///
/// impl LoadMany<i32> for Roots {
///     type Value = f64;
///     type Error = io::Error;
///     type Answers = Vec<(i32, io::Result<Loaded<f64>>)>;
///     type Future = Ready<io::Result<Self::Answers>>;
///
///     fn load_many(&self, squares: Vec<i32>) -> Self::Future {
///         let root = |square: i32| match square {
///             0.. => Ok(Loaded::new(f64::from(square).sqrt())),
///             _ => Err(io::Error::other("not a square")),
///         };
///         ready(Ok(squares.into_iter().map(|square| (square, root(square))).collect()))
///     }
/// }
///
/// let cache = Cache::builder(Std::new(ManualClock::new())).many_loader(Roots).build()?;
/// let roots = block_on(cache.get_many(&[4, -1, 9]));
/// assert_eq!(roots[0].as_ref().ok(), Some(&2.0));
/// assert!(roots[1].is_err());
/// assert_eq!(roots[2].as_ref().ok(), Some(&3.0));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub trait LoadMany<K> {
    /// What is cached.
    type Value: Clone;

    /// What a failed load says, of one key or of all of them.
    type Error;

    /// What is said of each key.
    type Answers: IntoIterator<Item = (K, Result<Loaded<Self::Value>, Self::Error>)>;

    /// The load of many keys; its own error is that of each of them.
    type Future: Future<Output = Result<Self::Answers, Self::Error>>;

    /// Begins the load of `keys`, each of which is there once.
    fn load_many(&self, keys: Vec<K>) -> Self::Future;
}

/// What a load of many keys says of each.
#[doc(hidden)]
pub(crate) type Answers<K, V, E> = Vec<(K, Result<Loaded<V>, E>)>;

/// The load of many keys of a source that loads each by itself.
#[doc(hidden)]
pub(crate) type NoBatch<K, V, E> = Pending<Result<Answers<K, V, E>, E>>;

/// A source that is a [`LoadMany`] of the user's own.
///
/// Made by [`Builder::many_loader`](crate::Builder::many_loader); named as [`Loader`](crate::Loader) is.
pub struct ManyLoader<T>(pub(crate) T);

impl<T> Sealed for ManyLoader<T> {}
impl<T> HasLoader for ManyLoader<T> {}

impl<K: Key, T: LoadMany<K>> Source<K> for ManyLoader<T> {
    type Value = T::Value;
    type Error = T::Error;
    type Answer = Answered<T::Value>;
    type Future = OfOne<K, Self::Batch>;
    type Batch = OwnAnswers<T::Future>;

    const BATCHES: bool = true;

    fn begin(&self, key: K, _: Option<Previous<T::Value>>) -> Option<Self::Future> {
        OfOne::new(key, |keys| self.begin_many(keys))
    }

    fn begin_many(&self, keys: Vec<K>) -> Option<Self::Batch> {
        Some(OwnAnswers::new(self.0.load_many(keys)))
    }
}

/// A source that is a closure returning a value for each of many keys.
///
/// Made by [`Builder::load_many_fn`](crate::Builder::load_many_fn); named as [`LoadFn`](crate::LoadFn) is.
pub struct LoadManyFn<F>(pub(crate) F);

impl<F> Sealed for LoadManyFn<F> {}
impl<F> HasLoader for LoadManyFn<F> {}

impl<K: Key, V: Clone, E, F, Fut, I> Source<K> for LoadManyFn<F>
where
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, V)>,
{
    type Value = V;
    type Error = E;
    type Answer = Answered<V>;
    type Future = OfOne<K, Self::Batch>;
    type Batch = PlainAnswers<Fut>;

    const BATCHES: bool = true;

    fn begin(&self, key: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        OfOne::new(key, |keys| self.begin_many(keys))
    }

    fn begin_many(&self, keys: Vec<K>) -> Option<Self::Batch> {
        Some(PlainAnswers::new((self.0)(keys)))
    }
}

/// A source that is a closure returning a [`Loaded`] value or an error for each of many keys.
///
/// Made by [`Builder::loaded_many_fn`](crate::Builder::loaded_many_fn); named as [`LoadedFn`](crate::LoadedFn) is.
pub struct LoadedManyFn<F>(pub(crate) F);

impl<F> Sealed for LoadedManyFn<F> {}
impl<F> HasLoader for LoadedManyFn<F> {}

impl<K: Key, V: Clone, E, F, Fut, I> Source<K> for LoadedManyFn<F>
where
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
{
    type Value = V;
    type Error = E;
    type Answer = Answered<V>;
    type Future = OfOne<K, Self::Batch>;
    type Batch = OwnAnswers<Fut>;

    const BATCHES: bool = true;

    fn begin(&self, key: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        OfOne::new(key, |keys| self.begin_many(keys))
    }

    fn begin_many(&self, keys: Vec<K>) -> Option<Self::Batch> {
        Some(OwnAnswers::new((self.0)(keys)))
    }
}

/// A load of many keys that is asked for one, outside any flight.
///
/// Part of the sources' types; there is no need to name it.
pub struct OfOne<K, B> {
    key: K,
    load: B,
}

impl<K: Key, B> OfOne<K, B> {
    fn new(key: K, begin: impl FnOnce(Vec<K>) -> Option<B>) -> Option<Self> {
        begin([key.clone()].into()).map(|load| Self { key, load })
    }
}

impl<K, B: Unpin> Unpin for OfOne<K, B> {}

impl<K: Key, B, V, E> Future for OfOne<K, B>
where
    B: Future<Output = Result<Answers<K, V, E>, E>> + Unpin,
{
    type Output = Result<Answered<V>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.load).poll(cx).map(|answers| {
            let own = answers?.into_iter().find(|(key, _)| *key == self.key);
            own.map_or(Ok(Answered::Nothing(Lack::Answer)), |(_, answer)| answer.map(Answered::New))
        })
    }
}

/// A load of many keys whose answers are plain values.
///
/// Part of the sources' types; there is no need to name it.
pub struct PlainAnswers<F>(Pin<Box<F>>);

/// A load of many keys, each of which has a value or an error of its own.
///
/// Part of the sources' types; there is no need to name it.
pub struct OwnAnswers<F>(Pin<Box<F>>);

impl<F> PlainAnswers<F> {
    pub(crate) fn new(load: F) -> Self {
        Self(Box::pin(load))
    }
}

impl<F> OwnAnswers<F> {
    pub(crate) fn new(load: F) -> Self {
        Self(Box::pin(load))
    }
}

impl<F, I, K, V, E> Future for PlainAnswers<F>
where
    F: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, V)>,
{
    type Output = Result<Answers<K, V, E>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let own = |(key, value)| (key, Ok(Loaded::new(value)));
        self.0.as_mut().poll(cx).map_ok(|answers| answers.into_iter().map(own).collect())
    }
}

impl<F, I, K, V, E> Future for OwnAnswers<F>
where
    F: Future<Output = Result<I, E>>,
    I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
{
    type Output = Result<Answers<K, V, E>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map_ok(|answers| answers.into_iter().collect())
    }
}
