//! Lookups of many keys at once.

mod answers;
mod cancelled;
mod deadlines;
mod inside;
mod storm;
mod threads;
mod wakes;
