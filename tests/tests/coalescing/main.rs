//! Callers who wait for one load: who leads, who follows, and who leaves.

mod abandoned;
mod at_once;
mod budget;
mod cancellation;
mod interleavings;
mod leaving;
mod lock_age;
mod lock_timeout;
mod progress;
mod reentrancy;
mod sharing;
mod takeover;
mod wakes;
