//! Callers that wait for one load: which leads, which follow, and which leave.

mod abandoned;
mod after_a_write;
mod at_once;
mod budget;
mod burst;
mod cancellation;
mod held_back;
mod interleavings;
mod leaving;
mod lent_after_a_write;
mod lent_ends;
mod lock_age;
mod lock_timeout;
mod locks;
mod private;
mod private_leaving;
mod private_many;
mod progress;
mod reentrancy;
mod same_instant;
mod sharing;
mod takeover;
mod wakes;
