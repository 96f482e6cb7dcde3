//! What a call does when there is no room.

use core::{future::Future, pin::Pin, task::Context, time::Duration};

use crate::{Instant, Runtime};

/// What a call does when room has to be made for it.
///
/// That is if all entries are pinned, or what is to leave has to be flushed. A place that is reserved by a load under
/// way counts as pinned.
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
    /// It waits until a handle is dropped, after those that have waited longer; the default.
    Wait,
    /// It fails at once, also if room needs a flush that is not ready at once.
    Try,
    /// It waits, and fails after this long, even if a flush is under way.
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

/// The end of a call's wait, and the timer that wakes it then.
pub(super) struct Deadline<R: Runtime> {
    pub(super) patience: Patience,
    pub(super) sleep: Option<R::Sleep>,
    #[cfg(feature = "std")]
    wait: crate::blocked::Wait,
}

impl<R: Runtime> Deadline<R> {
    pub(super) const fn new(patience: Patience) -> Self {
        Self {
            patience,
            sleep: None,
            #[cfg(feature = "std")]
            wait: crate::blocked::Wait::new(),
        }
    }

    /// Returns whether the wait is over, or sets the wake for its end.
    pub(super) fn is_over(&mut self, runtime: &R, cx: &mut Context<'_>) -> bool {
        let deadline = match self.patience {
            Patience::Endless => return false,
            Patience::None => return true,
            Patience::Until(deadline) => deadline,
        };
        #[cfg(feature = "std")]
        if self.wait.is_over(deadline, cx.waker(), || runtime.now()) {
            return true;
        }
        let sleep = self.sleep.get_or_insert_with(|| runtime.sleep_until(deadline));
        Pin::new(sleep).poll(cx).is_ready()
    }
}
