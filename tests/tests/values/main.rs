//! Which values are kept, for how long, and what changes them.

mod aged;
mod bounds;
mod capacity;
mod compute;
mod distrust;
mod early_refresh;
mod ended;
mod equal_hashes;
mod expiry;
mod from_begin;
mod idle;
mod jitter;
mod jumps;
mod long_calls;
mod long_stops;
mod looked_after;
mod own_limits;
mod preallocated;
mod present;
mod refresh;
mod remove_if;
mod room;
mod stale;
mod store;
mod until;
mod writes;
