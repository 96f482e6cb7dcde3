//! The configuration of a slot, checked once.

use alloc::{boxed::Box, rc::Rc};
use core::{fmt, marker::PhantomData, time::Duration};

use super::{
    LazySlot, OfSlots, SlotAbandoned, WeakSlot,
    fetch::{Answer, FetchFn},
    one_key::OneKey,
    watch::{Bell, Chime},
};
use crate::{
    Builder, Cache, ConfigError, Keeps, OnTimeout, Previous, Runtime, Spawn, Ttl, Tuned,
    jitter::Jitter,
    shard::{Margin, Takes},
    source::{LoadOf, OneThread, WallClock},
    store::Factor,
    sync::Arc,
};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Begins the configuration of a slot on this runtime.
    ///
    /// ```
    /// use core::time::Duration;
    /// use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    ///
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new("token")) })
    ///     .ttl(Duration::from_secs(3600))
    ///     .refresh_ahead(Duration::from_secs(300))
    ///     .stale_limit(Duration::ZERO)
    ///     .fetch_budget(Duration::from_secs(5))
    ///     .build()?;
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn builder(runtime: R) -> SlotBuilder<V, E, R> {
        let tuning = Tuned::with_hasher(OneKey);
        let mut builder = Cache::builder_with(runtime, tuning).capacity(u64::MAX).shards(1);
        builder.sources.watcher = Some(Box::new(Bell::<R::Notify>(Arc::new(Chime::new()))));
        builder.links.serve_ahead();
        builder.links.keep_failures();
        let rules = &mut builder.settings.rules;
        rules.takes = Takes::Others;
        (rules.keeps_expired, rules.delays_empty) = (true, false);
        (rules.stale_while_refresh, rules.stale_if_error) = (Some(Duration::MAX), Some(Duration::MAX));
        (rules.backoff.first, rules.backoff.factor, rules.backoff.endless) = (RETRY_AFTER, RETRY_FACTOR, true);
        SlotBuilder { builder, cap: None, jitter: None }
    }
}

/// The configuration of a [`LazySlot`].
///
/// Made by [`LazySlot::builder`]. Settings come in any order; [`build`](Self::build) checks them. Without a fetch, each
/// call brings one: see [`get_or_fetch`](LazySlot::get_or_fetch).
///
/// ```
/// use larder::{ConfigError, LazySlot, Loaded, ManualClock, parts::Std};
///
/// let refused = LazySlot::builder(Std::new(ManualClock::new()))
///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new("token")) })
///     .jitter(1.5, 7)
///     .build();
/// assert_eq!(refused.err(), Some(ConfigError::SlotJitter));
/// ```
#[must_use = "a builder does nothing before `build`"]
pub struct SlotBuilder<V, E, R: Runtime> {
    builder: Builder<(), V, E, R, OfSlots>,
    /// The longest delay of a retry, if it was set.
    cap: Option<Duration>,
    jitter: Option<Jitter>,
}

impl<V: Clone, E, R: Runtime> SlotBuilder<V, E, R> {
    /// Fetches with a closure that gets the previous value.
    ///
    /// That is the value that is held when the fetch begins, however old. The closure returns a
    /// [`Loaded`](crate::Loaded) value, or a [`Revalidated`](crate::Revalidated) one if it may find the previous value
    /// still good. The fetch is stored in the slot and polled from the task of whichever waiter is polled.
    ///
    /// ```
    /// use core::time::Duration;
    /// use futures_lite::future::block_on;
    /// use larder::{LazySlot, ManualClock, Previous, Revalidated, parts::Std};
    /// # use std::io;
    ///
    /// let clock = ManualClock::new();
    /// let settings = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|previous: Option<Previous<String>>| async move {
    ///         io::Result::Ok(match previous {
    ///             Some(_) => Revalidated::unchanged(), // for example by the modification time of a file
    ///             None => Revalidated::from(String::from("verbose = true")),
    ///         })
    ///     })
    ///     .ttl(Duration::from_secs(10))
    ///     .build()?;
    /// assert_eq!(block_on(settings.get())?, "verbose = true");
    /// clock.advance(Duration::from_secs(10));
    /// assert_eq!(block_on(settings.get())?, "verbose = true");
    /// assert_eq!(settings.peek().map(|found| found.age()), Some(Duration::from_secs(10)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fetch_fn<F, Fut, A>(mut self, fetch: F) -> Self
    where
        F: Fn(Option<Previous<V>>) -> Fut,
        Fut: LoadOf<A, E>,
        A: Answer<Value = V>,
        R::Threads: Keeps<(), V, E, FetchFn<F, A>>,
    {
        let fetch = FetchFn(fetch, PhantomData);
        self.builder.sources.set_loader(<R::Threads as Keeps<(), V, E, FetchFn<F, A>>>::keep(fetch));
        self
    }

