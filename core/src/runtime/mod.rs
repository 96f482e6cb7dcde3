//! What a host lends: time, locks, wakers' lists, a place for background work, and whether things move between threads.

mod host;
mod threads;

pub use host::{Clock, Lock, Notify, Runtime, Spawn, Timer};
pub use threads::{Keeps, ManyThreads, OneThread, Stores, Takes, Threads};
