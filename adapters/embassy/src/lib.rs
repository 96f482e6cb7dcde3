//! Larder on Embassy: all of [`larder`], and [`Embassy`], a runtime with the clock and the timers of `embassy-time`.
//!
//! ```
//! use embassy_time::Timer;
//! use larder_embassy::{Cache, Embassy};
//! use std::time::Duration;
//!
//! # futures_lite::future::block_on(async {
//! let cache = Cache::<u32, u32, u8>::builder(Embassy::new())
//!     .capacity(16)
//!     .hash_seed(7) // from the noise of an input, if strangers choose the keys
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|register: u32| async move {
//!         Timer::after_millis(2).await; // in place of a bus
//!         Ok(2 * register)
//!     })
//!     .build()?;
//! assert_eq!(cache.get(&21).await.ok(), Some(42));
//! # Ok::<(), larder_embassy::ConfigError>(())
//! # }).unwrap();
//! ```
//!
//! A cache may be a `static`, and be used by executors of several interrupt priorities: its locks are critical sections,
//! held for the time of a table lookup. A load is polled from the task of whichever waiting caller is polled.
//!
//! Embassy's tasks are static, so a program that lets caches work in the background starts one task that does all of it:
//! see [`background`].
//!
#![doc = include_str!("../map.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::{
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    task::{Poll, Waker},
    time::Duration,
};

pub use ::larder;
use larder::parts::{CriticalLock, Host, Hosted};
pub use larder::*;

/// Embassy as a runtime for caches: its clock, its timers, and [`background`].
///
/// Waits are as exact as a tick of `embassy-time`. Its queue has room for 16 timers at once. With more, each that is set
/// wakes another one too early, which is then set again: the processor does not rest until they are fewer. Each call that
/// waits with a deadline takes one, however many keys it is for; another feature `generic-queue-N` of `embassy-time`
/// makes the queue larger.
///
/// ```
/// use larder_embassy::{Cache, Embassy, LoadError, OnTimeout};
/// use std::time::Duration;
///
/// let cache = Cache::<u32, u32, u8>::builder(Embassy::new())
///     .lock_timeout(Duration::from_millis(1), OnTimeout::Fail)
///     .load_fn(|_: u32| std::future::pending())
/// #   .hash_seed(7)
///     .build()?;
/// assert!(matches!(futures_lite::future::block_on(cache.get(&7)), Err(LoadError::LockTimeout)));
/// # Ok::<(), larder_embassy::ConfigError>(())
/// ```
pub type Embassy = Hosted<Tasks, Ticks>;

/// A cache on [`Embassy`].
pub type Cache<K, V, E> = larder::Cache<K, V, E, Embassy>;

/// A lazy slot on [`Embassy`].
pub type LazySlot<V, E> = larder::LazySlot<V, E, Embassy>;

/// A write-back cache on [`Embassy`].
pub type WriteBack<K, V, E> = larder::WriteBack<K, V, E, Embassy>;

/// The clock of `embassy-time`, which begins at [`Instant::START`] with the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ticks;

impl Clock for Ticks {
    fn now(&self) -> Instant {
        Instant::START.saturating_add(Duration::from_micros(embassy_time::Instant::now().as_micros()))
    }
}

/// The timers of `embassy-time`, and the task of [`background`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Tasks;

impl Host for Tasks {
    type Delay = embassy_time::Timer;

    fn delay(&self, time: Duration) -> Option<embassy_time::Timer> {
        // (What is left of a microsecond counts as one, or a wait could end too early again and again.)
        let micros = time.as_secs() * 1_000_000 + u64::from(time.subsec_nanos().div_ceil(1_000));
        Some(embassy_time::Timer::after_micros(micros))
    }
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What caches have handed over to the task that does it.
struct Jobs {
    /// Wakes that task; none where there is none.
    task: Option<Waker>,
    waiting: Vec<Job>,
}

static JOBS: CriticalLock<Jobs> = CriticalLock::new(Jobs { task: None, waiting: Vec::new() });

/// Does what caches do in the background: finishes abandoned loads, and refreshes.
///
/// To be run by one task, from the start of the program; where it does not run, what would be spawned is refused and
/// done by callers. Where panics unwind, as they do not on a board, a load that panics ends this task and all that it was
/// doing.
///
/// ```
/// #[embassy_executor::task]
/// async fn in_the_background() {
///     larder_embassy::background().await
/// }
/// ```
pub async fn background() -> ! {
    struct Ends;

    impl Drop for Ends {
        fn drop(&mut self) {
            let _gone = JOBS.with(|jobs| (jobs.task.take(), mem::take(&mut jobs.waiting)));
        }
    }

    let _ends = Ends;
    let mut under_way = Vec::<Job>::new();
    poll_fn(|cx| {
        let waker = cx.waker().clone();
        let (_former, mut new) = JOBS.with(|jobs| (jobs.task.replace(waker), mem::take(&mut jobs.waiting)));
        under_way.append(&mut new);
        under_way.retain_mut(|job| job.as_mut().poll(cx).is_pending());
        Poll::Pending
    })
    .await
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Tasks {
    fn spawn(&self, future: F) -> Result<(), F> {
        let mut job = Some(Box::new(future));
        let task = JOBS.with(|jobs| {
            let task = jobs.task.clone()?;
            jobs.waiting.extend(job.take().map(Box::into_pin).map(|job| job as Job));
            Some(task)
        });
        task.into_iter().for_each(Waker::wake);
        job.map_or(Ok(()), |future| Err(*future))
    }
}
