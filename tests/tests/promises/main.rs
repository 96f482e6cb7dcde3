//! Settings, and what holds whatever happens: the costs, the sums, the source.

mod call_options;
mod configuration;
mod costs;
mod safe_core;
mod sums;
