//! The settings of loads that are handed the previous value.

use alloc::boxed::Box;
use core::{future::Future, hash::BuildHasher, marker::PhantomData, time::Duration};

use super::{Builder, NoSource};
use crate::{BoxRevalidator, Key, Previous, RevalidateFn, Revalidated, Runtime, Source, policy::Policy};

impl<K: Key, R: Runtime, P: Policy, H: BuildHasher> Builder<K, R, NoSource, P, H> {
    /// Loads by a closure that is handed the value which is held.
    ///
    /// However stale that is. The closure may answer that it is [unchanged](Revalidated::Unchanged), as HTTP's 304 does.
    /// Such a value is of use after it has expired, so it is held until room is needed, or for as long as
    /// [`revalidate_within`](Self::revalidate_within) says.
    ///
    /// A load outside the shared ones ([`OnTimeout::LoadAlone`](crate::OnTimeout::LoadAlone)) is handed it as well; what it
    /// finds unchanged is delivered, and stays stored as it was.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, Previous, Revalidated, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .revalidate_fn(|id: u32, previous: Option<Previous<String>>| async move {
    ///         io::Result::Ok(match previous {
    ///             Some(_) => Revalidated::unchanged(),
    ///             None => Revalidated::from(format!("user {id}")),
    ///         })
    ///     })
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "user 1");
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(block_on(cache.get(&1))?, "user 1");
    /// let found = cache.peek(&1).expect("it is still the same value, and fresh again");
    /// assert_eq!(found.age(), Duration::from_secs(90));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn revalidate_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, RevalidateFn<F, V>, P, H>
    where
        F: Fn(K, Option<Previous<V>>) -> Fut,
        Fut: Future<Output = Result<Revalidated<V>, E>>,
        V: Clone,
    {
        self.source(RevalidateFn(load, PhantomData))
    }

    /// Loads by a boxed closure that is handed the value which is held.
    ///
    /// As [`revalidate_fn`](Self::revalidate_fn), but the type of the cache can be written down, at the cost of calling
    /// through a pointer at each load.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{BoxRevalidator, Cache, ManualClock, Revalidated, parts::Std};
    /// # use std::io;
    /// type Pages = Cache<String, BoxRevalidator<String, String, io::Error>, Std<ManualClock>>;
    ///
    /// let pages: Pages = Cache::builder(Std::new(ManualClock::new()))
    ///     .boxed_revalidate_fn(|path, _| async move { Ok(Revalidated::from(path)) })
    ///     .build()?;
    /// assert_eq!(block_on(pages.get("/"))?, "/");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn boxed_revalidate_fn<F, Fut, V, E>(self, load: F) -> Builder<K, R, BoxRevalidator<K, V, E>, P, H>
    where
        F: Fn(K, Option<Previous<V>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Revalidated<V>, E>> + Send + 'static,
        V: Clone,
    {
        let load = move |key, previous: Option<Previous<V>>| -> core::pin::Pin<Box<dyn Future<Output = _> + Send>> {
            Box::pin(load(key, previous))
        };
        self.source(BoxRevalidator(Box::new(load)))
    }
}

impl<K: Key, R: Runtime, L: Source<K>, P: Policy, H: BuildHasher> Builder<K, R, L, P, H> {
    /// Sets how long an expired value is held for a load that may find it still good.
    ///
    /// Has no effect unless loads are handed the previous value. By default it is held until room is needed.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, Loaded, ManualClock, Revalidated, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .revalidate_fn(|id: u32, _| async move { io::Result::Ok(Revalidated::from(id)) })
    ///     .revalidate_within(Duration::from_secs(3600))
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(3660));
    /// assert_eq!(cache.sweep(), 0); // at that very instant it may still be of use
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(cache.sweep(), 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn revalidate_within(mut self, limit: Duration) -> Self {
        self.settings.revalidate_within = limit;
        self
    }
}
