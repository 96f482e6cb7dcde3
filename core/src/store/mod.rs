//! The store of one shard: entries, their order of eviction, their deadlines, and kept failures. Pure.
//!
//! An entry lives in a dense table, and its place there is its name. Each removal moves the last entry into the gap, so
//! memory follows what is held.

mod column;
mod deadlines;
mod failures;
mod index;
mod leavers;
mod memory;
pub(crate) mod policy;
mod room;
mod table;
mod values;
mod walks;

pub(crate) use failures::{Backoff, Factor, Failing, Failures, Gone, Kept, Trouble};
pub(crate) use leavers::{Cleared, Leavers};
pub(crate) use room::{Allowance, Asking, ROUNDS, Room};
#[cfg(feature = "std")]
pub(crate) use values::Versions;
pub(crate) use values::{Entry, FEW, Former, Keeping, Life, New, Values};

#[cfg(all(test, feature = "std"))]
pub(crate) use memory::tests::without_memory;

#[cfg(test)]
mod tests;
