//! The shell: reads the clock, locks a shard, asks it, unlocks, and then wakes, tells and drops.
//!
//! A lookup is an [`ask::Ask`]: it finds a value, or sits down in a flight as a [`waiter::Waiter`]. A waiter's poll is a
//! loop of visits to its shard ([`stay`]): each hands in what was driven since and learns what comes next.

mod abandoned;
mod alone;
mod answers;
mod ask;
mod builder;
mod by_call;
mod capacity;
mod choose;
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
mod load_many;
mod lookup_by;
mod lookup_future;
mod many;
mod means;
mod options;
mod poller;
mod revalidate;
mod ride;
mod stale;
mod stats;
mod stay;
mod visit;
mod waiter;
mod with;

pub use abandoned::Abandoned;
pub(crate) use ask::AskBy;
pub use builder::Builder;
pub(crate) use builder::default_hasher;
pub use by_call::{GetOrLoad, LookupOrLoad, StaleOrLoad};
pub use choose::NoSource;
pub use coalescing::Coalescing;
pub use compute::Change;
pub use config_error::ConfigError;
pub(crate) use errand::{Errand, Errands};
pub use get::{Get, Lookup};
pub use inner::{Cache, DefaultHasher};
pub(crate) use lookup_by::LookupBy;
pub use many::{
    by_closure::{GetManyWith, LookupManyWith},
    by_loader::{GetMany, LookupMany},
};
pub(crate) use means::{ByLoader, Means, Owned, answer, poll_kept};
pub use options::LookupOptions;
pub use stale::{GetStale, GetStaleSpawn, Refresh, StaleOutcome};
pub use stats::Stats;
pub use with::{GetWith, LookupWith};
