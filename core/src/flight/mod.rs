//! What happens to the loads of one key: pure decisions about attempts and seats, without keys, values or errors.

mod attempt;
mod decide;
mod drive;
mod polled_by;
mod wait_list;
mod work;

#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use attempt::Start;
pub(crate) use attempt::{Attempt, Terms};
pub(crate) use decide::Flight;
pub(crate) use polled_by::{PolledBy, here};
pub(crate) use wait_list::{Noted, Registration, SharedWaker, WaitList, Woken};
pub(crate) use work::{CheckedIn, Failing, Left, Work};

#[cfg(test)]
mod tests;
