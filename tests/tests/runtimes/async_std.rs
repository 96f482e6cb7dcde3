//! Async-std, by its adapter.

use async_std::task;
use futures_lite::future;
use larder_async_std::{AsyncStd, CoarseAsyncStd};

flavour!(exact_clock: AsyncStd, task::block_on);
flavour!(coarse_clock: CoarseAsyncStd, task::block_on);
// Its timer and its spawner also work for callers that are polled elsewhere.
flavour!(elsewhere: AsyncStd, future::block_on);
