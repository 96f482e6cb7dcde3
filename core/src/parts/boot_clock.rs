//! The system's clock that keeps running while the machine sleeps, and its wall clock.

use core::time::Duration;

use crate::{Clock, Instant};

/// A clock that keeps running while the machine sleeps.
///
/// It tells the time since it was made. It is for values that must not live longer because a laptop, a phone or a virtual
/// machine was suspended: tokens, leases, and whatever [ends by a wall clock](crate::Ttl::until). What has expired during
/// the sleep is expired at the first look after it. Waits (lock timeouts, budgets) may still be longer by that time, as
/// most timers stand still.
///
/// | | what it reads |
/// |---|---|
/// | Linux, Android | `CLOCK_BOOTTIME` |
/// | macOS, iOS and their kin | `CLOCK_MONOTONIC`, which keeps running there |
/// | Windows | the clock of [`StdClock`](super::StdClock), which keeps running there |
/// | others | the same, which may stand still: see the system's manual for `CLOCK_MONOTONIC` |
///
/// ```
/// use core::time::Duration;
/// use larder::{Cache, parts::{BootClock, NoTimer, Std}};
///
/// let leases = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(NoTimer::new(BootClock::new())))
///     .ttl(Duration::from_secs(60))
///     .build()?;
/// leases.insert(1, 10);
/// assert!(leases.contains(&1));
/// # Ok::<(), larder::ConfigError>(())
/// ```
///
/// On an executor it takes the place of the adapter's clock, as in `Hosted::<CurrentRuntime, BootClock>::new()` on tokio.
#[derive(Clone, Copy, Debug)]
pub struct BootClock(
    /// How far it is ahead of the system's, modulo 2^64.
    u64,
);

impl BootClock {
    /// Starts a clock at [`Instant::START`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::BootClock};
    /// let clock = BootClock::new();
    /// assert!(clock.now().saturating_since(Instant::START) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(Instant::START.as_nanos().wrapping_sub(nanos()))
    }
}

impl Default for BootClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for BootClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(nanos().wrapping_add(self.0))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const ID: nix::time::ClockId = nix::time::ClockId::CLOCK_BOOTTIME;
/// (On these, this one keeps running.)
#[cfg(target_vendor = "apple")]
const ID: nix::time::ClockId = nix::time::ClockId::CLOCK_MONOTONIC;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn nanos() -> u64 {
    super::std_clock::nanos_by(ID)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn nanos() -> u64 {
    super::std_clock::nanos()
}

/// Returns the time since the beginning of 1970 (UTC), by the system's wall clock.
///
/// For [`Builder::wall_clock`](crate::Builder::wall_clock). Zero if the system's clock is set to an earlier time.
///
/// ```
/// use core::time::Duration;
/// use larder::parts::wall_time;
///
/// assert!(wall_time() > Duration::from_secs(1_700_000_000));
/// ```
pub fn wall_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
