//! What a host lends: time, locks, wakers' lists, and a place for background work.

mod host;

pub use host::{Clock, Lock, Notify, Runtime, Spawn, Timer};
