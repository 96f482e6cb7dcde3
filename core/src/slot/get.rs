//! Getting the value of a slot that has a fetch of its own.

use core::future::Future;

use super::{KEY, LazySlot, OfSlots};
use crate::{Cache, LoadError, LookupOptions, Runtime, cache::Lookup};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns the value, fetching it if needed.
    ///
    /// If the value has expired and is not being refreshed, this caller refreshes it and waits. If it is being
    /// refreshed, or a refresh has just failed, this returns the old value at once. A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// Only if there is no value that may be served: [`LoadError::Failed`](crate::LoadError::Failed) with the error
    /// that all callers get that waited for the same fetch, [`LoadError::LockTimeout`](crate::LoadError::LockTimeout)
    /// at the end of the [lock timeout](crate::SlotBuilder::lock_timeout), and
    /// [`LoadError::Reentrant`](crate::LoadError::Reentrant) for a fetch that asks its own slot. A fetch that panics
    /// unwinds through the caller that polled it.
    ///
    /// # Cancel safety
    ///
    /// Nothing happens before the first poll. Dropping the future is not a failure: the fetch goes on with the callers
    /// that wait for it, or is dropped, and the next caller refreshes.
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
    /// As [`get`](Self::get), with options for this call. The outcome says whether the value is fresh, how old it is,
    /// and why the last refresh failed if an old value is served instead of a newer one.
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

    /// Fetches the value again, even if it is fresh or a fetch has just failed.
    ///
    /// A fetch in flight is joined, so the value may come from a fetch that began before this call; if it must not,
    /// call [`invalidate`](Self::invalidate) first. Other callers get the old value meanwhile. A failure counts and
    /// delays the next refresh.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), even if there is an old value, which stays.
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
/// use larder::{LazySlot, ManualClock, futures::SlotLookup, parts::Std};
///
/// fn ask<'a, V: Clone, E>(slot: &'a LazySlot<V, E, Std<ManualClock>>) -> SlotLookup<'a, V, E, Std<ManualClock>> {
///     slot.refresh()
/// }
/// ```
pub type SlotLookup<'a, V, E, R> = Lookup<'a, Cache<(), V, E, R, OfSlots>, ()>;
