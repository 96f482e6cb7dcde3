//! Ready-made parts: locks, lists of wakers, clocks, and runtimes composed of them.
//!
//! | you have | take |
//! |---|---|
//! | one thread, values that are not `Send` | [`Local`] |
//! | several contexts and no operating system | [`Spin`]; with interrupts or priorities among them, `Critical` |
//! | the standard library | `Std` |
//! | an executor with its own timer and tasks | [`Hosted`], around a [`Host`]: what the adapters do |
//! | a timer of your own | any of them, around your [`Timer`](crate::Timer) |
//! | a clock but no timer | the same, around [`NoTimer`] |
//!
//! ```
//! use larder::{Cache, parts::{NoTimer, Std, StdClock}};
//!
//! // For threads, with the clock of the standard library and no timer: deadlines are noticed at the next poll.
//! let runtime = Std::new(NoTimer::new(StdClock::new()));
//! let cache = Cache::<u32, String, std::io::Error, _>::builder(runtime).build()?;
//! # cache.insert(7, String::from("user 7"));
//! # Ok::<(), larder::ConfigError>(())
//! ```

mod hosted;
mod lock;
mod manual;
mod memory;
mod no_timer;
mod runtimes;
mod waker_list;

#[cfg(feature = "std")]
mod boot_clock;
#[cfg(feature = "coarse-clock")]
mod coarse_clock;
#[cfg(feature = "event-listener")]
mod event;
#[cfg(feature = "std")]
mod std_clock;
#[cfg(feature = "std")]
mod thread;
#[cfg(feature = "std")]
mod thread_lock;

#[cfg(feature = "std")]
pub use boot_clock::{BootClock, wall_time};
#[cfg(feature = "coarse-clock")]
pub use coarse_clock::CoarseClock;
#[cfg(feature = "event-listener")]
pub use event::{EventNotify, Listening};
pub use hosted::{Host, Hosted, HostedSleep};
#[cfg(feature = "critical-section")]
pub use lock::CriticalLock;
pub(crate) use lock::OwnLock;
pub use manual::{ManualClock, ManualSleep};
pub use memory::{Memory, NotThere};
pub use no_timer::{NoTimer, Unwoken};
#[cfg(feature = "critical-section")]
pub use runtimes::Critical;
#[cfg(feature = "std")]
pub use runtimes::Std;
pub use runtimes::{Local, Spin};
#[cfg(feature = "std")]
pub use std_clock::StdClock;
#[cfg(feature = "std")]
pub use thread::{ThreadSleep, ThreadTimer, block_on};
#[cfg(feature = "std")]
pub use thread_lock::ThreadLock;
pub use waker_list::{Ticket, WakerList, Wakers};
