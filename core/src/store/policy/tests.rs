//! What holds for every policy, and the tiny store that the tests of each use.

pub(super) mod model;
pub(crate) mod shelf;
mod traces;
