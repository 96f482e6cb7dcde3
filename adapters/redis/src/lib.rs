//! A second tier for [Larder](larder) on Redis or Valkey: a fleet of processes that share loads and hear of each other's
//! writes.
//!
//! Each process has its own cache, the first tier, from which hits come as before. A miss asks the server, in one round
//! trip, and one process of the fleet loads. [`TierBuilder`] binds a cache and its tier; [`Tier`] is the handle that writes.
//!
//! ```
//! use larder_redis::{Json, TierBuilder};
//! use larder_tokio::{Cache, Tokio};
//! use std::{io, time::Duration};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (names, tier) = TierBuilder::new("redis://127.0.0.1/", Json::new("name/1"))
//!     .namespace("names")
//!     .ttl(Duration::from_secs(300))
//!     .load_fn(Cache::builder(Tokio::new()).capacity(10_000), |id: u64| async move {
//!         io::Result::Ok(format!("user {id}")) // a query
//!     })?;
//! // One query for the whole fleet; without a server, one for each process.
//! assert_eq!(names.get(&7).await?, "user 7");
//!
//! // The name has been changed at the source: every process forgets it, and no query from before is kept anywhere.
//! let _written = tier.invalidate(&7).await;
//! # Ok(())
//! # }
//! ```
//!
//! The promises T1 to T12, what becomes of them when the server is slow, gone or restarted, and the protocol:
//! [`promises`]. Running it, when not to, and others of its kind: [`operation`].
//!
//! # Map
//!
//! * [`TierBuilder`] makes a cache and its [`Tier`], and refuses with a [`TierConfigError`]; [`TierRuntime`] is what it runs
//!   on.
//! * [`TierKey`]: keys that have names. [`Codec`]: how values are written, ready-made `Json` and `Postcard`.
//! * [`TierError`]: why a value could not be had. [`Written`]: how far a write has got. [`TierStats`]: what was done.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "smol", feature = "tokio")))]
compile_error!("larder-redis runs on tokio or smol: turn on its feature `tokio` or `smol`");

mod alone;
mod attach;
mod batch;
mod builder;
mod codec;
mod decide;
mod error;
#[cfg(test)]
mod fakes;
mod flag;
mod host;
mod key;
mod lease;
mod line;
mod link;
mod mutant;
mod names;
mod origin;
mod random;
mod record;
mod say;
mod scripts;
mod settings;
mod shared;
mod stats;
mod tier;
mod waits;
mod wire;

pub use attach::{FirstBuilder, Tiered};
pub use builder::TierBuilder;
pub use codec::Codec;
#[cfg(feature = "json")]
pub use codec::Json;
#[cfg(feature = "postcard")]
pub use codec::Postcard;
pub use error::{TierConfigError, TierError};
pub use host::{Background, TierRuntime};
pub use key::TierKey;
#[cfg(feature = "driver")]
#[doc(hidden)]
pub use record::lease;
pub use stats::TierStats;
pub use tier::{Tier, Written};

#[doc = include_str!("../docs/operation.md")]
pub mod operation {}

#[doc = include_str!("../docs/promises.md")]
pub mod promises {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
