//! How to test code that depends on time: with a manual clock, and without any runtime.
//!
//! A cache takes its time from the runtime that it is built on. A runtime around a [`ManualClock`](crate::ManualClock)
//! stands still until the test moves it: [`advance`](crate::ManualClock::advance) lets lifetimes pass, and
//! [`set`](crate::ManualClock::set) to the [`next_deadline`](crate::ManualClock::next_deadline) ends the next wait.
//! Nothing sleeps, so a day takes no time, and nothing is left to chance: an age or a wait is exactly what the test
//! sets, to the nanosecond.
//!
//! Code that is to be tested like this takes its runtime from an alias, or as a parameter, `R: Runtime<Threads =
//! ManyThreads>`. Code that spawns tasks takes only its clock as a parameter: on tokio that is `Hosted<CurrentRuntime,
//! C>`, where `C: Clock + Clone + Send + Sync + 'static`. On tokio a paused runtime does the same without either. This
//! is all of `examples/own_clock.rs`:
//!
//! ```
#![doc = include_str!("../examples/own_clock.rs")]
//! ```
