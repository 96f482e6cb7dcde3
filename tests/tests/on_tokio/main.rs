//! The tokio adapter on runtimes of its own kinds.

mod paused;
mod storm;
mod threads;
