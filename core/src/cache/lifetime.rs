//! The settings of lifetimes: idle time, expiry by a closure, jitter, and refreshes ahead of time.

use core::time::Duration;

use super::Builder;
use crate::{
    Keeps, Key, Runtime, Ttl, Tuning,
    jitter::Jitter,
    shard::Margin,
    share::Engine,
    source::{Chance, Expiry, Keeper, WallClock},
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Builder<K, V, E, R, S> {
    /// Sets how long a value stays fresh without being asked for.
    ///
    /// It counts from publication, and anew from each lookup that finds the value fresh. Calls that only look do not
    /// count: `peek`, `contains` and `iter`. A value expires at the end of its idle time or of its lifetime, whichever
    /// is earlier, and limits for stale values count from then; serving a stale value does not prolong it. If a load
    /// finds the value unchanged, its idle time begins anew. By default values have no idle time.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .time_to_idle(Duration::from_secs(20))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// cache.insert(2, 20);
    /// clock.advance(Duration::from_secs(15));
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// clock.advance(Duration::from_secs(15));
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// assert_eq!(cache.get_if_present(&2), None); // was never asked for
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn time_to_idle(mut self, idle: Duration) -> Self {
        self.settings.idle = Some(idle);
        self
    }

    /// Shortens lifetimes, for each key by a different part.
    ///
    /// A lifetime is shortened by up to `share` of itself, so that values stored together do not expire together. This
    /// applies to every lifetime that ends, no matter where it was set: an endless one stays endless, and none becomes
    /// zero. How much a key's lifetimes are shortened depends on the key and on `seed` alone, whatever hasher the cache
    /// has: it is the same on each run, and different for instances with other seeds. By default none are shortened.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, TimeLeft, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .ttl_jitter(0.25, 7)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// let time_left = |id| {
    ///     cache.insert(id, id);
    ///     cache.peek(&id).map(|found| found.time_left())
    /// };
    /// let Some(TimeLeft::For(left)) = time_left(1) else { panic!("it expires") };
    /// assert!(left > Duration::from_secs(45) && left <= Duration::from_secs(60));
    /// assert_ne!(time_left(1), time_left(2));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn ttl_jitter(mut self, share: f64, seed: u64) -> Self {
        self.settings.rules.jitter = Some(Jitter::new(share, seed));
        self
    }

    /// Refreshes values once this share of their lifetime is over.
    ///
    /// A value that is asked for then never expires, if its loads succeed. From that instant on,
    /// [`get_stale`](crate::Cache::get_stale) and its variants hand out the refresh with a hit. While the refresh is
    /// held, a load of the key is in flight or a failure is kept, other callers get the hit alone. Other calls hand out
    /// nothing and begin nothing. A value without a lifetime is not refreshed, and [idle time](Self::time_to_idle) does
    /// not matter. By default no value is refreshed before it has expired.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .refresh_early(0.75)
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>(id * 2) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// clock.advance(Duration::from_secs(45));
    /// let found = block_on(cache.get_stale(&1))?;
    /// assert_eq!(found.outcome.status(), Status::Hit);
    /// block_on(found.refresh.expect("a refresh is due"));
    /// assert_eq!(cache.get_if_present(&1), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn refresh_early(mut self, share: f64) -> Self {
        self.settings.rules.early = self.settings.rules.early.by_share(share);
        self
    }

    /// Refreshes values this long before they expire.
    ///
    /// As [`refresh_early`](Self::refresh_early), but by a margin instead of a share. This fits tokens that bring their
    /// lifetime with them, for example one for each tenant. Within the margin, calls that take stale values get a hit,
    /// and the first of them gets the refresh; a refresh that stalls or fails affects no caller until the value
    /// expires. A value whose lifetime is no longer than the margin is refreshed at half of it. For a single token
    /// there is [`LazySlot`](crate::LazySlot).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let tokens = Cache::builder(Std::new(clock.clone()))
    ///     .refresh_ahead(Duration::from_secs(60))
    ///     .loaded_fn(|tenant: u32| async move {
    ///         let (token, lives) = (format!("token of {tenant}"), 3600); // the server's answer
    ///         Ok::<_, io::Error>(Loaded::new(token).ttl(Duration::from_secs(lives)))
    ///     })
    ///     .build()?;
    /// assert_eq!(block_on(tokens.get(&7))?, "token of 7");
    /// clock.advance(Duration::from_secs(3540));
    /// let found = block_on(tokens.get_stale(&7))?;
    /// assert_eq!(found.outcome.status(), Status::Hit);
    /// block_on(found.refresh.expect("a refresh is due"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn refresh_ahead(mut self, margin: Duration) -> Self {
        self.settings.rules.early = self.settings.rules.early.by_margin(Margin { length: margin, jitter: None });
        self
    }

    /// Refreshes values before they expire, at random.
    ///
    /// The chance grows towards the end, and begins to grow earlier if the value's load took long, measured from its
    /// claim: a caller gets the refresh with probability `exp(-left / (took * beta))`. So many instances that share an
    /// origin do not all ask it at once, though they know nothing of each other. This is XFetch, from Vattani,
    /// Chierichetti and Lowenstein, Optimal Probabilistic Cache Stampede Prevention, VLDB 2015, where a `beta` of 1 is
    /// best and larger ones refresh earlier. Inserted values took no time, and are not refreshed early.
    ///
    /// The refresh is handed out as by [`refresh_early`](Self::refresh_early). Each call that could get it calls
    /// `random` once, outside every lock, for a number above 0 and up to 1; anything lower counts as the smallest
    /// positive number.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .load_fn(|id: u32| async move {
    ///         yield_now().await; // the slow part
    ///         Ok::<_, io::Error>(id * 2)
    ///     })
    ///     .refresh_early_by_chance(1.0, || 0.5) // better: a random number
    ///     .build()?;
    /// let mut get = cache.get(&1);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(10));
    /// block_on(get)?; // took ten seconds
    /// clock.advance(Duration::from_secs(53)); // there are more than 10 s * ln 2 left
    /// assert!(block_on(cache.get_stale(&1))?.refresh.is_none());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(block_on(cache.get_stale(&1))?.refresh.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn refresh_early_by_chance<F: Fn() -> f64>(mut self, beta: f64, random: F) -> Self
    where
        R::Threads: Keeps<K, V, E, Chance<F>>,
    {
        self.settings.rules.early = self.settings.rules.early.by_chance(beta);
        self.sources.chance = Some(<R::Threads as Keeps<K, V, E, Chance<F>>>::keep(Chance(random)));
        self
    }

    /// Lets a closure say how long each value is fresh.
    ///
    /// A lifetime given by the load or the call takes precedence; where the closure inherits, the cache's own
    /// [`ttl`](Self::ttl) decides. The closure runs outside every lock, once for each load and insert, and the lifetime
    /// counts from publication. If it panics for a loaded value, the load has panicked.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, TimeLeft, Ttl, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .ttl(Duration::from_secs(60))
    ///     .load_fn(|id: u32| async move { Ok::<_, io::Error>((id > 100).then_some(id)) })
    ///     .expire_after(|_, user| match user {
    ///         Some(_) => Ttl::Inherit,
    ///         None => Duration::from_secs(5).into(), // there may be one soon
    ///     })
    ///     .build()?;
    /// cache.insert(1, None);
    /// cache.insert(2, Some(2));
    /// let time_left = |id| cache.peek(&id).map(|found| found.time_left());
    /// assert_eq!(time_left(1), Some(TimeLeft::For(Duration::from_secs(5))));
    /// assert_eq!(time_left(2), Some(TimeLeft::For(Duration::from_secs(60))));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn expire_after<F: Fn(&K, &V) -> Ttl>(mut self, expiry: F) -> Self
    where
        R::Threads: Keeps<K, V, E, Expiry<F>>,
    {
        self.sources.set_expiry(<R::Threads as Keeps<K, V, E, Expiry<F>>>::keep(Expiry(expiry)));
        self
    }

    /// Sets the wall clock for lifetimes that end at a date.
    ///
    /// See [`Ttl::until`]. The closure returns the time since the beginning of 1970 (UTC); with `std` that is
    /// `parts::wall_time`. It runs outside every lock, once for each value that is loaded or inserted, and is asked for
    /// nothing else. If it panics for a loaded value, its load has panicked. By default there is none, and such ends
    /// count as passed.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// use std::time::SystemTime;
    /// use larder::{Cache, Loaded, parts::{BootClock, NoTimer, Std, wall_time}};
    /// # use std::io;
    ///
    /// // Tokens that end when they say, though the machine sleeps meanwhile.
    /// let tokens = Cache::builder(Std::new(NoTimer::new(BootClock::new())))
    ///     .wall_clock(wall_time)
    ///     .loaded_fn(|tenant: u32| async move {
    ///         let expires = SystemTime::now() + Duration::from_secs(3600); // as the server says
    ///         Ok::<_, io::Error>(Loaded::new(format!("token of {tenant}")).ttl(expires))
    ///     })
    ///     .build()?;
    /// assert_eq!(block_on(tokens.get(&7))?, "token of 7");
    /// assert!(tokens.contains(&7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wall_clock<F: Fn() -> Duration>(mut self, clock: F) -> Self
    where
        R::Threads: Keeps<K, V, E, WallClock<F>>,
    {
        self.sources.set_wall_clock(<R::Threads as Keeps<K, V, E, WallClock<F>>>::keep(WallClock(clock)));
        self
    }

    /// Lets a closure say how long a load's failure is kept, by its error.
    ///
    /// For example, a refusal because of a rate limit is not a denial. The returned time takes precedence over
    /// [`error_ttl`](Self::error_ttl) and does not grow with each failure; zero keeps none. With `None`, and for
    /// failures that are not errors of the loader (a panic, a load over its budget), the cache's settings hold. The
    /// closure runs outside every lock, once for each load that fails and, in a load of many keys, for each key that
    /// fails. If it panics, the load has panicked.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(clock.clone()))
    ///     .error_ttl(Duration::from_secs(60))
    ///     .error_ttl_by(|error| match error.kind() {
    ///         io::ErrorKind::TimedOut => Some(Duration::from_secs(1)), // it may answer soon
    ///         _ => None,
    ///     })
    ///     .build()?;
    /// let fail = |kind: io::ErrorKind| move || async move { Err(io::Error::from(kind)) };
    /// block_on(cache.get_or_load(&1, fail(io::ErrorKind::TimedOut))).unwrap_err();
    /// block_on(cache.get_or_load(&2, fail(io::ErrorKind::NotFound))).unwrap_err();
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(block_on(cache.get_or_load(&1, || async { Ok(7) }))?, 7);
    /// assert!(block_on(cache.get_or_load(&2, || async { Ok(7) })).unwrap_err().is_cached());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn error_ttl_by<F: Fn(&E) -> Option<Duration>>(mut self, keeper: F) -> Self
    where
        R::Threads: Keeps<K, V, E, Keeper<F>>,
    {
        self.sources.keeper = Some(<R::Threads as Keeps<K, V, E, Keeper<F>>>::keep(Keeper(keeper)));
        self.links.keep_failures();
        self
    }

    /// Sets how long an expired value is held for revalidation.
    ///
    /// A load may then find it still good. Has no effect unless loads are handed the previous value. By default it is
    /// held until room is needed.
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
    /// assert_eq!(cache.sweep(), 0); // at its very instant it is still of use
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(cache.sweep(), 1);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn revalidate_within(mut self, limit: Duration) -> Self {
        self.settings.revalidate_within = limit;
        self
    }

    /// Stores values that a load of many keys returns without being asked.
    ///
    /// Such a value is stored if nothing fresh is stored for its key, the key is not being loaded, and no write came to
    /// the key's shard since the load began: no write is undone by what was read before it. A load that is made
    /// [alone](crate::OnTimeout::LoadAlone) stores neither its own values nor surplus ones. By default surplus values
    /// are ignored.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .load_many_fn(|_: Vec<u32>| async { io::Result::Ok(vec![(1, "one"), (2, "two")]) })
    ///     .store_surplus()
    ///     .build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "one");
    /// assert_eq!(cache.get_if_present(&2), Some("two"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn store_surplus(mut self) -> Self {
        self.settings.rules.stores_surplus = true;
        self.as_many = Some(Engine::drive_as_many);
        self
    }
}
