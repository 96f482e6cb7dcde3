//! Coming from another cache: its calls one by one, and what differs.

#[doc = include_str!("../docs/from_imago.md")]
pub mod from_imago {}

#[doc = include_str!("../docs/from_lazyslot.md")]
pub mod from_lazyslot {}

#[doc = include_str!("../docs/from_moka.md")]
pub mod from_moka {}

#[doc = include_str!("../docs/from_pingora.md")]
#[doc = include_str!("../docs/pingora_table.md")]
pub mod from_pingora {}
