//! Runtimes that use an executor's waits and background tasks.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use crate::{Clock, Instant, Spawn, Timer};

/// Provides an executor's waits to caches.
///
/// It is all that an adapter has to write: [`Hosted`] makes a runtime of it. Implementors MUST ensure that the last
/// waker of a delay is woken at its end, and that no delay of a millisecond or more is over at its first poll. They
/// MUST NOT panic if no executor is at hand. A delay may end too early or too late by the clock: the waiting code
/// checks the clock again. An executor that runs tasks implements [`Spawn`] as well.
///
/// ```
/// use std::{pin::Pin, task::{Context, Poll}, thread, time::{Duration, Instant}};
/// use futures_lite::future::block_on;
/// use larder::{Cache, LoadError, OnTimeout, parts::{Host, Hosted, StdClock}};
///
/// /// Uses threads only: expensive, but correct.
/// #[derive(Clone, Copy, Default)]
/// struct Threads;
///
/// /// Ends at this time.
/// struct Nap(Instant);
///
/// impl Host for Threads {
///     type Delay = Nap;
///
///     fn delay(&self, time: Duration) -> Option<Nap> {
///         Some(Nap(Instant::now() + time))
///     }
/// }
///
/// impl Future for Nap {
///     type Output = ();
///
///     fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
///         let left = self.0.saturating_duration_since(Instant::now());
///         if left.is_zero() {
///             return Poll::Ready(());
///         }
///         let waker = cx.waker().clone();
///         thread::spawn(move || {
///             thread::sleep(left);
///             waker.wake();
///         });
///         Poll::Pending
///     }
/// }
///
/// let cache = Cache::builder(Hosted::<Threads, StdClock>::new())
///     .lock_timeout(Duration::from_millis(1), OnTimeout::Fail)
///     .load_fn(|_: u32| std::future::pending::<std::io::Result<u32>>())
///     .build()?;
/// assert!(matches!(block_on(cache.get(&7)), Err(LoadError::LockTimeout)));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub trait Host {
    /// The wait; its output is ignored.
    type Delay: Future + Unpin;

    /// Returns a future that ends after about `time`; `None` without a timer.
    ///
    /// It is called when a sleep is polled, and never for more than a day.
    fn delay(&self, time: Duration) -> Option<Self::Delay>;

    /// Returns whether the calling thread may be blocked.
    ///
    /// False if it is known to run tasks. By default it may.
    fn may_block(&self) -> bool {
        true
    }
}

/// A runtime made of an executor's waits and spawner, and any clock.
///
/// For several contexts, with the lock of `Std`; without std, with that of `Critical` if there is the feature
/// `critical-section`, and with that of [`Spin`](super::Spin) if not. A sleep never ends before the clock has reached its deadline, however
/// far the clock lags behind the executor's time. If the clock runs ahead, as one that a test moves, that is noticed when the
/// executor's own wait is over or at the next poll. If the executor has no timer at hand, deadlines are
/// noticed when a waiting call is polled after them, and a thread in `block_on` of this module looks at them by itself.
///
/// ```
/// use core::{future::Pending, time::Duration};
/// use larder::{Cache, ManualClock, parts::{Host, Hosted}};
///
/// /// Stands for an adapter's type.
/// #[derive(Clone, Default)]
/// struct Executor;
///
/// impl Host for Executor {
///     type Delay = Pending<()>;
///
///     fn delay(&self, _: Duration) -> Option<Pending<()>> {
///         None
///     }
/// }
///
/// // Your own clock on any executor.
/// let clock = ManualClock::new();
/// let cache = Cache::<u32, u32, (), _>::builder(Hosted::<Executor, _>::with_clock(clock.clone()))
///     .ttl(Duration::from_secs(60))
///     .build()?;
/// cache.insert(1, 10);
/// clock.advance(Duration::from_secs(60));
/// assert!(!cache.contains(&1));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hosted<H, C> {
    host: H,
    clock: C,
}

impl<H: Default, C: Default> Hosted<H, C> {
    /// Makes a runtime with a clock of its own.
    ///
    /// ```
    /// # use core::{future::Pending, time::Duration};
    /// # use larder::{Clock, Instant, ManualClock, parts::{Host, Hosted}};
    /// # #[derive(Default)]
    /// # struct Executor;
    /// # impl Host for Executor {
    /// #     type Delay = Pending<()>;
    /// #     fn delay(&self, _: Duration) -> Option<Pending<()>> { None }
    /// # }
    /// type Own = Hosted<Executor, ManualClock>;
    /// assert_eq!(Own::new().now(), Instant::ZERO);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }
}

