//! What is kept, for how long, and what changes it.

mod bounds;
mod capacity;
mod compute;
mod early_refresh;
mod equal_hashes;
mod expiry;
mod idle;
mod jitter;
mod jumps;
mod long_calls;
mod looked_after;
mod own_limits;
mod refresh;
mod remove_if;
mod room;
mod stale;
mod store;
mod writes;
