//! The clock of the system that goes on while the machine sleeps, and that of the wall.

use core::time::Duration;

use crate::{Clock, Instant};

/// Tells the time since it was made, and goes on while the machine sleeps.
///
/// For lifetimes that a laptop, a phone or a suspended virtual machine must not outlive: those of tokens and leases, and
/// ends [by a wall clock](crate::Ttl::until). Where the machine was suspended, what has expired meanwhile is expired at the
/// first look after it. Waits may be longer by the time it slept, as those of most timers stand still: lock timeouts, budgets.
///
/// | | what it reads |
/// |---|---|
/// | Linux, Android | `CLOCK_BOOTTIME` |
/// | macOS, iOS and their kin | `CLOCK_MONOTONIC`, which goes on there |
/// | Windows | the clock of [`StdClock`](super::StdClock), which goes on there |
/// | others | that one, which may stand still: ask the system's manual of `CLOCK_MONOTONIC` |
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
pub struct BootClock(u64);

impl BootClock {
    /// Starts a clock at zero.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Clock, Instant, parts::BootClock};
    /// let clock = BootClock::new();
    /// assert!(clock.now().saturating_since(Instant::ZERO) < Duration::from_secs(60));
    /// ```
    pub fn new() -> Self {
        Self(nanos())
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
        Instant::from_nanos(nanos().saturating_sub(self.0))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const ID: nix::time::ClockId = nix::time::ClockId::CLOCK_BOOTTIME;
/// (On these, that goes on.)
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
/// For [`Builder::wall_clock`](crate::Builder::wall_clock). Zero on a machine that believes to be in an earlier time.
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
