//! Every decision of the tier, without a lock, a clock or a connection: the time comes in as an argument.

mod found;
mod hearing;
mod life;
mod outbox;
mod wanted;

pub(crate) use found::{Found, Step, step};
pub(crate) use hearing::{Hearing, Next};
pub(crate) use life::{Life, Times, found, held, held_alone, held_unled, life_of, stale_since, unshared};
pub(crate) use outbox::{Kind, Outbox, Release, Sent};
pub(crate) use wanted::Wanted;