impl<H: Default, C> Hosted<H, C> {
    /// Uses this clock.
    ///
    /// ```
    /// # use core::{future::Pending, time::Duration};
    /// # use larder::{Clock, Instant, ManualClock, parts::{Host, Hosted}};
    /// # #[derive(Default)]
    /// # struct Executor;
    /// # impl Host for Executor {
    /// #     type Delay = Pending<()>;
    /// #     fn delay(&self, _: Duration) -> Option<Pending<()>> { None }
    /// # }
    /// let clock = ManualClock::new();
    /// let runtime = Hosted::<Executor, _>::with_clock(clock.clone());
    /// clock.advance(Duration::from_nanos(5));
    /// assert_eq!(runtime.now(), Instant::from_nanos(5));
    /// ```
    pub fn with_clock(clock: C) -> Self {
        Self { host: H::default(), clock }
    }
}

impl<H, C: Clock> Clock for Hosted<H, C> {
    #[inline]
    fn now(&self) -> Instant {
        self.clock.now()
    }

    #[inline]
    fn about_now(&self) -> Option<Instant> {
        self.clock.about_now()
    }
}

impl<H: Host + Clone, C: Clock + Clone> Timer for Hosted<H, C> {
    type Sleep = HostedSleep<H, C>;

    fn sleep_until(&self, deadline: Instant) -> HostedSleep<H, C> {
        HostedSleep {
            runtime: self.clone(),
            deadline,
            delay: None,
            #[cfg(feature = "std")]
            wait: crate::blocked::Wait::new(),
        }
    }
}

/// The runtime whose lock it has.
#[cfg(all(not(feature = "std"), feature = "critical-section"))]
use super::Critical as Like;
#[cfg(all(not(feature = "std"), not(feature = "critical-section")))]
use super::Spin as Like;
#[cfg(feature = "std")]
use super::Std as Like;

impl<H: Host + Clone, C: Clock + Clone> crate::Runtime for Hosted<H, C> {
    type Lock<T> = <Like<Self> as crate::Runtime>::Lock<T>;
    type Notify = <Like<Self> as crate::Runtime>::Notify;
    type Threads = crate::ManyThreads;

    fn may_block(&self) -> bool {
        self.host.may_block()
    }
}

impl<H: Spawn<F>, C, F> Spawn<F> for Hosted<H, C> {
    fn spawn(&self, future: F) -> Result<(), F> {
        self.host.spawn(future)
    }
}

/// The sleep of a [`Hosted`] runtime.
///
/// ```
/// use core::{future::Pending, time::Duration};
/// use futures_lite::future::{block_on, poll_once};
/// use larder::{Instant, Timer, parts::{Host, Hosted, StdClock}};
///
/// /// Has no timer.
/// #[derive(Clone, Default)]
/// struct Bare;
///
/// impl Host for Bare {
///     type Delay = Pending<()>;
///
///     fn delay(&self, _: Duration) -> Option<Pending<()>> {
///         None
///     }
/// }
///
/// let runtime = Hosted::<Bare, StdClock>::new();
/// assert!(block_on(poll_once(runtime.sleep_until(Instant::NEVER))).is_none());
/// block_on(runtime.sleep_until(Instant::ZERO));
/// ```
#[derive(Debug)]
pub struct HostedSleep<H: Host, C> {
    runtime: Hosted<H, C>,
    deadline: Instant,
    /// `None` before the first poll, and if no timer is at hand.
    delay: Option<H::Delay>,
    /// Without a timer: a thread that blocks looks again by itself.
    #[cfg(feature = "std")]
    wait: crate::blocked::Wait,
}

/// The longest delay, so that no executor has to express more; a longer wait takes several.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// About how far a clock may lag behind the executor's time. Waiting for less again and again would be busy waiting.
const LAG: Duration = Duration::from_millis(1);

/// Nothing in it is pinned in place.
impl<H: Host, C> Unpin for HostedSleep<H, C> {}

impl<H: Host, C: Clock> Future for HostedSleep<H, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            runtime: Hosted { host, clock },
            deadline,
            delay,
            #[cfg(feature = "std")]
            wait,
        } = &mut *self;
        let mut shortest = Duration::ZERO;
        loop {
            let now = clock.now();
            if deadline.reached(now) {
                return Poll::Ready(());
            }
            if delay.is_none() {
                *delay = host.delay(deadline.saturating_since(now).clamp(shortest, LONGEST));
            }
            match delay.as_mut().map(|delay| Pin::new(delay).poll(cx)) {
                Some(Poll::Ready(_)) => (*delay, shortest) = (None, LAG),
                Some(Poll::Pending) => return Poll::Pending,
                None => {
                    #[cfg(feature = "std")]
                    wait.poll_within(deadline.saturating_since(now).clamp(LAG, LONGEST), cx.waker());
                    return Poll::Pending;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
