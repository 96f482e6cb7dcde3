//! The read-through cache: what a user calls. Methods and options; the engine does the work.

// In the order in which the page of `Cache` lists their methods: what asks, what looks, what changes, what goes over
// all.
mod get;

mod lookup;
mod lookup_many;

mod stale;

mod assemble;
#[cfg(feature = "std")]
mod blocking;

mod preallocate;
mod present;

mod direct;

mod compute;
mod invalidate;
mod remove_if;

mod walk;

mod capacity;
mod name;
#[cfg(feature = "std")]
mod near_copies;
mod weak;

mod builder;
mod coalescing;
mod lifetime;
mod sources;

mod abandoned;
mod config_error;
mod handle;
mod key_lookup;
mod options;
mod stats;

pub use abandoned::Abandoned;
pub(crate) use assemble::assemble;
pub use builder::Builder;
pub use coalescing::Coalescing;
pub use compute::{Change, ComputeError, Computed};
pub use config_error::ConfigError;
pub(crate) use handle::AnyCache;
pub use handle::Cache;
pub(crate) use key_lookup::{KeyLookup, OutcomeLookup};
pub use lookup::Lookup;
pub use lookup_many::LookupMany;
pub use options::LookupOptions;
pub(crate) use stale::GetStale;
pub use stale::{Refresh, StaleOutcome};
pub use stats::Stats;
pub use weak::WeakCache;
