//! The tokio adapter on tokio's own kinds of runtimes.

mod paused;
mod storm;
mod threads;
mod waits;
