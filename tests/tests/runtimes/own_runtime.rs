//! A runtime as a user would write it.

use futures_lite::future;

#[path = "../../examples/own_runtime.rs"]
#[allow(dead_code)] // its `main`
mod example;

use example::OnThreads;

flavour!(threads: OnThreads, future::block_on);
