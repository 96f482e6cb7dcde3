//! Getting the value of a slot that fetches it by itself.

use core::future::Future;

use super::{KEY, LazySlot, OfSlots};
use crate::{Cache, LoadError, Lookup, LookupOptions, Runtime};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns the value, fetching it if need be.
    ///
    /// If it has expired and nobody refreshes it, this caller does and waits for that; if somebody does, or a refresh has
    /// just failed, this returns the old value at once. A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// Only where there is no value that may be served: [`LoadError::Failed`](crate::LoadError::Failed) with what
    /// everybody has who waited for the same fetch, [`LoadError::LockTimeout`](crate::LoadError::LockTimeout) at the end
    /// of the [patience](crate::SlotBuilder::lock_timeout), and [`LoadError::Reentrant`](crate::LoadError::Reentrant) for
    /// a fetch that asks its own slot. A fetch that panics unwinds through the caller who polled it.
    ///
    /// # Cancel safety
    ///
    /// Nothing happens before the first poll. Dropping the future is no failure: the fetch is left to those who wait for
    /// it, or dropped, and whoever asks next refreshes.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async { Ok::<_, io::Error>(Loaded::new("token").ttl(Duration::from_secs(60))) })
    ///     .build()?;
    /// // In an async function: `slot.get().await?`
    /// assert_eq!(block_on(slot.get())?, "token");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self) -> impl Future<Output = Result<V, LoadError<E>>> + Unpin {
        self.cache.get(KEY)
    }

    /// Returns the value and how it was found.
    ///
    /// As [`get`](Self::get), with options of the call's own. The outcome tells whether the value is fresh, how old it is,
    /// and why the last refresh failed if it is served instead of a newer one.
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
    /// # use larder::{LazySlot, Loaded, LookupOptions, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Err::<Loaded<u32>, _>(io::Error::other("no route")) })
    ///     .ttl(Duration::from_secs(60))
    ///     .build()?;
    /// slot.set(7);
    /// clock.advance(Duration::from_secs(70));
    /// let outcome = block_on(slot.lookup(LookupOptions::new()))?;
    /// assert_eq!((*outcome.value(), outcome.status()), (7, Status::Stale(Duration::from_secs(10))));
    /// assert!(outcome.error().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup(&self, options: LookupOptions) -> SlotLookup<'_, V, E, R> {
        self.cache.lookup(KEY).options(options)
    }

    /// Fetches the value anew, though it is fresh and whatever has failed before.
    ///
    /// A fetch in flight is joined, so the value may be one whose fetch began before this call; where it must not be,
    /// [`invalidate`](Self::invalidate) comes first. Others have the old value meanwhile. A failure counts and puts off
    /// the next refresh.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), though there is an old value, which stays.
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// slot.set(1);
    /// assert_eq!(*block_on(slot.refresh())?.value(), 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh(&self) -> SlotLookup<'_, V, E, R> {
        self.lookup(LookupOptions::new().reload())
    }
}

/// The future of [`LazySlot::lookup`] and [`LazySlot::refresh`].
///
/// ```
/// use larder::{LazySlot, ManualClock, SlotLookup, parts::Std};
///
/// fn ask<'a, V: Clone, E>(slot: &'a LazySlot<V, E, Std<ManualClock>>) -> SlotLookup<'a, V, E, Std<ManualClock>> {
///     slot.refresh()
/// }
/// ```
pub type SlotLookup<'a, V, E, R> = Lookup<'a, Cache<(), V, E, R, OfSlots>, ()>;
