//! What a call does when there is no room.

use core::time::Duration;

use crate::Instant;

/// What a call does when all entries are pinned and it needs a place.
///
/// A place that a load under way has spoken for is as good as pinned.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::{block_on, poll_once};
/// use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
///
/// let (clock, disk) = (ManualClock::new(), Memory::from([(1, "one"), (2, "two")]));
/// let cache = WriteBack::builder(Std::new(clock.clone()), disk).capacity(1).build()?;
/// let page = block_on(cache.get_or_load(&1))?;
/// let mut get = Box::pin(cache.get_or_load_with(&2, Room::Within(Duration::from_secs(1))));
/// assert!(block_on(poll_once(&mut get)).is_none());
/// clock.advance(Duration::from_secs(1));
/// assert!(matches!(block_on(get), Err(WriteBackError::Full)));
/// # drop(page);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// When it waits until a handle is dropped, after those who have waited for longer; the default.
    Wait,
    /// When it fails at once.
    Try,
    /// When it waits, and fails after so long.
    Within(Duration),
}

/// Until when a call waits for room.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    Endless,
    None,
    Until(Instant),
}

impl Room {
    pub(super) fn patience(self, now: impl FnOnce() -> Instant) -> Patience {
        match self {
            Self::Wait => Patience::Endless,
            Self::Try => Patience::None,
            Self::Within(time) => Patience::Until(now().saturating_add(time)),
        }
    }
}
