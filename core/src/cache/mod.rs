//! The shell: reads the clock, locks a shard, asks it, unlocks, and then wakes, tells and drops.
//!
//! A lookup is an [`ask::Ask`]: it finds a value, or sits down in a flight as a [`waiter::Waiter`]. A waiter's poll is a
//! loop of visits to its shard ([`stay`]): each hands in what was driven since and learns what comes next.

mod abandoned;
mod alone;
mod answers;
mod ask;
mod builder;
mod capacity;
mod coalescing;
mod compute;
mod config_error;
mod crowd;
mod deferred;
mod direct;
mod errand;
mod get;
mod inner;
mod invalidate;
mod lifetime;
mod lookup;
mod lookup_by;
mod many;
mod means;
mod options;
mod poller;
mod ride;
mod sources;
mod stale;
mod stats;
mod stay;
mod tuning;
mod visit;
mod waiter;

pub use abandoned::Abandoned;
pub(crate) use ask::AskBy;
pub use builder::Builder;
pub use coalescing::Coalescing;
pub use compute::Change;
pub use config_error::ConfigError;
pub(crate) use errand::{Errand, Errands};
pub(crate) use get::Get;
pub(crate) use inner::AnyCache;
pub use inner::{Cache, DefaultHasher};
pub use lookup::Lookup;
pub(crate) use lookup_by::LookupBy;
pub use many::LookupMany;
pub(crate) use means::{ByCall, Means, Owned};
pub use options::LookupOptions;
pub(crate) use stale::GetStale;
pub use stale::{Refresh, StaleOutcome};
pub use stats::Stats;
pub(crate) use tuning::default_hasher;
pub use tuning::{Standard, Tuned, Tuning};
