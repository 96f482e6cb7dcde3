//! How a call's own load is boxed, for caches without a loader.

use alloc::boxed::Box;
use core::future::Future;

use super::{
    extras::{Extra, With},
    load::{Loaded, Source},
    sources::{LocalPerCall, PerCall},
};

/// A [`Source`] to which each call brings a load of its own.
///
/// That is a closure `C` whose future `F` answers `A`, which is the value or a [`Loaded`] one. For [`PerCall`] both
/// have to be `Send` and own what they need, for [`LocalPerCall`] only the latter. Closed to other types. Code that is
/// generic over the closure names the source instead of this trait:
///
/// ```
/// use larder::{Cache, LoadError, PerCall, Runtime};
/// use std::io;
///
/// async fn read<R, F>(cache: &Cache<String, PerCall<String, io::Error>, R>, path: &str, file: F)
///     -> Result<String, LoadError<io::Error>>
/// where
///     R: Runtime,
///     F: Future<Output = io::Result<String>> + Send + 'static,
/// {
///     cache.get_or_load(path, move || file).await
/// }
/// ```
pub trait TakesCalls<K, C, F, A>: Source<K> {
    /// Boxes a load; the closure is called when it is polled first.
    #[doc(hidden)]
    fn wrap(make: C) -> Self::Future;
}

impl<K, V: Clone, E, C, F> TakesCalls<K, C, F, V> for PerCall<V, E>
where
    C: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<V, E>> + Send + 'static,
{
    fn wrap(make: C) -> Self::Future {
        Box::pin(async move { make().await.map(Loaded::new) })
    }
}

impl<K, V: Clone, E, C, F> TakesCalls<K, C, F, Loaded<V>> for PerCall<V, E>
where
    C: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
{
    fn wrap(make: C) -> Self::Future {
        Box::pin(async move { make().await })
    }
}

impl<K, V: Clone, E, C, F> TakesCalls<K, C, F, V> for LocalPerCall<V, E>
where
    C: FnOnce() -> F + 'static,
    F: Future<Output = Result<V, E>> + 'static,
{
    fn wrap(make: C) -> Self::Future {
        Box::pin(async move { make().await.map(Loaded::new) })
    }
}

impl<K, V: Clone, E, C, F> TakesCalls<K, C, F, Loaded<V>> for LocalPerCall<V, E>
where
    C: FnOnce() -> F + 'static,
    F: Future<Output = Result<Loaded<V>, E>> + 'static,
{
    fn wrap(make: C) -> Self::Future {
        Box::pin(async move { make().await })
    }
}

impl<K, C, F, A, L, X> TakesCalls<K, C, F, A> for With<L, X>
where
    L: TakesCalls<K, C, F, A>,
    X: Extra<K, L::Value>,
{
    fn wrap(make: C) -> Self::Future {
        L::wrap(make)
    }
}
