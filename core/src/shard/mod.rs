//! One shard: values, kept failures and flights, and the decisions about them together. Pure: no lock, no clock, no
//! waker is called, and no code of the user but `Eq`, `Clone` and `Hash`.

mod anew;
mod arrive;
mod at_once;
mod batch;
mod begin;
mod carries;
mod counts;
mod deadline;
mod direct;
mod effects;
mod finish;
mod flights;
mod home;
mod inside;
mod instead;
mod kept;
mod lazy;
mod lead;
mod leading;
mod lifetime;
mod need;
mod present;
mod private;
mod publish;
mod refresh;
mod room;
mod rules;
mod serve;
mod settle;
mod slot;
#[cfg(feature = "std")]
mod split;
mod state;
mod tally;
mod tell;
mod visit;
mod wait;
mod walk;

pub(crate) use carries::{Answer, Carries, LoadsAnew, SharedLoad};
pub(crate) use counts::{LoadCounts, LookupCounts};
pub(crate) use direct::{Shown, Unasked};
pub(crate) use effects::Effects;
pub(crate) use finish::{Delivered, Stored};
pub(crate) use flights::Flights;
pub(crate) use home::Home;
#[cfg(feature = "std")]
pub(crate) use home::split_bits;
pub(crate) use lead::Lead;
pub(crate) use lifetime::{Early, Margin};
pub(crate) use need::Need;
pub(crate) use publish::News;
pub use rules::OnTimeout;
pub(crate) use rules::{At, Call, Rules, Takes};
pub(crate) use slot::{LookupResult, Part, Seat, Twin};
pub(crate) use state::{Links, RECLAIM, Shard};
#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use visit::AsKey;
pub(crate) use visit::{Step, Visit, Waiting};

#[cfg(test)]
mod tests;
