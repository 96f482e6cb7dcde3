//! Setting, invalidating and expiring the value by hand.

use super::{KEY, LazySlot};
use crate::{Generation, Loaded, Runtime};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Sets the value, and hands it to all callers that wait for a fetch.
    ///
    /// It lives as long as the [slot's lifetime](crate::SlotBuilder::ttl) says. A fetch in flight is dropped, and
    /// failures are forgotten. Returns the value's generation.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{LazySlot, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| pending::<io::Result<larder::Loaded<u32>>>())
    ///     .build()?;
    /// let mut get = slot.get();
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// slot.set(7);
    /// assert_eq!(block_on(get)?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self, value: V) -> Option<Generation> {
        self.set_with(Loaded::new(value))
    }

    /// Sets the value with a lifetime of its own.
    ///
    /// As [`set`](Self::set). A value that has expired already is kept as a stale one. With
    /// [`Ttl::NotStored`](crate::Ttl::NotStored) this is an [`invalidate`](Self::invalidate) and returns `None`. Slots
    /// ignore weights.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{LazySlot, Loaded, ManualClock, TimeLeft, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// slot.set_with(Loaded::new(1).ttl(Duration::from_secs(5)));
    /// assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(Duration::from_secs(5))));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn set_with(&self, value: Loaded<V>) -> Option<Generation> {
        self.cache.insert_with((), value.weight(1))
    }

    /// Drops the value, and returns it if it was fresh.
    ///
    /// Callers that wait for a fetch in flight get its result, which is not kept; callers that ask from now on fetch
    /// again. Failures are forgotten.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let slot = LazySlot::builder(Std::new(ManualClock::new()))
    ///     .fetch_fn(|_| async {
    ///         yield_now().await;
    ///         Ok::<_, io::Error>(Loaded::new(7))
    ///     })
    ///     .build()?;
    /// let mut get = slot.get();
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// slot.invalidate();
    /// assert_eq!(block_on(get)?, 7);
    /// assert!(slot.peek().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate(&self) -> Option<V> {
        self.cache.remove(KEY)
    }

    /// Drops the value if it still has this generation; returns whether it had.
    ///
    /// As [`invalidate`](Self::invalidate). So all callers that were refused with one bad token may call this, and none
    /// of them drops the one that was fetched in its place.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, LookupOptions, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// let refused = block_on(slot.lookup(LookupOptions::new()))?.generation().expect("it is kept");
    /// assert!(slot.invalidate_if(refused));
    /// block_on(slot.get())?;
    /// assert!(!slot.invalidate_if(refused)); // that value is gone, and the new one stays
    /// assert!(slot.peek().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_if(&self, generation: Generation) -> bool {
        self.cache.invalidate_if(KEY, generation)
    }

    /// Ends the value's freshness, but keeps it as stale; returns whether it was fresh.
    ///
    /// The next call refreshes it, unless a failed fetch [delays](crate::SlotBuilder::retry_after) that. A fetch in
    /// flight is detached as by [`invalidate`](Self::invalidate).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// slot.set(1);
    /// assert!(slot.expire());
    /// assert_eq!(*block_on(slot.get_stale())?.outcome.value(), 1);
    /// assert_eq!(block_on(slot.get())?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expire(&self) -> bool {
        self.cache.expire(KEY)
    }
}
