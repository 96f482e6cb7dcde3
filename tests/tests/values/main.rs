//! What is kept, for how long, and what changes it.

mod bounds;
mod capacity;
mod compute;
mod early_refresh;
mod equal_hashes;
mod expiry;
mod idle;
mod jitter;
mod looked_after;
mod refresh;
mod stale;
mod store;
mod writes;
