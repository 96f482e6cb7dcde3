//! The shared code of the tests: the harness of the acceptance tests, and the recorded traces.
//!
//! * [`Sim`] polls callers one by one in virtual time and records what each of them saw.
//! * [`Loads`] is a loader that follows a [`Script`]: how long a load takes and how it ends.
//! * [`Batches`] is the same for loads of many keys, and a [`Slot`] is fetched by a script.
//! * [`Host`] names a runtime of the core's own parts; [`on_every_runtime!`] runs a generic test on each.
//! * The tests that adapters have to pass are a package of their own: [`larder_conformance`].
//! * [`memory`] counts live bytes, [`locks`] counts locks, [`wakers`] has wakers that count, record and misbehave.
//! * [`traces`], [`logs`], [`replay`], [`min`] and [`goals`]: hit ratios on recorded traffic.

extern crate alloc;

pub use alloc::{
    rc::{Rc, Weak},
    sync::Arc,
    task::Wake,
};
pub use core::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

mod asking;
mod batches;
mod disk;
pub mod frames;
pub mod goals;
pub mod growth;
mod hashing;
mod hosts;
mod loads;
mod locks;
pub mod logs;
pub mod memory;
pub mod min;
mod queue;
mod random;
pub mod replay;
mod script;
mod sim;
mod slots;
mod spawning;
mod time;
pub mod traces;
mod traps;

pub use batches::{BatchLoad, Batched, Batches, Said};
pub use disk::{Disk, Io, told};
pub use hashing::Same;
pub use hosts::{Host, run, with_seed};
pub use larder_conformance::{Answer, Bang, Boom, Here, V, assert_clean, assert_sums, wakers, why};
pub use loads::{Fetcher, Loads, PlainLoad, Revalidator, ScriptLoad};
pub use locks::{
    Counted, CountedList, CountedLock, Sleeps, Steps, distinct_locks, handle, locks, miss_lock_after, most_handled,
    most_moved, when_read,
};
pub use random::Random;
pub use script::{Gate, Play, Script, after, never, polls, ready, steps};
pub use sim::{BatchSetup, Saw, Scripted, Setup, Sim, Ticket};
pub use slots::{Sightings, Slot, SlotSetup};
pub use spawning::Spawning;
pub use time::{Tells, Time, ms, sleep};
pub use traps::{arm, calm, is_armed, strike, strike_in_drop};

/// The examples of the README, compiled.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
struct ReadmeDoctests;
