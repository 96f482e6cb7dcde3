//! Larder.
#![no_std]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod store;

/// Which entry leaves when room is needed.
pub mod policy {
    pub use crate::store::policy::*;
}
