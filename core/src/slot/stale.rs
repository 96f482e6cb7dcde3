//! The value at once, and its refresh as a ticket.

use core::future::Future;

use super::{KEY, LazySlot, OfSlots};
use crate::{LoadError, LookupOptions, Refresh, Runtime, Spawn, StaleOutcome, cache::Abandoned};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns the value at once, fresh or not, and its refresh.
    ///
    /// The first caller that finds the value expired, or its [margin](crate::SlotBuilder::refresh_ahead) reached, also
    /// gets a refresh to await, spawn or drop. While that is held, or a fetch is in flight, other callers get the value
    /// alone, until the [lock age](crate::SlotBuilder::lock_age) is over. This waits for a fetch only if there is no
    /// value, or none within the [limit](crate::SlotBuilder::stale_limit).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Ok::<_, io::Error>(Loaded::new("new")) })
    ///     .ttl(Duration::from_secs(60))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .build()?;
    /// slot.set("old");
    /// clock.advance(Duration::from_secs(50)); // ten seconds before it expires
    /// let found = block_on(slot.get_stale())?;
    /// assert_eq!((*found.outcome.value(), found.outcome.status()), ("old", Status::Hit));
    /// block_on(found.refresh.expect("the first caller has the refresh"));
    /// assert_eq!(block_on(slot.get())?, "new");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_stale(&self) -> impl Future<Output = Result<StaleValue<V, E, R>, LoadError<E>>> + Unpin {
        self.cache.get_stale(KEY)
    }

    /// Returns the value at once, fresh or not, and its refresh.
    ///
    /// As [`get_stale`](Self::get_stale), with options for this call.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// # let slot = LazySlot::builder(Std::new(clock.clone()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .ttl(Duration::from_secs(60))
    /// #     .build()?;
    /// slot.set(1);
    /// clock.advance(Duration::from_secs(70));
    /// let fussy = LookupOptions::new().stale_while_refresh(Duration::from_secs(5));
    /// assert_eq!(*block_on(slot.lookup_stale(fussy))?.outcome.value(), 7); // too old for this caller: it was fetched
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_stale(
        &self,
        options: LookupOptions,
    ) -> impl Future<Output = Result<StaleValue<V, E, R>, LoadError<E>>> + Unpin {
        self.cache.lookup(KEY).options(options).stale()
    }

    /// Returns the value at once, fresh or not, and refreshes it.
    ///
    /// As [`get_stale`](Self::get_stale), but the runtime's spawner runs the refresh. If no runtime is at hand, the
    /// refresh is returned to the caller.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// use larder::{LazySlot, LoadError, Runtime, SlotRefresh, Spawn};
    ///
    /// /// Waits for the very first token only.
    /// async fn token<V: Clone, E, R>(slot: &LazySlot<V, E, R>) -> Result<V, LoadError<E>>
    /// where
    ///     R: Runtime + Spawn<SlotRefresh<V, E, R>>,
    /// {
    ///     Ok(slot.get_stale_spawn().await?.outcome.into_value())
    /// }
    /// ```
    pub fn get_stale_spawn(&self) -> impl Future<Output = Result<StaleValue<V, E, R>, LoadError<E>>> + Unpin
    where
        R: Spawn<SlotRefresh<V, E, R>>,
    {
        self.cache.get_stale_spawn(KEY)
    }
}

/// The value of a slot, and perhaps its refresh.
pub type StaleValue<V, E, R> = StaleOutcome<(), V, E, R, OfSlots>;

/// The refresh of a slot's value: a future to await, spawn or drop.
pub type SlotRefresh<V, E, R> = Refresh<(), V, E, R, OfSlots>;

/// A fetch that its callers have left, finished in the background.
///
/// See [`finish_abandoned`](crate::SlotBuilder::finish_abandoned).
pub type SlotAbandoned<V, E, R> = Abandoned<(), V, E, R, OfSlots>;
