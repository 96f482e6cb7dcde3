//! The standard library's monotonic clock.

use crate::{Clock, Instant};

/// Tells the time since it was made, by [`std::time::Instant`].
///
/// ```
/// use larder::{Clock, parts::StdClock};
///
/// let clock = StdClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StdClock(std::time::Instant);

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
        Self(std::time::Instant::now())
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
        Instant::ZERO.saturating_add(self.0.elapsed())
    }
}
