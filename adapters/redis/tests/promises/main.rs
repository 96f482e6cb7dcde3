//! The promises of the tier, T1 to T12, against a real server; each test names the one that it holds.
//!
//! The server lets values, leases and failures expire by its own clock, so a test that needs them to be over sleeps in
//! real time. What needs no server is tested in virtual time, within the crate.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

#[path = "../support/mod.rs"]
mod support;

mod batches;
mod bounds;
mod budgets;
mod handles;
mod hearing;
mod leases;
mod node;
mod panics;
mod reloads;
mod settings;
mod sharing;
mod table;
mod values;
mod writes;
