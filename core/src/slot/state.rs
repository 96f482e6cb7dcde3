//! The state of a slot: its value, its failures, and when a refresh is due.

use super::LazySlot;
use crate::{Failure, Instant, Outcome, Previous, Runtime, Stats};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Describes the value, fresh or not, and the last failure.
    ///
    /// Fetches nothing and counts nothing.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LazySlot, Loaded, ManualClock, Status, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let slot = LazySlot::builder(Std::new(clock.clone()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .ttl(Duration::from_secs(60))
    /// #     .build()?;
    /// assert!(slot.peek().is_none());
    /// slot.set(1);
    /// clock.advance(Duration::from_secs(70));
    /// let found = slot.peek().expect("it is kept");
    /// assert_eq!((*found.value(), found.status()), (1, Status::Stale(Duration::from_secs(10))));
    /// assert_eq!(found.age(), Duration::from_secs(70));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn peek(&self) -> Option<Outcome<V, E>> {
        let now = self.cache.inner.runtime.now();
        self.cache.inner.with(0, |shard| shard.look(0, now, |()| true))
    }

    /// Returns how many fetches have failed since the last success.
    ///
    /// A panic counts, and so does a fetch beyond its budget. [Setting](Self::set) or [dropping](Self::invalidate) the
    /// value resets the count, too.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    ///     .build()?;
    /// assert!(block_on(slot.get()).is_err());
    /// assert!(block_on(slot.get()).is_err());
    /// assert_eq!(slot.failures(), 2);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn failures(&self) -> u32 {
        self.cache.inner.with(0, |shard| shard.trouble(0, |()| true).map_or(0, |trouble| trouble.count))
    }

    /// Returns the last failure, unless a fetch has succeeded since.
    ///
    /// It says when the next refresh may begin: [`retry_at`](Failure::retry_at). A slot without a value fetches at the next
    /// call all the same, unless [`retry_when_empty`](crate::SlotBuilder::retry_when_empty) is set.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// assert!(slot.last_failure().is_none());
    /// assert!(block_on(slot.get()).is_err());
    /// let failure = slot.last_failure().expect("it has just failed");
    /// assert_eq!(failure.error().map(|error| error.kind()), Some(io::ErrorKind::Other));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn last_failure(&self) -> Option<Failure<E>> {
        self.cache.inner.with(0, |shard| shard.trouble(0, |()| true).and_then(|trouble| trouble.failure))
    }

    /// Returns when the value is to be refreshed, on the runtime's clock.
    ///
    /// That is when it expires, or the [margin](crate::SlotBuilder::refresh_ahead) before; at once if there is no value;
    /// and [`NEVER`](Instant::NEVER) for a value that does not expire. After a failure it is when the next try may begin:
    /// so also for a slot without a value, though a call for it may fetch before that. For hosts that wait by themselves; [`keep_fresh`](Self::keep_fresh) does it for other hosts.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Instant, LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, io::Error>(Loaded::new(7)) })
    ///     .ttl(Duration::from_secs(60))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .build()?;
    /// assert_eq!(slot.refresh_at(), Instant::ZERO);
    /// slot.set(1);
    /// assert_eq!(slot.refresh_at(), Instant::from_nanos(50_000_000_000));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn refresh_at(&self) -> Instant {
        let inner = &*self.cache.inner;
        inner.with(0, |shard| shard.refresh_at(0, &inner.rules, |()| true))
    }

    /// Returns the counters; a lookup is a call for the value, a load is a fetch.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// block_on(slot.get())?;
    /// block_on(slot.get())?;
    /// assert_eq!((slot.stats().loads_begun, slot.stats().hits), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.cache.stats()
    }

    /// Returns the runtime.
    ///
    /// ```
    /// # use larder::{Clock, Instant, LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// assert_eq!(slot.runtime().now(), Instant::ZERO);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn runtime(&self) -> &R {
        self.cache.runtime()
    }

    /// Returns the value that a fetch which begins now is handed.
    pub(super) fn previous(&self) -> Option<Previous<V>> {
        self.cache.inner.with(0, |shard| shard.previous(0, |()| true))
    }
}
