//! The read-through cache: what a user calls. Words and options; the engine does the work.

mod abandoned;
mod ask;
#[cfg(feature = "std")]
mod blocking;
mod builder;
mod capacity;
mod coalescing;
mod compute;
mod config_error;
mod direct;
mod get;
mod handle;
mod invalidate;
mod lifetime;
mod lookup;
mod lookup_many;
mod name;
mod options;
mod present;
mod remove_if;
mod sources;
mod stale;
mod stats;
mod walk;
mod weak;

pub use abandoned::Abandoned;
pub(crate) use ask::{Ask, AskOutcome};
pub use builder::Builder;
pub use coalescing::Coalescing;
pub use compute::{Change, ComputeError, Computed};
pub use config_error::ConfigError;
pub(crate) use handle::AnyCache;
pub use handle::Cache;
pub use lookup::Lookup;
pub use lookup_many::LookupMany;
pub use options::LookupOptions;
pub(crate) use stale::GetStale;
pub use stale::{Refresh, StaleOutcome};
pub use stats::Stats;
pub use weak::WeakCache;
