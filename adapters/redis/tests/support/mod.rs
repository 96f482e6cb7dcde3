//! Real servers, and what stands between them and us.

#![allow(dead_code, reason = "no test and no program uses all of it")]
#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod relay;
mod server;

pub(crate) use relay::Relay;
pub(crate) use server::Server;

/// Returns any number below `end`.
pub(crate) fn random(end: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(()) % end
}
