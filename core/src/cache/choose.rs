//! The settings that make a cache's type: where values come from, the policy, the hasher.

use alloc::boxed::Box;
use core::{convert::Infallible, future::Future, hash::BuildHasher, marker::PhantomData};

use super::{Builder, ConfigError, DefaultHasher};
use crate::{
    BoxLoad, BoxLoader, Key, Load, LoadFn, Loaded, LoadedFn, Loader, LocalPerCall, PerCall, Runtime, Source, Weighed,
    policy::Policy, seams::sealed::Sealed,
};

/// No source yet: a [`Builder`] needs one before it can build.
pub struct NoSource(pub(super) ());

impl Sealed for NoSource {}

impl<K> Source<K> for NoSource {
    type Value = Infallible;
    type Error = Infallible;
    type Future = BoxLoad<Infallible, Infallible>;

    fn begin(&self, _: K) -> Option<Self::Future> {
        None
    }
}

impl<K: Key, R: Runtime, P: Policy, H: BuildHasher> Builder<K, R, NoSource, P, H> {
    /// Loads by a closure that returns plain values.
    #[must_use]
    pub fn load_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, LoadFn<F>, P, H>
    where
        F: Fn(K) -> Fut,
        Fut: Future<Output = Result<V, E>>,
        V: Clone,
    {
        self.change(|_| LoadFn(load), |hasher| hasher)
    }

    /// Loads by a closure that returns [`Loaded`] values, with lifetimes and weights of their own.
    #[must_use]
    pub fn loaded_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, LoadedFn<F>, P, H>
    where
        F: Fn(K) -> Fut,
        Fut: Future<Output = Result<Loaded<V>, E>>,
        V: Clone,
    {
        self.change(|_| LoadedFn(load), |hasher| hasher)
    }

    /// Loads by a type of one's own.
    #[must_use]
    pub fn loader<T: Load<K>>(self, load: T) -> Builder<K, R, Loader<T>, P, H> {
        self.change(|_| Loader(load), |hasher| hasher)
    }

    /// As [`load_fn`](Self::load_fn), boxed, so that the type of the cache can be written down.
    #[must_use]
    pub fn boxed_load_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, BoxLoader<K, V, E>, P, H>
    where
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
        V: Clone,
    {
        let load = move |key| -> BoxLoad<V, E> {
            let load = load(key);
            Box::pin(async move { load.await.map(Loaded::new) })
        };
        self.change(|_| BoxLoader(Box::new(load)), |hasher| hasher)
    }

    /// As [`loaded_fn`](Self::loaded_fn), boxed, so that the type of the cache can be written down.
    #[must_use]
    pub fn boxed_loaded_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, BoxLoader<K, V, E>, P, H>
    where
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        V: Clone,
    {
        let load = move |key| -> BoxLoad<V, E> { Box::pin(load(key)) };
        self.change(|_| BoxLoader(Box::new(load)), |hasher| hasher)
    }

    /// Has no loader: each call brings a load of its own, which owns what it needs and is `Send`.
    #[must_use]
    pub fn per_call<V: Clone, E>(self) -> Builder<K, R, PerCall<V, E>, P, H> {
        self.change(|_| PerCall(PhantomData), |hasher| hasher)
    }

    /// Has no loader: each call brings a load of its own, which owns what it needs and stays on its thread.
    #[must_use]
    pub fn local_per_call<V: Clone, E>(self) -> Builder<K, R, LocalPerCall<V, E>, P, H> {
        self.change(|_| LocalPerCall(PhantomData), |hasher| hasher)
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Weighs values of which neither load nor call says the weight. Zero counts as 1.
    ///
    /// A panic of the weigher counts as the load's.
    #[must_use]
    pub fn weigher<W: Fn(&K, &L::Value) -> u64>(self, weigher: W) -> Builder<K, R, Weighed<L, W>, P, H> {
        self.change(|source| Weighed { source, weigher }, |hasher| hasher)
    }

    /// Takes another eviction policy than the default.
    #[must_use]
    pub fn policy<T: Policy>(self) -> Builder<K, R, L, T, H> {
        self.change(|source| source, |hasher| hasher)
    }

    /// Takes another hasher than the default; it should be seeded, or an attacker can choose colliding keys.
    #[must_use]
    pub fn hasher<T: BuildHasher>(self, hasher: T) -> Builder<K, R, L, P, T> {
        self.change(|source| source, |_| Some(hasher))
    }

    /// Replaces the parts that make the cache's type, all but one of them by themselves.
    fn change<L2: Source<K>, P2: Policy, H2: BuildHasher>(
        self,
        source: impl FnOnce(L) -> L2,
        hasher: impl FnOnce(Option<H>) -> Option<H2>,
    ) -> Builder<K, R, L2, P2, H2> {
        let mut settings = self.settings;
        if self.spawn.is_some() {
            // The spawner was chosen for another type of cache, and forgetting it in silence would lose work.
            settings.order = Err(ConfigError::FinishAbandoned);
        }
        Builder {
            runtime: self.runtime,
            source: source(self.source),
            hasher: hasher(self.hasher),
            settings,
            spawn: None,
            parts: PhantomData,
        }
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy> Builder<K, R, L, P, DefaultHasher> {
    /// Seeds the default hasher, for repeatable runs and where there is no randomness.
    #[must_use]
    pub fn hash_seed(mut self, seed: u64) -> Self {
        self.hasher = Some(DefaultHasher::with_seed(seed));
        self
    }
}
