//! Larder on tokio: the whole of [`larder`], and [`Tokio`], which lends it tokio's clock, timer and spawner.
//!
//! ```
//! use std::time::Duration;
//! use larder_tokio::{Cache, Tokio};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = Cache::builder(Tokio::new())
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|name: String| async move { Ok::<_, std::io::Error>(name.len()) })
//!     .build()?;
//! assert_eq!(cache.get("larder").await?, 6);
//! # Ok(())
//! # }
//! ```
//!
//! A load is polled from the task of whichever waiting caller is polled, so its task-locals, spans and cooperative budget
//! are that task's.

#![forbid(unsafe_code)]

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::sync::Mutex;

use larder::parts::{NoTimer, Unwoken, WakerList, Wakers};
pub use larder::*;
use tokio::{runtime::Handle, time};

/// Tokio as a runtime for caches: its clock, its timer, and its spawner where a runtime is at hand.
///
/// The clock is tokio's own, so that a paused runtime moves lifetimes and timeouts as well. Where no runtime is at hand,
/// nothing panics: deadlines are then noticed when somebody is polled, and what was to be spawned is handed back. A runtime
/// that is at hand must have its timers enabled, as for any wait of tokio's. They have the precision of a millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Tokio {
    origin: time::Instant,
}

impl Tokio {
    /// Starts a clock at zero.
    pub fn new() -> Self {
        Self { origin: time::Instant::now() }
    }
}

impl Clock for Tokio {
    #[inline]
    fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(time::Instant::now().saturating_duration_since(self.origin))
    }
}

/// [`Tokio`] with a clock that is cheaper to read and a few milliseconds coarse.
///
/// It reads the operating system's coarse monotonic clock, so a paused runtime does not move it.
#[derive(Clone, Copy, Debug)]
pub struct CoarseTokio {
    origin: coarsetime::Instant,
}

impl CoarseTokio {
    /// Starts a clock at zero.
    pub fn new() -> Self {
        Self { origin: coarsetime::Instant::now() }
    }
}

impl Clock for CoarseTokio {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(coarsetime::Instant::now().duration_since(self.origin).as_nanos())
    }
}

/// What the two have in common: all but the clock.
macro_rules! on_tokio {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Timer for $name {
            type Sleep = Sleep<Self>;

            fn sleep_until(&self, deadline: Instant) -> Sleep<Self> {
                Sleep::new(*self, deadline)
            }
        }

        impl Runtime for $name {
            type Lock<T> = Mutex<T>;
            type Notify = WakerList<Mutex<Wakers>>;
        }

        impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for $name {
            fn spawn(&self, future: F) -> Result<(), F> {
                match Handle::try_current() {
                    Ok(runtime) => {
                        runtime.spawn(future);
                        Ok(())
                    }
                    Err(_) => Err(future),
                }
            }
        }
    )*};
}

on_tokio!(Tokio, CoarseTokio);

/// The sleep of [`Tokio`] and [`CoarseTokio`].
#[derive(Debug)]
pub struct Sleep<C> {
    clock: Unwoken<C>,
    /// `None` where no runtime is at hand.
    timer: Option<Pin<Box<time::Sleep>>>,
}

impl<C: Clock + Copy + Unpin> Sleep<C> {
    fn new(clock: C, deadline: Instant) -> Self {
        let left = deadline.saturating_since(clock.now());
        let timer = Handle::try_current().ok().map(|_| Box::pin(time::sleep(left)));
        Self { clock: NoTimer::new(clock).sleep_until(deadline), timer }
    }
}

impl<C: Clock + Unpin> Future for Sleep<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { clock, timer, .. } = &mut *self;
        while Pin::new(&mut *clock).poll(cx).is_pending() {
            match timer.as_mut().map(|timer| timer.as_mut().poll(cx)) {
                // A coarse clock lags behind the timer: a little longer, then.
                Some(Poll::Ready(())) => *timer = Some(Box::pin(time::sleep(TICK))),
                _ => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

/// About how far a coarse clock lags.
const TICK: Duration = Duration::from_millis(1);

/// The examples of the README, compiled.
#[doc = include_str!("../../../README.md")]
#[cfg(doctest)]
struct ReadmeDoctests;
