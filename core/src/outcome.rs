//! What a lookup tells.

use core::{fmt, time::Duration};

use crate::{Failure, TimeLeft};

/// How a lookup came by its value.
///
/// ```
/// # use core::time::Duration;
/// # use larder::Status;
/// assert_eq!(Status::LockHit.as_str(), "lock_hit");
/// assert!(Status::Stale(Duration::from_secs(3)).is_hit());
/// assert_eq!(Status::Stale(Duration::from_secs(3)).stale(), Some(Duration::from_secs(3)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// When a fresh value was stored.
    Hit,
    /// When nothing was stored, and this caller began a load.
    Miss,
    /// When the stored value had expired, and this caller began a load.
    Expired,
    /// When this caller joined a load that another one had begun.
    LockHit,
    /// When a value was served although it had expired this long ago.
    Stale(Duration),
}

impl Status {
    /// Returns the name that logs and metrics use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Expired => "expired",
            Self::LockHit => "lock_hit",
            Self::Stale(_) => "stale",
        }
    }

    /// Tells whether this caller was spared a load of its own.
    pub const fn is_hit(&self) -> bool {
        matches!(self, Self::Hit | Self::LockHit | Self::Stale(_))
    }

    /// Returns how long ago the value expired, if it was served stale.
    pub const fn stale(&self) -> Option<Duration> {
        match self {
            Self::Stale(age) => Some(*age),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Tells the values of one key apart: each that is stored has its own, and none is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(pub(crate) u32);

/// A value and everything there is to say about how it was found.
#[derive(Clone, Debug)]
pub struct Outcome<V, E> {
    pub(crate) value: V,
    pub(crate) status: Status,
    pub(crate) age: Duration,
    pub(crate) time_left: TimeLeft,
    pub(crate) led: bool,
    pub(crate) attempt: Option<u32>,
    pub(crate) waited: Duration,
    pub(crate) generation: Option<u32>,
    pub(crate) error: Option<Failure<E>>,
}

impl<V, E> Outcome<V, E> {
    /// Returns the value.
    pub const fn value(&self) -> &V {
        &self.value
    }

    /// Gives up everything but the value.
    pub fn into_value(self) -> V {
        self.value
    }

    /// Returns how the value was found.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Returns the time since the value was published.
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Returns how much longer the value is fresh; zero if it is stale or was not stored.
    pub const fn time_left(&self) -> TimeLeft {
        self.time_left
    }

    /// Tells whether this caller began a load.
    pub const fn led(&self) -> bool {
        self.led
    }

    /// Returns the number of the attempt that answered, counted from 1 for each wave of loads of a key.
    ///
    /// `None` if the value was found or inserted.
    pub const fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// Returns how long this caller waited, from its first poll to the publication of the value.
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Returns the generation of the stored value; `None` if it was not stored.
    pub fn generation(&self) -> Option<Generation> {
        self.generation.map(Generation)
    }

    /// Returns the failure because of which a stale value was served.
    pub const fn error(&self) -> Option<&Failure<E>> {
        self.error.as_ref()
    }
}
