//! C85: one suite on every runtime; only the adapter differs.

mod async_std;
mod no_runtime;
mod one_thread;
mod smol;
mod tokio;
