//! A clock that its owner moves.

use alloc::collections::BTreeMap;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{Clock, Instant, Timer, contain::each, sync::Arc};

/// A clock and timer for tests that its owner moves.
///
/// Time passes only by [`advance`](Self::advance) or [`set`](Self::set). Clones share one time. Sleeps that end are
/// woken in the order of their deadlines. See [`testing`](crate::testing) for whole tests.
///
/// ```
/// use core::time::Duration;
/// use larder::{Cache, ManualClock, parts::Std};
///
/// let clock = ManualClock::new();
/// let cache = Cache::builder(Std::new(clock.clone()))
///     .ttl(Duration::from_secs(60))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
///     .build()?;
/// cache.insert(1, 10);
/// clock.advance(Duration::from_secs(59));
/// assert!(cache.contains(&1));
/// clock.advance(Duration::from_secs(1));
/// assert!(!cache.contains(&1));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<spin::Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Instant,
    reads: u64,
    issued: u64,
    sleeping: BTreeMap<(Instant, u64), Waker>,
}

impl ManualClock {
    /// Starts a clock at zero.
    ///
    /// ```
    /// # use larder::{Clock, Instant, ManualClock};
    /// assert_eq!(ManualClock::new().now(), Instant::ZERO);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time forward and wakes the sleeps that end by then.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, poll_once};
    /// # use larder::{Clock, Instant, ManualClock, Timer};
    /// let clock = ManualClock::new();
    /// let mut sleep = clock.sleep_until(Instant::from_nanos(5));
    /// assert!(block_on(poll_once(&mut sleep)).is_none());
    /// clock.advance(Duration::from_nanos(5));
    /// block_on(sleep);
    /// ```
    pub fn advance(&self, duration: Duration) {
        self.move_to(|now| now.saturating_add(duration));
    }

    /// Moves time to `now` and wakes the sleeps that end by then.
    ///
    /// `now` may lie in the past.
    ///
    /// ```
    /// # use larder::{Clock, Instant, ManualClock};
    /// let clock = ManualClock::new();
    /// clock.set(Instant::from_nanos(5));
    /// clock.set(Instant::from_nanos(3)); // clocks may jump
    /// assert_eq!(clock.now(), Instant::from_nanos(3));
    /// ```
    pub fn set(&self, now: Instant) {
        self.move_to(|_| now);
    }

    /// One step, so that no time is lost though several threads move it.
    fn move_to(&self, time: impl FnOnce(Instant) -> Instant) {
        let ended = {
            let mut state = self.0.lock();
            let now = time(state.now);
            state.now = now;
            let later = state.sleeping.split_off(&(Instant::from_nanos(now.as_nanos().saturating_add(1)), 0));
            mem::replace(&mut state.sleeping, later)
        };
        each(ended.into_values(), Waker::wake);
    }

    /// Returns the earliest deadline of all sleeps.
    ///
    /// A test that has nothing left to do sets the clock to it.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once};
    /// # use larder::{Clock, Instant, ManualClock, Timer};
    /// let clock = ManualClock::new();
    /// let mut sleep = clock.sleep_until(Instant::from_nanos(5));
    /// assert_eq!(clock.next_deadline(), None); // it does not sleep before its first poll
    /// assert!(block_on(poll_once(&mut sleep)).is_none());
    /// assert_eq!(clock.next_deadline(), Some(Instant::from_nanos(5)));
    /// ```
    pub fn next_deadline(&self) -> Option<Instant> {
        self.0.lock().sleeping.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Returns how often the time was read.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
    ///     .build()?;
    /// cache.insert(1, 10);
    /// let before = clock.reads();
    /// assert_eq!(cache.get_if_present(&1), Some(10));
    /// assert_eq!(clock.reads(), before); // a hit reads no time if nothing expires
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn reads(&self) -> u64 {
        self.0.lock().reads
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let mut state = self.0.lock();
        state.reads += 1;
        state.now
    }
}

impl Timer for ManualClock {
    type Sleep = ManualSleep;

    fn sleep_until(&self, deadline: Instant) -> ManualSleep {
        ManualSleep { clock: self.clone(), deadline, id: None }
    }
}

/// The sleep of a [`ManualClock`].
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::{Instant, ManualClock, Timer};
///
/// let clock = ManualClock::new();
/// let sleep = clock.sleep_until(Instant::from_nanos(5));
/// clock.set(Instant::from_nanos(5));
/// block_on(sleep);
/// ```
#[derive(Debug)]
pub struct ManualSleep {
    clock: ManualClock,
    deadline: Instant,
    id: Option<u64>,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let (poll, _displaced) = {
            let mut state = this.clock.0.lock();
            if this.deadline.reached(state.now) {
                let present = this.id.take().and_then(|id| state.sleeping.remove(&(this.deadline, id)));
                (Poll::Ready(()), present)
            } else {
                let id = *this.id.get_or_insert_with(|| {
                    state.issued += 1;
                    state.issued
                });
                (Poll::Pending, state.sleeping.insert((this.deadline, id), waker))
            }
        };
        poll
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        let _waker = self.id.and_then(|id| self.clock.0.lock().sleeping.remove(&(self.deadline, id)));
    }
}

#[cfg(test)]
mod tests;
