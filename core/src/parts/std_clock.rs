//! The system's monotonic clock.

use crate::{Clock, Instant};

/// The system's monotonic clock: it tells the time since it was made.
///
/// That is the clock of [`std::time::Instant`], read without its conversions where the system counts in nanoseconds.
///
/// ```
/// use larder::{Clock, parts::StdClock};
///
/// let clock = StdClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StdClock(u64);

impl StdClock {
    /// Starts a clock at zero.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::StdClock};
    /// let clock = StdClock::new();
    /// assert!(clock.now().saturating_since(Instant::ZERO) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(nanos())
    }
}

impl Default for StdClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for StdClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(nanos().saturating_sub(self.0))
    }
}

/// Nanoseconds since an origin that all these clocks share.
#[cfg(target_os = "linux")]
#[inline]
fn nanos() -> u64 {
    use nix::time::{ClockId, clock_gettime};

    // (Every Linux has this clock; without one, time would stand still.)
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| (time.tv_sec() as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec() as u64))
}

#[cfg(not(target_os = "linux"))]
fn nanos() -> u64 {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();

    let since = ORIGIN.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
