//! The store of one shard: entries, their order of eviction, their deadlines, and failures that are kept. Pure.
//!
//! An entry lives in a dense table and is named by its place there. Every removal moves the last entry into the gap, so
//! that memory follows what is held.

mod deadlines;
mod failures;
mod index;
mod leavers;
pub(crate) mod policy;
mod room;
mod table;
mod values;
mod walks;

pub(crate) use failures::{Backoff, Factor, Failing, Failures, Gone, Kept, Trouble};
pub(crate) use leavers::{Cleared, Leavers};
pub(crate) use room::{Allowance, Asking, ROUNDS, Room};
pub(crate) use values::{Entry, FEW, Former, Keeping, Life, New, Values};

#[cfg(test)]
mod tests;
