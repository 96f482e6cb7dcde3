//! How to test what depends on time: with a clock of one's own, and without any runtime.
//!
//! A cache takes its time from the runtime that it is built on. One around a [`ManualClock`](crate::ManualClock) stands
//! still until the test moves it: [`advance`](crate::ManualClock::advance) lets lifetimes pass, and
//! [`set`](crate::ManualClock::set) to the [`next_deadline`](crate::ManualClock::next_deadline) ends whatever is waited
//! for next. Nothing sleeps, so a day takes no time, and nothing is left to chance: an age or a wait is what the test says,
//! to the nanosecond.
//!
//! Code that is to be tested like this takes its runtime from an alias, or as a parameter, `R: Runtime<Threads =
//! ManyThreads>`. Code that spawns tasks takes its clock alone as one: on tokio that is `Hosted<CurrentRuntime, C>`, where
//! `C: Clock + Clone + Send + Sync + 'static`. On tokio a paused runtime does the same without either. This is the whole of
//! `examples/own_clock.rs`:
//!
//! ```
#![doc = include_str!("../examples/own_clock.rs")]
//! ```
