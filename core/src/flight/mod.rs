//! What becomes of the loads of one key: pure decisions about attempts and seats, without keys, values or errors.

mod attempt;
mod decide;
mod polled_by;
mod wait_list;

#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use attempt::Start;
pub(crate) use attempt::{Attempt, Terms};
pub(crate) use decide::{Failing, Flight, Left, Work};
pub(crate) use polled_by::PolledBy;
pub(crate) use wait_list::{Registration, SharedWaker, WaitList, Woken};

#[cfg(test)]
mod tests;
