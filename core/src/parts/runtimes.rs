//! Runtimes composed of a timer, a lock and a list of wakers.

use core::cell::RefCell;

use super::waker_list::{WakerList, Wakers};
use crate::{Clock, Instant, Runtime, Timer};

macro_rules! runtime {
    ($(#[$doc:meta])* $name:ident, $lock:ty, $wakers:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name<C>(C);

        impl<C: Timer> $name<C> {
            /// Lends this timer to caches.
            pub const fn new(timer: C) -> Self {
                Self(timer)
            }

            /// Returns the timer.
            pub const fn timer(&self) -> &C {
                &self.0
            }
        }

        impl<C: Clock> Clock for $name<C> {
            #[inline]
            fn now(&self) -> Instant {
                self.0.now()
            }
        }

        impl<C: Timer> Timer for $name<C> {
            type Sleep = C::Sleep;

            fn sleep_until(&self, deadline: Instant) -> C::Sleep {
                self.0.sleep_until(deadline)
            }
        }

        impl<C: Timer> Runtime for $name<C> {
            type Lock<T> = $lock;
            type Notify = WakerList<$wakers>;
        }
    };
}

/// The waker of a load may be called from any thread, even where the cache stays on one.
#[cfg(feature = "std")]
type AnyThread = std::sync::Mutex<Wakers>;
/// An interrupt may wake a load, so it must be able to take the lock.
#[cfg(all(feature = "critical-section", not(feature = "std")))]
type AnyThread = super::lock::CriticalLock<Wakers>;
/// Whoever wakes a load must not be an interrupt; the feature `critical-section` lifts this.
#[cfg(all(not(feature = "critical-section"), not(feature = "std")))]
type AnyThread = spin::Mutex<Wakers>;

runtime! {
    /// For one thread: values, loads and errors need not be `Send`.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use larder::{Cache, ManualClock, parts::Local};
    ///
    /// let cache = Cache::builder(Local::new(ManualClock::new()))
    ///     .load_fn(|key: u8| async move { Ok::<_, ()>(Rc::new(key)) })
    ///     .build()?;
    /// cache.insert(1, Rc::new(7));
    /// assert_eq!(cache.get_if_present(&1), Some(Rc::new(7)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    Local, RefCell<T>, AnyThread
}

runtime! {
    /// For several contexts without an operating system: spin locks around short, bounded sections.
    Spin, spin::Mutex<T>, AnyThread
}

#[cfg(feature = "std")]
runtime! {
    /// For threads, with the standard library's mutex.
    Std, std::sync::Mutex<T>, AnyThread
}
