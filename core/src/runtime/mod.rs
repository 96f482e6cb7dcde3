//! What a host provides: time, locks, lists of wakers, and a place for background work.

mod host;

pub use host::{Clock, Lock, Notify, Runtime, Spawn, Timer};
