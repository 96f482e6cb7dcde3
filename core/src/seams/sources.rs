//! The sources that there are: loaders of each kind, and none.

use alloc::boxed::Box;
use core::{future::Future, marker::PhantomData, pin::Pin};

use super::{
    load::{HasLoader, Load, Loaded, Source, sealed::Sealed},
    many::NoBatch,
    revalidate::Previous,
};

/// A source that is a [`Load`] of the user's own.
///
/// Made by [`Builder::loader`](crate::Builder::loader); to be named in the type of a cache:
///
/// ```
/// use larder::{Cache, Load, Loader, parts::{NoTimer, Std, StdClock}};
///
/// struct Site<T: Load<String>> {
///     pages: Cache<String, Loader<T>, Std<NoTimer<StdClock>>>,
/// }
/// ```
pub struct Loader<T>(pub(crate) T);

impl<T> Sealed for Loader<T> {}
impl<T> HasLoader for Loader<T> {}

impl<K, T: Load<K>> Source<K> for Loader<T> {
    type Value = T::Value;
    type Error = T::Error;
    type Answer = Loaded<T::Value>;
    type Future = Pin<Box<T::Future>>;
    type Batch = NoBatch<K, T::Value, T::Error>;

    fn begin(&self, key: K, _: Option<Previous<T::Value>>) -> Option<Self::Future> {
        Some(Box::pin(self.0.load(key)))
    }
}

/// A source that is a closure returning plain values.
///
/// Made by [`Builder::load_fn`](crate::Builder::load_fn). The closure's type has no name; where the cache is to be a
/// field, a type parameter or [`BoxLoader`] helps:
///
/// ```
/// use larder::{Cache, LoadFn, parts::{NoTimer, Std, StdClock}};
///
/// struct Site<F, Fut>
/// where
///     F: Fn(String) -> Fut,
///     Fut: Future<Output = std::io::Result<String>>,
/// {
///     pages: Cache<String, LoadFn<F>, Std<NoTimer<StdClock>>>,
/// }
/// ```
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
    type Answer = V;
    type Future = Pin<Box<Fut>>;
    type Batch = NoBatch<K, V, E>;

    fn begin(&self, key: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        Some(Box::pin((self.0)(key)))
    }
}

/// A source that is a closure returning [`Loaded`] values.
///
/// Made by [`Builder::loaded_fn`](crate::Builder::loaded_fn); named as [`LoadFn`] is:
///
/// ```
/// use larder::{Cache, Loaded, LoadedFn, parts::{NoTimer, Std, StdClock}};
///
/// struct Site<F, Fut>
/// where
///     F: Fn(String) -> Fut,
///     Fut: Future<Output = std::io::Result<Loaded<String>>>,
/// {
///     pages: Cache<String, LoadedFn<F>, Std<NoTimer<StdClock>>>,
/// }
/// ```
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
    type Answer = Loaded<V>;
    type Future = Pin<Box<Fut>>;
    type Batch = NoBatch<K, V, E>;

    fn begin(&self, key: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        Some(Box::pin((self.0)(key)))
    }
}

/// A boxed load that may move between threads.
///
/// ```
/// use larder::{BoxLoad, Load, Loaded};
///
/// struct Names;
///
/// impl Load<u32> for Names {
///     type Value = String;
///     type Error = std::io::Error;
///     type Future = BoxLoad<String, std::io::Error>;
///
///     fn load(&self, id: u32) -> Self::Future {
///         Box::pin(async move { Ok(Loaded::new(format!("user {id}"))) })
///     }
/// }
/// ```
pub type BoxLoad<V, E> = BoxFuture<Result<Loaded<V>, E>>;

/// A boxed future that may move between threads.
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A boxed load that stays on its thread.
///
/// ```
/// use std::{convert::Infallible, rc::Rc};
/// use larder::{Load, Loaded, LocalBoxLoad};
///
/// struct Names;
///
/// impl Load<u32> for Names {
///     type Value = Rc<str>;
///     type Error = Infallible;
///     type Future = LocalBoxLoad<Rc<str>, Infallible>;
///
///     fn load(&self, id: u32) -> Self::Future {
///         Box::pin(async move { Ok(Loaded::new(format!("user {id}").into())) })
///     }
/// }
/// ```
pub type LocalBoxLoad<V, E> = Pin<Box<dyn Future<Output = Result<Loaded<V>, E>>>>;

