//! The system's monotonic clock.

use crate::{Clock, Instant};

/// The system's monotonic clock: it tells the time since it was made.
///
/// That is the clock of [`std::time::Instant`], read without its conversions where the system counts in nanoseconds.
/// While the machine sleeps it stands still on Linux, Android and macOS, and keeps running on Windows;
/// [`BootClock`](super::BootClock) keeps running on all of them. On Linux,
/// [`about_now`](Clock::about_now) is some milliseconds behind, and costs about a third.
///
/// ```
/// use larder::{Clock, parts::StdClock};
///
/// let clock = StdClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StdClock(
    /// How far it is ahead of the system's, modulo 2^64.
    u64,
);

impl StdClock {
    /// Starts a clock at [`Instant::START`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::StdClock};
    /// let clock = StdClock::new();
    /// assert!(clock.now().saturating_since(Instant::START) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(Instant::START.as_nanos().wrapping_sub(nanos()))
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
        Instant::from_nanos(nanos().wrapping_add(self.0))
    }

    #[cfg(target_os = "linux")]
    #[inline]
    fn about_now(&self) -> Option<Instant> {
        let nanos = nanos_by(nix::time::ClockId::CLOCK_MONOTONIC_COARSE);
        Some(Instant::from_nanos(nanos.wrapping_add(self.0)))
    }
}

/// Nanoseconds since an origin that all these clocks share.
#[cfg(target_os = "linux")]
#[inline]
pub(super) fn nanos() -> u64 {
    nanos_by(nix::time::ClockId::CLOCK_MONOTONIC)
}

/// (Each of these systems has the clocks that it is asked for; without one, time would stand still.)
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
#[inline]
pub(super) fn nanos_by(clock: nix::time::ClockId) -> u64 {
    nix::time::clock_gettime(clock)
        .map_or(0, |time| (time.tv_sec() as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec() as u64))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn nanos() -> u64 {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();

    let since = ORIGIN.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
