//! On boards without an operating system.
//!
#![doc = include_str!("../docs/firmware.md")]
#![doc = concat!("```rust,ignore\n", include_str!("../docs/firmware.rs"), "```\n")]
#![doc = include_str!("../docs/firmware_notes.md")]
//!
//! [`Builder::preallocate`]: crate::Builder::preallocate
//! [`Builder`]: crate::Builder
//! [`Cache::insert`]: crate::Cache::insert
//! [`Clock`]: crate::Clock
//! [`LoadError::into_error`]: crate::LoadError::into_error
//! [`Timer`]: crate::Timer
//! [`parts::Local`]: crate::parts::Local
//! [`parts::NoTimer`]: crate::parts::NoTimer
//! [`parts::Spin`]: crate::parts::Spin
//! [`policy::Lru`]: crate::policy::Lru