/// A source whose type can be written down.
///
/// It is a boxed closure of boxed loads, made by [`Builder::boxed_load_fn`](crate::Builder::boxed_load_fn) and
/// [`boxed_loaded_fn`](crate::Builder::boxed_loaded_fn).
///
/// ```
/// use larder::{BoxLoader, Cache, ConfigError, parts::{NoTimer, Std, StdClock}};
/// use std::io;
///
/// struct Users {
///     names: Cache<u32, BoxLoader<u32, String, io::Error>, Std<NoTimer<StdClock>>>,
/// }
///
/// impl Users {
///     fn new() -> Result<Self, ConfigError> {
///         let runtime = Std::new(NoTimer::new(StdClock::new()));
///         let names = Cache::builder(runtime)
///             .boxed_load_fn(|id: u32| async move { Ok(format!("user {id}")) })
///             .build()?;
///         Ok(Self { names })
///     }
/// }
/// # Users::new()?;
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct BoxLoader<K, V, E>(pub(crate) Box<dyn Fn(K) -> BoxLoad<V, E> + Send + Sync>);

impl<K, V, E> Sealed for BoxLoader<K, V, E> {}
impl<K, V, E> HasLoader for BoxLoader<K, V, E> {}

impl<K, V: Clone, E> Source<K> for BoxLoader<K, V, E> {
    type Value = V;
    type Error = E;
    type Answer = Loaded<V>;
    type Future = BoxLoad<V, E>;
    type Batch = NoBatch<K, V, E>;

    fn begin(&self, key: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        Some((self.0)(key))
    }
}

/// No loader: each call brings a load that may move between threads.
///
/// The load owns what it needs. Made by [`Builder::per_call`](crate::Builder::per_call). The type of such a cache can
/// be written down:
///
/// ```
/// use larder::{Cache, PerCall, parts::{NoTimer, Std, StdClock}};
///
/// type Pages = Cache<String, PerCall<String, std::io::Error>, Std<NoTimer<StdClock>>>;
///
/// let pages: Pages = Cache::builder(Std::new(NoTimer::new(StdClock::new()))).per_call().build()?;
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct PerCall<V, E>(pub(crate) PhantomData<fn() -> (V, E)>);

impl<V, E> Sealed for PerCall<V, E> {}

impl<K, V: Clone, E> Source<K> for PerCall<V, E> {
    type Value = V;
    type Error = E;
    type Answer = Loaded<V>;
    type Future = BoxLoad<V, E>;
    type Batch = NoBatch<K, V, E>;

    const LOADS: bool = false;

    fn begin(&self, _: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        None
    }
}

/// No loader: each call brings a load that stays on its thread.
///
/// The load owns what it needs. Made by [`Builder::local_per_call`](crate::Builder::local_per_call). The type of such a
/// cache can be written down:
///
/// ```
/// use std::{convert::Infallible, rc::Rc};
/// use larder::{Cache, LocalPerCall, ManualClock, parts::Local};
///
/// type Pages = Cache<String, LocalPerCall<Rc<str>, Infallible>, Local<ManualClock>>;
///
/// let pages: Pages = Cache::builder(Local::new(ManualClock::new())).local_per_call().build()?;
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct LocalPerCall<V, E>(pub(crate) PhantomData<fn() -> (V, E)>);

impl<V, E> Sealed for LocalPerCall<V, E> {}

impl<K, V: Clone, E> Source<K> for LocalPerCall<V, E> {
    type Value = V;
    type Error = E;
    type Answer = Loaded<V>;
    type Future = LocalBoxLoad<V, E>;
    type Batch = NoBatch<K, V, E>;

    const LOADS: bool = false;

    fn begin(&self, _: K, _: Option<Previous<V>>) -> Option<Self::Future> {
        None
    }
}
