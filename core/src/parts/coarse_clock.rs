//! The operating system's coarse monotonic clock.

use coarsetime::Duration;

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
pub struct CoarseClock(
    /// How far it is ahead of the system's, in ticks, modulo 2^64.
    u64,
);

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
        // A second more, as ticks are rounded down.
        let start = Duration::from_secs(Instant::START.as_nanos() / 1_000_000_000 + 1).as_ticks();
        Self(start.wrapping_sub(ticks()))
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
        Instant::from_nanos(Duration::from_ticks(ticks().wrapping_add(self.0)).as_nanos())
    }
}

/// What the system shows. It leaves coarsetime's cached time alone: all threads of the process share that, and it is not
/// read here.
#[inline]
fn ticks() -> u64 {
    coarsetime::Instant::now_without_cache_update().as_ticks()
}
