//! The engine: the only place where a load is taken out, polled, put back, and its panic contained.
//!
//! A caller arrives (look and claim under one lock), then drives: it makes or takes a load, polls it without a lock,
//! and puts it back or finishes it with its answer under the lock. What is left to wake, tell and drop is done after
//! that.

mod after;
mod aligned;
mod answers;
mod at_once;
mod batch;
mod batch_load;
mod caller_load;
mod clearing;
#[cfg(feature = "std")]
mod copies;
mod drive;
mod engine;
mod errand;
mod guard;
mod instead;
mod leads;
mod lookup;
mod many;
#[cfg(feature = "std")]
mod near;
mod once;
mod owned;
mod room;
mod shards;
mod sleep;
mod splits;
mod stay;
#[cfg(feature = "std")]
mod stripe;
mod tuning;
mod units;
mod verdict;
mod wakes;

pub(crate) use after::{After, Afters};
pub(crate) use aligned::Aligned;
pub(crate) use caller_load::NoLoad;
#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use caller_load::{ByCall, ByLoader, CallerLoad, Lent};
pub(crate) use clearing::Clearing;
#[cfg(feature = "std")]
pub(crate) use copies::Copies;
#[cfg(feature = "std")]
pub(crate) use engine::COPIED;
pub(crate) use engine::{
    AsMany, Batch, EffectsOf, Engine, HandOver, HoldInstead, LinksOf, Memory, ShardOf, TIMED, VisitOf,
};
pub(crate) use errand::Errand;
pub(crate) use leads::{ByClosure, Outcomes, Results, Shape, Values};
#[expect(unreachable_pub, reason = "a part of the futures' types, which are public, though it has no public name")]
pub use leads::{FromLoader, Leads};
pub(crate) use lookup::Answered;
pub(crate) use many::Many;
pub(crate) use once::Once;
pub(crate) use owned::Owned;
pub(crate) use shards::Shards;
pub(crate) use stay::{Borrowed, Caller, Stay};
pub use tuning::{Standard, Tuned, Tuning};
pub(crate) use wakes::CallWakes;
