//! Settings, and what holds whatever happens: the costs, the sums, the source.

mod call_options;
mod chosen_keys;
mod configuration;
mod costs;
mod over;
mod safe_core;
mod sums;
mod unwound;
mod ways;
mod weak;
