//! What the tests share.

pub mod goals;
pub mod replay;
pub mod traces;
