//! Smol, by its adapter.

use futures_lite::future;
use larder_smol::{CoarseSmol, Smol};

flavour!(exact_clock: Smol, smol::block_on);
flavour!(coarse_clock: CoarseSmol, smol::block_on);
// Its timer and its spawner also work for callers that are polled elsewhere.
flavour!(elsewhere: Smol, future::block_on);
