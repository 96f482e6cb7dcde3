//! Errors, panics and hostile code, threads and long random runs.

mod at_once;
mod callbacks;
mod clocks;
mod drops;
mod error_ttl_by;
mod errors;
mod hostile;
mod no_timer;
mod panic;
mod private;
mod stress;
mod threads;
mod traps;
mod twice;
mod unwound;
