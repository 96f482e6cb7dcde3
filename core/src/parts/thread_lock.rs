//! A lock for threads that costs least without contention.

use core::{hint, time::Duration};
use std::thread;

use spin::{Mutex, MutexGuard};

use crate::Lock;

/// A lock for threads, cheap to take and to give back.
///
/// Giving it back is a plain store, where the standard library's mutex takes a second locked instruction and looks for
/// panics. A thread that finds it taken spins for a moment, then lets other threads run, then sleeps for short times:
/// the sections under it are short, unless their thread is not running. It is not fair. A panic under it leaves it
/// free.
///
/// ```
/// use std::thread;
/// use larder::{Lock, parts::ThreadLock};
///
/// let counter = ThreadLock::new(0);
/// thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| counter.with(|count| *count += 1));
///     }
/// });
/// assert_eq!(counter.with(|count| *count), 4);
/// ```
#[derive(Debug, Default)]
pub struct ThreadLock<T>(Mutex<T>);

impl<T> Lock<T> for ThreadLock<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.try_lock().unwrap_or_else(|| self.wait()))
    }
}

impl<T> ThreadLock<T> {
    #[cold]
    #[inline(never)]
    fn wait(&self) -> MutexGuard<'_, T> {
        let mut rounds = 0;
        loop {
            for _ in 0..SPINS {
                hint::spin_loop();
                // (Looking is cheaper than trying, for the holder, too.)
                if !self.0.is_locked() {
                    if let Some(guard) = self.0.try_lock() {
                        return guard;
                    }
                }
            }
            if rounds < YIELDS {
                rounds += 1;
                thread::yield_now();
            } else {
                #[cfg(test)]
                tests::NAPS.fetch_add(1, core::sync::atomic::Ordering::SeqCst);
                thread::sleep(NAP);
            }
        }
    }
}

/// How often a thread looks before it lets others run.
const SPINS: u32 = 64;

/// How often it lets others run before it sleeps.
const YIELDS: u32 = 32;

/// How long it sleeps then, again and again.
const NAP: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests;
