//! Lookups of many keys at once.

mod alone;
mod answers;
mod bounded;
mod cancelled;
mod deadlines;
mod departed;
mod each;
mod ended_inside;
mod inside;
mod linear;
mod once;
mod one_sleep;
mod storm;
mod surplus;
mod threads;
mod wakes;
