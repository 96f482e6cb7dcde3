//! Lookups of many keys at once.

mod alone;
mod answers;
mod cancelled;
mod deadlines;
mod inside;
mod storm;
mod surplus;
mod threads;
mod wakes;
