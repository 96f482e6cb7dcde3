//! How Larder works inside, for readers and contributors of its code.

#[doc = include_str!("../docs/ARCHITECTURE.md")]
pub mod architecture {}

#[doc = include_str!("../docs/VOCABULARY.md")]
pub mod vocabulary {}

#[doc = include_str!("../docs/LOCKS.md")]
pub mod locks {}

#[doc = include_str!("../docs/DECISIONS.md")]
pub mod decisions {}

#[doc = include_str!("../docs/RULES.md")]
pub mod rules {}
