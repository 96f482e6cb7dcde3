//! Runtimes composed of a timer, a lock and a list of wakers.

use core::cell::RefCell;

use super::waker_list::{WakerList, Wakers};
use crate::{Clock, Instant, ManyThreads, OneThread, Runtime, Spawn, Timer};

macro_rules! runtime {
    ($(#[$doc:meta])* $name:ident, $lock:ty, $wakers:ty, $threads:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name<C>(C);

        impl<C: Timer> $name<C> {
            /// Makes a runtime for caches with this timer.
            ///
            /// ```
            /// # use larder::{ManualClock, parts::Spin};
            /// let runtime = Spin::new(ManualClock::new());
            /// ```
            pub const fn new(timer: C) -> Self {
                Self(timer)
            }

            /// Returns the timer.
            ///
            /// ```
            /// # use core::time::Duration;
            /// # use larder::{Clock, Instant, ManualClock, parts::Spin};
            /// let runtime = Spin::new(ManualClock::new());
            /// runtime.timer().advance(Duration::from_nanos(5));
            /// assert_eq!(runtime.now(), Instant::from_nanos(5));
            /// ```
            pub const fn timer(&self) -> &C {
                &self.0
            }
        }

        impl<C: Clock> Clock for $name<C> {
            #[inline]
            fn now(&self) -> Instant {
                self.0.now()
            }

            #[inline]
            fn about_now(&self) -> Option<Instant> {
                self.0.about_now()
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
            type Threads = $threads;
        }

        /// Where the timer runs tasks as well.
        impl<C: Spawn<F>, F> Spawn<F> for $name<C> {
            fn spawn(&self, future: F) -> Result<(), F> {
                self.0.spawn(future)
            }
        }
    };
}

/// The waker of a load may be called from any thread, even if the cache stays on one.
#[cfg(feature = "std")]
type AnyThread = super::ThreadLock<Wakers>;
/// An interrupt may wake a load, so it must be able to take the lock.
#[cfg(all(feature = "critical-section", not(feature = "std")))]
type AnyThread = super::lock::CriticalLock<Wakers>;
/// An interrupt must not wake a load; the feature `critical-section` lifts this.
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
    Local, RefCell<T>, AnyThread, OneThread
}

runtime! {
    /// For several contexts without an operating system.
    ///
    /// Spin locks around short, bounded sections; never call the cache from an interrupt. Without std there is no
    /// randomness to seed the hasher with, so the program gives the seed.
    ///
    /// ```
    /// use larder::{Cache, ManualClock, parts::Spin};
    ///
    /// let cache = Cache::builder(Spin::new(ManualClock::new()))
    ///     .load_fn(|key: u8| async move { Ok::<_, ()>(key) })
    ///     .hash_seed(0x5eed)
    ///     .build()?;
    /// # cache.insert(1, 7);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    Spin, spin::Mutex<T>, AnyThread, ManyThreads
}

#[cfg(feature = "critical-section")]
runtime! {
    /// For several contexts without an operating system, interrupts and tasks of other priorities among them.
    ///
    /// Critical sections around short, bounded sections: a context that interrupts another one never finds a lock taken.
    /// Without std there is no randomness to seed the hasher with, so the program gives the seed.
    ///
    /// ```no_run
    /// use larder::{Cache, ManualClock, parts::Critical};
    ///
    /// let cache = Cache::builder(Critical::new(ManualClock::new()))
    ///     .load_fn(|key: u8| async move { Ok::<_, ()>(key) })
    ///     .hash_seed(0x5eed)
    ///     .build()?;
    /// # cache.insert(1, 7);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    Critical, super::CriticalLock<T>, AnyThread, ManyThreads
}

#[cfg(feature = "std")]
runtime! {
    /// For threads, with a lock that costs little.
    ///
    /// The cache can be shared between threads if keys, values, errors and loads can be sent.
    ///
    /// ```
    /// use std::thread;
    /// use larder::{Cache, parts::{NoTimer, Std, StdClock}};
    ///
    /// let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
    ///     .load_fn(|key: u8| async move { Ok::<_, ()>(key) })
    ///     .build()?;
    /// thread::scope(|scope| {
    ///     scope.spawn(|| cache.insert(1, 7));
    /// });
    /// assert_eq!(cache.get_if_present(&1), Some(7));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    Std, super::ThreadLock<T>, AnyThread, ManyThreads
}
