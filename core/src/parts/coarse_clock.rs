//! The operating system's coarse monotonic clock.

use crate::{Clock, Instant};

/// A clock that is cheaper to read and a few milliseconds behind.
///
/// It tells the time since it was made. A hit reads the clock wherever anything may expire, and is faster by that much.
/// Lives and waits get longer by as much as the clock lags.
/// While the machine sleeps it stands still on Linux, and keeps running on macOS and Windows.
///
/// ```
/// use larder::{Clock, parts::CoarseClock};
///
/// let clock = CoarseClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CoarseClock(coarsetime::Instant);

impl CoarseClock {
    /// Starts a clock at [`Instant::START`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::CoarseClock};
    /// let clock = CoarseClock::new();
    /// assert!(clock.now().saturating_since(Instant::START) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(coarsetime::Instant::now_without_cache_update())
    }
}

impl Default for CoarseClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for CoarseClock {
    #[inline]
    fn now(&self) -> Instant {
        // Does not update coarsetime's cached time: all threads of the process share it, and it is not read here.
        let now = coarsetime::Instant::now_without_cache_update();
        Instant::from_nanos(Instant::START.as_nanos().wrapping_add(now.duration_since(self.0).as_nanos()))
    }
}
