//! Locks for each kind of target.

use core::cell::RefCell;

use crate::Lock;

/// For one thread: a cache of such cells is not `Sync`, and need not hold `Send` values.
impl<T> Lock<T> for RefCell<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.borrow_mut())
    }
}

/// For several contexts without an operating system. Never take it in an interrupt.
impl<T> Lock<T> for spin::Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock())
    }
}

/// For threads. Poisoning is ignored: everything that a panic under the lock can reach stays consistent.
#[cfg(feature = "std")]
impl<T> Lock<T> for std::sync::Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The core's own lock, for what caches of different runtimes share, or what belongs to no runtime.
#[cfg(feature = "std")]
pub(crate) type OwnLock<T> = std::sync::Mutex<T>;
/// An interrupt may use a cache if that cache's locks allow it, so it must be able to take this lock.
#[cfg(all(feature = "critical-section", not(feature = "std")))]
pub(crate) type OwnLock<T> = CriticalLock<T>;
#[cfg(all(not(feature = "critical-section"), not(feature = "std")))]
pub(crate) type OwnLock<T> = spin::Mutex<T>;

/// A lock for bare metal that an interrupt may take as well.
///
/// Interrupts wait while it is held. The program has to provide an implementation of the `critical-section` crate.
///
/// ```no_run
/// use larder::{Lock, parts::CriticalLock};
///
/// let counter = CriticalLock::new(1);
/// counter.with(|count| *count += 1);
/// ```
#[cfg(feature = "critical-section")]
pub struct CriticalLock<T>(critical_section::Mutex<RefCell<T>>);

#[cfg(feature = "critical-section")]
impl<T> CriticalLock<T> {
    /// Returns a lock around this value; usable for a static.
    ///
    /// ```
    /// static COUNTER: larder::parts::CriticalLock<u32> = larder::parts::CriticalLock::new(1);
    /// ```
    pub const fn new(value: T) -> Self {
        Self(critical_section::Mutex::new(RefCell::new(value)))
    }
}

#[cfg(feature = "critical-section")]
impl<T> Lock<T> for CriticalLock<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        critical_section::with(|section| f(&mut self.0.borrow_ref_mut(section)))
    }
}
