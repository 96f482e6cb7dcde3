//! The flight machine: one key's loads from claim to publication. Pure; nothing here locks, waits or wakes.
//!
//! A *flight* is everything that goes on for one key between two writes to it (an epoch): the attempts at loading
//! it, and the callers who wait. Each caller has a [`Seat`]. An attempt's load rests in the flight; whoever is
//! polled checks it out, polls it and checks it in again. The first attempt that succeeds ends the flight.
//!
//! A load may be a part in one of many keys; how far that one has come is [`Progress`].
//!
//! | event | attached flight | detached flight (a write came) |
//! |---|---|---|
//! | claim | makes the flight, with attempt 1 | - |
//! | join | one seat more | never joined |
//! | take over | one attempt more, up to the bound | the same |
//! | success of an attempt | stored, everybody's verdict | everybody's verdict |
//! | failure, others in flight | the beginner's failure | the same |
//! | failure, the last in flight | perhaps cached, everybody's verdict | everybody's verdict |
//! | `insert` | the inserted value is everybody's verdict | - |
//! | `remove`, `clear`, `retain` | becomes detached | - |
//! | a seat is left | a lent load goes with it | the same |
//! | the last seat is left | the flight and its loads are gone | the same |

mod attempt;
mod batch;
mod flights;
mod lifecycle;

#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use attempt::Start;
pub(crate) use attempt::Terms;
pub(crate) use batch::{Progress, Step};
pub(crate) use flights::{Answer, CheckIn, Flight, Flights, Job, Leaving, Seat, Work};
pub(crate) use lifecycle::Ended;

#[cfg(test)]
mod tests;
