//! The calls that make a cache and its tier, bound to each other.

use std::{future::Future, sync::Arc, time::Duration};

use larder::{AnswerSink, Builder, Cache, Instant, Load, LoadMany, Loaded, Revalidated, Runtime, Tuning, WeakCache};

use crate::{
    Tier, TierBuilder, TierConfigError, TierError, TierKey, TierRuntime,
    alone::Places,
    decide::held_unled,
    host::Of,
    line,
    link::{FirstOf, FirstTier, Link},
    origin::{Many, One, one_of},
    settings::Settings,
    shared::{Asked, Lookup, Shared},
    wire::Client,
};

/// The configuration of a first tier.
pub type FirstBuilder<K, V, E, R, S> = Builder<K, V, TierError<E>, R, S>;

/// A cache and its tier.
///
/// The first tier's errors are those of the second, with the loader's inside.
pub type Tiered<K, V, E, R, S> = (Cache<K, V, TierError<E>, R, S>, Tier<K, V, E>);

impl<V: Clone + Send + Sync + 'static> TierBuilder<V> {
    /// Makes the tier of a cache that loads with a closure returning plain values.
    ///
    /// # Errors
    ///
    /// The setting that is wrong, in either tier; or that there is no runtime to spawn on. That there is no server is no
    /// error.
    pub fn load_fn<K, E, R, S, F, Fut>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        load: F,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.single(cache.revalidate_within(NOT_AT_ALL), move |key, _| {
            let load = load(key);
            async move { load.await.map(Revalidated::from) }
        })
    }

    /// Makes the tier of a cache that loads with a closure returning [`Loaded`] values.
    ///
    /// # Errors
    ///
    /// As [`load_fn`](Self::load_fn).
    pub fn loaded_fn<K, E, R, S, F, Fut>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        load: F,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
    {
        self.single(cache.revalidate_within(NOT_AT_ALL), move |key, _| {
            let load = load(key);
            async move { load.await.map(Revalidated::New) }
        })
    }

    /// Makes the tier of a cache that loads with a type of your own.
    ///
    /// # Errors
    ///
    /// As [`load_fn`](Self::load_fn).
    pub fn loader<K, E, R, S, L>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        loader: L,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        L: Load<K, Value = V, Error = E, Future: Send + 'static> + Send + Sync + 'static,
    {
        self.loaded_fn(cache, move |key| loader.load(key))
    }

    /// Makes the tier of a cache that loads with a closure which gets what there is.
    ///
    /// That is the value in the second tier, stale or not, or else the one that the first tier holds. The closure may
    /// return that it is [unchanged](Revalidated::Unchanged), as HTTP's 304 does; then it is published again for a new life.
    ///
    /// # Errors
    ///
    /// As [`load_fn`](Self::load_fn).
    pub fn revalidate_fn<K, E, R, S, F, Fut>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        load: F,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        F: Fn(K, Option<V>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Revalidated<V>, E>> + Send + 'static,
    {
        self.single(cache, load)
    }

    /// Makes the tier of a cache that loads many keys at once with a closure with a result for each.
    ///
    /// All keys of a lookup are asked for side by side, those whose leases this process is given are loaded in one
    /// load, and once they are published, those are waited for that other processes load. Callers that wait for one of
    /// them are answered as soon as its answer is known.
    ///
    /// # Errors
    ///
    /// As [`load_fn`](Self::load_fn).
    pub fn loaded_many_fn<K, E, R, S, F, Fut, I>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        load: F,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        AnswerSink<K, V, TierError<E>, R>: Send + Sync,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<I, E>> + Send + 'static,
        I: IntoIterator<Item = (K, Result<Loaded<V>, E>)>,
    {
        let many: Many<K, V, E> = Arc::new(move |keys| {
            let load = load(keys);
            Box::pin(async move { Ok(load.await?.into_iter().collect()) })
        });
        let one = one_of(Arc::clone(&many));
        self.attach(cache, one, move |builder, shared| {
            builder.load_each_fn(move |keys, answers: AnswerSink<_, _, _, _>| {
                let asked = Asked { begun: shared.link.now(), is_reload: answers.is_reload() };
                let send = move |key, answer| match answer {
                    Ok(loaded) => answers.answer(key, loaded),
                    Err(failed) => answers.fail(key, failed),
                };
                let lookup = Arc::clone(&shared).lookup_many(Arc::clone(&many), keys, asked, send);
                async move {
                    lookup.await;
                    Ok(())
                }
            })
        })
    }

    /// Makes the tier of a cache that loads many keys at once with a type of your own.
    ///
    /// # Errors
    ///
    /// As [`load_fn`](Self::load_fn).
    pub fn many_loader<K, E, R, S, L>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        loader: L,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        AnswerSink<K, V, TierError<E>, R>: Send + Sync,
        L: LoadMany<K, Value = V, Error = E, Future: Send + 'static> + Send + Sync + 'static,
    {
        self.loaded_many_fn(cache, move |keys| loader.load_many(keys))
    }

    fn single<K, E, R, S, F, Fut>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        load: F,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
        F: Fn(K, Option<V>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Revalidated<V>, E>> + Send + 'static,
    {
        let one: One<K, V, E> = Box::new(move |key, old| {
            let load = load(key, old);
            Box::pin(async move { load.await.map_err(|error| TierError::Load(Arc::new(error))) })
        });
        self.attach(cache, one, |builder, shared| builder.revalidator(Lookup(shared)))
    }

    fn attach<K, E, R, S>(
        self,
        cache: FirstBuilder<K, V, E, R, S>,
        origin: One<K, V, E>,
        load: impl FnOnce(FirstBuilder<K, V, E, R, S>, Arc<Shared<K, V, E>>) -> FirstBuilder<K, V, E, R, S>,
    ) -> Result<Tiered<K, V, E, R, S>, TierConfigError>
    where
        K: TierKey,
        E: Send + Sync + 'static,
        R: TierRuntime,
        S: Tuning + 'static,
        WeakCache<K, V, TierError<E>, R, S>: Send + Sync,
    {
        self.settings.check()?;
        let fingerprint = self.codec.fingerprint();
        if fingerprint.is_empty() {
            return Err(TierConfigError::Fingerprint);
        }
        let wire = Box::new(Client::new(&self.url).map_err(TierConfigError::Url)?);
        let host = Box::new(Of(cache.runtime().clone()));
        let settings = Settings { budget: cache.get_load_budget(), ..self.settings.clone() };
        let mut made = None;
        // (What the tier loads says for itself how long it lives.)
        let unled = held_unled(cache.get_ttl(), self.settings.alone_ttl);
        let cache = cache.ttl(unled).build_cyclic(|builder, weak| {
            let link = Link::new(settings, host, Box::new(Held(weak.clone())));
            let shared = made.insert(Arc::new(Shared {
                link: Arc::new(link),
                fingerprint,
                codec: self.codec,
                origin,
                first_tier: Box::new(Held(weak.clone())),
                alone: Places::new(self.settings.alone, self.settings.lease),
            }));
            load(builder, Arc::clone(shared))
        })?;
        let Some(shared) = made else { return Err(TierConfigError::Runtime) };
        let link = Arc::clone(&shared.link);
        if !can_connect() || !shared.link.host.spawn(Box::pin(line::keep(link, wire))) {
            return Err(TierConfigError::Runtime);
        }
        Ok((cache, Tier { shared }))
    }
}

/// Whether the client library can connect from here: built for tokio alone, it panics where there is no tokio.
#[cfg(all(feature = "tokio", not(feature = "smol")))]
fn can_connect() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

#[cfg(not(all(feature = "tokio", not(feature = "smol"))))]
const fn can_connect() -> bool {
    true
}

/// A first tier, which is not kept alive: it owns what leads here.
struct Held<C>(C);

impl<K, V, E, R, S> FirstTier for Held<WeakCache<K, V, E, R, S>>
where
    K: TierKey,
    V: Clone,
    R: Runtime,
    S: Tuning,
    WeakCache<K, V, E, R, S>: Send + Sync,
{
    fn invalidate(&self, name: &str) {
        if let Some(cache) = self.0.upgrade()
            && let Some(key) = K::from_name(name)
        {
            cache.remove(&key);
        }
    }

    fn expire(&self, name: &str) {
        if let Some(cache) = self.0.upgrade()
            && let Some(key) = K::from_name(name)
        {
            cache.expire(&key);
        }
    }

    fn clear(&self) {
        if let Some(cache) = self.0.upgrade() {
            cache.clear();
        }
    }

    fn expire_all(&self) {
        if let Some(cache) = self.0.upgrade() {
            cache.expire_all();
        }
    }

    fn trust_until(&self, end: Instant) {
        if let Some(cache) = self.0.upgrade() {
            cache.trust_until(end);
        }
    }
}

impl<K, V, E, R, S> FirstOf<K> for Held<WeakCache<K, V, E, R, S>>
where
    K: TierKey,
    V: Clone,
    R: Runtime,
    S: Tuning,
    WeakCache<K, V, E, R, S>: Send + Sync,
{
    fn invalidate(&self, key: &K) {
        if let Some(cache) = self.0.upgrade() {
            cache.remove(key);
        }
    }

    fn expire(&self, key: &K) {
        if let Some(cache) = self.0.upgrade() {
            cache.expire(key);
        }
    }

    fn age(&self, key: &K) -> Option<Duration> {
        let held = self.0.upgrade()?.peek(key)?;
        if held.status().stale().is_none() { Some(held.age()) } else { None }
    }
}

/// How long an expired value is held for a loader that has no use for it.
const NOT_AT_ALL: Duration = Duration::ZERO;
