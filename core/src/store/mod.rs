//! The store.

pub(crate) mod policy;
