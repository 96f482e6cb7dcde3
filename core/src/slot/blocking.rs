//! Getting the value in programs without async.

use super::{KEY, LazySlot};
use crate::{LoadError, Loaded, LookupOptions, Outcome, Previous, Runtime};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns the value, fetching it if needed; blocks the thread.
    ///
    /// As [`get`](Self::get), and as [`Cache::get_blocking`](crate::Cache::get_blocking): waiting threads share a fetch
    /// as tasks do, deadlines hold without a runtime, and it must not be called where tasks run. A fetch that calls
    /// this for its own slot, on the thread that polls it, gets the old value or [`LoadError::Reentrant`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`LoadError::MayNotBlock`].
    ///
    /// ```
    /// use core::time::Duration;
    /// use larder::{LazySlot, Loaded, parts::{Std, ThreadTimer}};
    /// # use std::io;
    ///
    /// let settings = LazySlot::builder(Std::new(ThreadTimer::new()))
    ///     .fetch_fn(|_| async {
    ///         let text = String::from("verbose = true"); // for example std::fs::read_to_string
    ///         io::Result::Ok(Loaded::new(text).ttl(Duration::from_secs(10)))
    ///     })
    ///     .build()?;
    /// assert_eq!(settings.get_blocking()?, "verbose = true");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_blocking(&self) -> Result<V, LoadError<E>> {
        self.cache.block(self.get())
    }

    /// Returns the value and how it was found; blocks the thread.
    ///
    /// As [`lookup`](Self::lookup) and [`get_blocking`](Self::get_blocking).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use larder::{LazySlot, Loaded, LookupOptions, ManualClock, Status, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// assert_eq!(slot.lookup_blocking(LookupOptions::new())?.status(), Status::Miss);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_blocking(&self, options: LookupOptions) -> Result<Outcome<V, E>, LoadError<E>> {
        self.cache.block(self.lookup(options))
    }

    /// Returns the value, fetching it with this closure if needed; blocks the thread.
    ///
    /// As [`lookup_with`](Self::lookup_with), but the closure itself fetches, and may block. Other threads wait for it
    /// until their [lock timeout](crate::SlotBuilder::lock_timeout), or get the old value.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use larder::{LazySlot, LookupOptions, parts::{Std, ThreadTimer}};
    /// let slot = LazySlot::<String, std::io::Error, _>::builder(Std::new(ThreadTimer::new())).build()?;
    /// let found = slot.lookup_blocking_with(LookupOptions::new(), |_| Ok(String::from("larder")))?;
    /// assert_eq!(found.value(), "larder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup_blocking_with<A: Into<Loaded<V>>>(
        &self,
        options: LookupOptions,
        fetch: impl FnOnce(Option<Previous<V>>) -> Result<A, E>,
    ) -> Result<Outcome<V, E>, LoadError<E>> {
        let fetch = || core::future::ready(fetch(self.previous()).map(|answer| answer.into().weight(1)));
        self.cache.block(self.cache.lookup(KEY).options(options).lend(fetch))
    }
}