    /// Fetches with an async closure, on a single thread.
    ///
    /// As [`fetch_fn`](Self::fetch_fn), but the fetch may borrow from the closure, which it keeps alive.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Local};
    /// # use std::io;
    /// let path = String::from("/etc/hostname");
    /// let slot = LazySlot::builder(Local::new(ManualClock::new()))
    ///     .fetch_async_fn(async move |_| io::Result::Ok(Loaded::new(path.len())))
    ///     .build()?;
    /// assert_eq!(block_on(slot.get())?, 13);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fetch_async_fn<F, A>(self, fetch: F) -> Self
    where
        F: AsyncFn(Option<Previous<V>>) -> Result<A, E> + 'static,
        A: Answer<Value = V> + 'static,
        R: Runtime<Threads = OneThread>,
        V: 'static,
        E: 'static,
    {
        let fetch = Rc::new(fetch);
        self.fetch_fn(move |previous| {
            let fetch = Rc::clone(&fetch);
            async move { fetch(previous).await }
        })
    }

    /// Sets how long a value is fresh if its fetch does not say so.
    ///
    /// By default it never expires.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LazySlot, Loaded, ManualClock, TimeLeft, parts::Std};
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .ttl(Duration::from_secs(60))
    ///     .build()?;
    /// slot.set(1);
    /// assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(Duration::from_secs(60))));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn ttl(self, ttl: impl Into<Ttl>) -> Self {
        Self { builder: self.builder.ttl(ttl), ..self }
    }

    /// Sets how long ago a served value may have expired.
    ///
    /// By default any time. Beyond the limit, callers wait for a fetch and get its error if it fails; until the next
    /// retry they get that error at once. The value itself is kept, to be handed to the fetch. A call may set its own
    /// limits.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    ///     .ttl(Duration::from_secs(60))
    ///     .stale_limit(Duration::from_secs(30))
    ///     .build()?;
    /// slot.set(1);
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(block_on(slot.get())?, 1);
    /// clock.advance(Duration::from_secs(1));
    /// assert!(block_on(slot.get()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stale_limit(self, limit: Duration) -> Self {
        Self { builder: self.builder.stale_while_refresh(limit).stale_if_error(limit), ..self }
    }

    /// Sets how long before its end the value is due for a refresh.
    ///
    /// Meanwhile the value is served as the fresh value it is. The refresh is handed out by
    /// [`get_stale`](LazySlot::get_stale), spawned by [`get_stale_spawn`](LazySlot::get_stale_spawn), made by the task
    /// of [`keep_fresh`](LazySlot::keep_fresh), or made by the caller itself, with
    /// [`refresh_inline`](Self::refresh_inline). A plain [`get`](LazySlot::get) alone does not refresh early. A value
    /// that does not live longer than the margin is refreshed at half its life.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .ttl(Duration::from_secs(100))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .build()?;
    /// slot.set(1);
    /// clock.advance(Duration::from_secs(89));
    /// assert!(block_on(slot.get_stale())?.refresh.is_none());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(block_on(slot.get_stale())?.refresh.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn refresh_ahead(mut self, margin: Duration) -> Self {
        let rules = &mut self.builder.settings.rules;
        rules.early = rules.early.by_margin(Margin { length: margin, jitter: None });
        self
    }

    /// Sets the wall clock for lifetimes that end at a date.
    ///
    /// See [`Ttl::until`] and [`Builder::wall_clock`]. A value whose end had passed when it came is kept as a stale
    /// one, and the next is fetched at the pace of retries.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, TimeLeft, Ttl, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let wall_time = || Duration::from_secs(1_700_000_000);
    /// let token = LazySlot::builder(Std::new(clock.clone()))
    ///     .wall_clock(wall_time) // with std: larder::parts::wall_time
    ///     .fetch_fn(|_| async {
    ///         let (token, exp) = ("t0k3n", 1_700_000_600); // as a JSON web token says it
    ///         Ok::<_, std::io::Error>(Loaded::new(token).ttl(Ttl::until(Duration::from_secs(exp))))
    ///     })
    ///     .build()?;
    /// block_on(token.get())?;
    /// assert_eq!(token.peek().map(|found| found.time_left()), Some(TimeLeft::For(Duration::from_secs(600))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wall_clock<F: Fn() -> Duration>(self, clock: F) -> Self
    where
        R::Threads: Keeps<(), V, E, WallClock<F>>,
    {
        Self { builder: self.builder.wall_clock(clock), ..self }
    }

    /// Makes the first caller within the margin refresh the value and wait.
    ///
    /// Then [`get`](LazySlot::get) refreshes early, too. If the refresh fails, that caller gets the old value, with the
    /// error. If it takes longer than the [lock timeout](Self::lock_timeout), the caller gets the old value as well with
    /// [`OnTimeout::Stale`] and [`OnTimeout::Fail`]; the other two do not bound who refreshes.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .ttl(Duration::from_secs(100))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .refresh_inline()
    ///     .build()?;
    /// slot.set(1);
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(block_on(slot.get())?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn refresh_inline(mut self) -> Self {
        self.builder.settings.rules.early.inline = true;
        self
    }

    /// Sets how long a failed refresh delays the next; by default 5 seconds.
    ///
    /// That is the delay after the first failure; see [`retry_backoff`](Self::retry_backoff) for later ones. Zero means
    /// no delay. A slot that holds no value does not wait, unless [`retry_when_empty`](Self::retry_when_empty) is set; one
    /// whose value is beyond the [`stale_limit`](Self::stale_limit) does.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, Ttl, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    ///     .retry_after(Duration::from_secs(1))
    ///     .build()?;
    /// slot.set_with(Loaded::new(1).ttl(Ttl::ExpiresAtOnce));
    /// for failures in [1, 1] {
    ///     assert_eq!((block_on(slot.get())?, slot.failures()), (1, failures));
    /// }
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((block_on(slot.get())?, slot.failures()), (1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn retry_after(mut self, delay: Duration) -> Self {
        self.builder.settings.rules.backoff.first = delay;
        self
    }

    /// Sets the factor by which each further failure prolongs the delay, and the cap.
    ///
    /// By default 2, and 5 minutes. The failures in a row count until a fetch succeeds, however long that takes.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{ConfigError, LazySlot, Loaded, ManualClock, parts::Std};
    /// let refused = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .retry_backoff(0.5, Duration::from_secs(60))
    ///     .build();
    /// assert_eq!(refused.err(), Some(ConfigError::RetryFactor));
    /// ```
    pub const fn retry_backoff(mut self, factor: f64, cap: Duration) -> Self {
        self.builder.settings.rules.backoff.factor = Factor::of(factor);
        self.cap = Some(cap);
        self
    }

    /// Delays the next fetch after a failed one even if there is no value.
    ///
    /// A caller that asks before that gets the error at once. By default the next caller of an empty slot fetches.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    ///     .retry_when_empty()
    ///     .build()?;
    /// assert!(!block_on(slot.get()).unwrap_err().is_cached());
    /// assert!(block_on(slot.get()).unwrap_err().is_cached());
    /// assert_eq!(slot.failures(), 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn retry_when_empty(mut self) -> Self {
        self.builder.settings.rules.delays_empty = true;
        self
    }

    /// Spreads refreshes and retries over time.
    ///
    /// So many programs do not make theirs at once. Up to this share of the margin is added to it, unless the value's
    /// life is too short for that, and up to this share of each delay is taken off. Both amounts follow from `seed` and
    /// the time: give each program its own seed. By default there is no jitter.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Instant, LazySlot, Loaded, ManualClock, parts::Std};
    /// # let refresh_at = |seed| -> Result<u64, larder::ConfigError> {
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .ttl(Duration::from_secs(100))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .jitter(0.5, seed)
    ///     .build()?;
    /// slot.set(1);
    /// # Ok(slot.refresh_at().as_nanos())
    /// # };
    /// let (one, other) = (refresh_at(1)?, refresh_at(2)?);
    /// assert!(one != other && one.max(other) <= 90_000_000_000 && one.min(other) > 85_000_000_000);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn jitter(mut self, share: f64, seed: u64) -> Self {
        self.jitter = Some(Jitter::new(share, seed));
        self
    }

    /// Sets the age beyond which callers no longer wait for a fetch.
    ///
    /// The next caller then begins a newer one; see [`Builder::lock_age`]. By default no fetch is too old.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| pending::<Result<Loaded<u32>, std::io::Error>>())
    ///     .lock_age(Duration::from_secs(5))
    ///     .build()?;
    /// slot.set(1);
    /// slot.expire();
    /// let stuck = block_on(slot.get_stale())?.refresh;
    /// assert!(block_on(slot.get_stale())?.refresh.is_none()); // the first caller has it
    /// clock.advance(Duration::from_secs(5));
    /// assert!(block_on(slot.get_stale())?.refresh.is_some());
    /// # drop(stuck);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock_age(self, age: Duration) -> Self {
        Self { builder: self.builder.lock_age(age), ..self }
    }

    /// Sets how many fetches there may be at once beyond the lock age.
    ///
    /// By default 4, and at least 1.
    ///
    /// ```
    /// # use larder::{ConfigError, LazySlot, Loaded, ManualClock, parts::Std};
    /// let refused = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .attempts(0)
    ///     .build();
    /// assert_eq!(refused.err(), Some(ConfigError::Attempts));
    /// ```
    pub fn attempts(self, attempts: u32) -> Self {
        Self { builder: self.builder.attempts(attempts), ..self }
    }

    /// Bounds how long callers wait for a fetch, and says what happens then.
    ///
    /// See [`Builder::lock_timeout`]. By default they wait without a limit. It does not bound refreshes that are handed
    /// out, nor the task that [keeps the slot fresh](LazySlot::keep_fresh).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{LazySlot, LoadError, Loaded, ManualClock, OnTimeout, parts::Std};
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| pending::<std::io::Result<Loaded<u32>>>())
    ///     .lock_timeout(Duration::from_secs(1), OnTimeout::Fail)
    ///     .build()?;
    /// let mut get = slot.get();
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(matches!(block_on(get), Err(LoadError::LockTimeout)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn lock_timeout(self, patience: Duration, then: OnTimeout) -> Self {
        Self { builder: self.builder.lock_timeout(patience, then), ..self }
    }

    /// Sets the time after which a fetch is dropped and counts as failed.
    ///
    /// The limit is the fetch's own, whichever callers wait for it. See [`Builder::load_budget`]. By default a fetch may
    /// take any time.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| pending::<std::io::Result<Loaded<u32>>>())
    ///     .fetch_budget(Duration::from_secs(5))
    ///     .build()?;
    /// let mut get = slot.get();
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(5));
    /// assert!(block_on(get).unwrap_err().is_budget_exceeded());
    /// assert_eq!(slot.failures(), 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn fetch_budget(self, budget: Duration) -> Self {
        Self { builder: self.builder.load_budget(budget), ..self }
    }

    /// Lets the runtime's spawner finish a fetch that all its callers have left.
    ///
    /// So even if callers have short timeouts, the slot gets its first value; see [`Builder::finish_abandoned`].
    ///
    /// ```
    /// use larder::{ConfigError, LazySlot, Runtime, SlotBuilder, Spawn, futures::SlotAbandoned};
    ///
    /// /// A slot that finishes its fetches although callers leave, on a runtime that spawns.
    /// fn patient<V: Clone, E, R>(builder: SlotBuilder<V, E, R>) -> Result<LazySlot<V, E, R>, ConfigError>
    /// where
    ///     R: Runtime + Spawn<SlotAbandoned<V, E, R>>,
    /// {
    ///     builder.finish_abandoned().build()
    /// }
    /// ```
    pub fn finish_abandoned(self) -> Self
    where
        R: Spawn<SlotAbandoned<V, E, R>>,
    {
        Self { builder: self.builder.finish_abandoned(), ..self }
    }

    /// Returns the slot, if the settings make sense.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the wrong setting.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{ConfigError, LazySlot, Loaded, ManualClock, parts::Std};
    /// let refused = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    ///     .retry_after(Duration::from_secs(60))
    ///     .retry_backoff(2.0, Duration::from_secs(30))
    ///     .build();
    /// assert_eq!(refused.err(), Some(ConfigError::RetryCap));
    /// ```
    pub fn build(mut self) -> Result<LazySlot<V, E, R>, ConfigError> {
        self.check()?;
        Ok(LazySlot { cache: self.builder.build().map_err(in_its_words)? })
    }

    /// Builds the slot; what `setup` adds may hold it weakly.
    ///
    /// As [`Builder::build_cyclic`]: for a fetch that uses its own slot, for example to drop or to set its value.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// let slot = LazySlot::builder(Std::new(ManualClock::new())).build_cyclic(|builder, weak| {
    ///     let weak = weak.clone();
    ///     builder.fetch_fn(move |_| {
    ///         let failures = weak.upgrade().map_or(0, |slot| slot.stats().loads_failed);
    ///         async move { if failures == 0 { Err(String::from("not yet")) } else { Ok(Loaded::new(failures)) } }
    ///     })
    /// })?;
    /// assert!(block_on(slot.get()).is_err());
    /// assert_eq!(block_on(slot.get()).ok(), Some(1));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn build_cyclic(
        self,
        setup: impl FnOnce(Self, &WeakSlot<V, E, R>) -> Self,
    ) -> Result<LazySlot<V, E, R>, ConfigError> {
        let Self { builder, cap, jitter } = self;
        let mut verdict = Ok(());
        let cache = builder.build_cyclic(|builder, weak| {
            let mut this = setup(Self { builder, cap, jitter }, &WeakSlot { cache: weak.clone() });
            verdict = this.check();
            this.builder
        });
        verdict?;
        Ok(LazySlot { cache: cache.map_err(in_its_words)? })
    }

    /// Checks the settings that caches do not have; prepares those that they have.
    fn check(&mut self) -> Result<(), ConfigError> {
        let rules = &mut self.builder.settings.rules;
        if self.jitter.is_some_and(|jitter| !(0.0..=1.0).contains(&jitter.share)) {
            return Err(ConfigError::SlotJitter);
        }
        rules.backoff.cap = self.cap.unwrap_or_else(|| RETRY_CAP.max(rules.backoff.first));
        rules.backoff.jitter = self.jitter;
        if let Some(margin) = &mut rules.early.margin {
            margin.jitter = self.jitter;
        } else if rules.early.inline {
            return Err(ConfigError::RefreshInline);
        }
        Ok(())
    }
}

/// Names what a cache refuses by the slot's own settings.
const fn in_its_words(error: ConfigError) -> ConfigError {
    match error {
        ConfigError::BackoffFactor => ConfigError::RetryFactor,
        ConfigError::BackoffCap => ConfigError::RetryCap,
        other => other,
    }
}

impl<V, E, R: Runtime> fmt::Debug for SlotBuilder<V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotBuilder").field("settings", &self.builder.settings).finish_non_exhaustive()
    }
}

/// The delay before a failed refresh is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The factor by which each further try waits longer.
const RETRY_FACTOR: Factor = Factor::TWO;

/// The longest wait before a try.
const RETRY_CAP: Duration = Duration::from_secs(300);
