//! A clock that its owner moves by hand.

use alloc::{collections::BTreeMap, sync::Arc};
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::waker_list::wake_all;
use crate::{Clock, Instant, Timer};

/// A clock and timer for tests: time passes only when [`advance`](Self::advance) or [`set`](Self::set) says so.
///
/// Clones share one time. Sleeps that end are woken in the order of their deadlines.
///
/// ```
/// use core::time::Duration;
/// use larder::{Clock, Instant, ManualClock};
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_nanos(5));
/// assert_eq!(clock.now(), Instant::from_nanos(5));
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
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time forward and wakes the sleeps that end by then.
    pub fn advance(&self, duration: Duration) {
        let now = self.0.lock().now.saturating_add(duration);
        self.set(now);
    }

    /// Moves time to `now`, which may lie in the past, and wakes the sleeps that end by then.
    pub fn set(&self, now: Instant) {
        let ended = {
            let mut state = self.0.lock();
            state.now = now;
            let later = state.sleeping.split_off(&(Instant::from_nanos(now.as_nanos().saturating_add(1)), 0));
            mem::replace(&mut state.sleeping, later)
        };
        wake_all(ended.into_values());
    }

    /// Returns the earliest deadline that somebody sleeps for.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.0.lock().sleeping.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Returns how often the time was asked for.
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
