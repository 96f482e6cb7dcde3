//! Tokio, in each of its flavours, by its adapter.

use larder_tokio::{CoarseTokio, Tokio};
use tokio::runtime::Builder;

fn block_on(builder: &mut Builder, check: impl Future<Output = ()>) {
    builder.enable_time().build().expect("a runtime").block_on(check);
}

flavour!(current_thread: Tokio, |check| block_on(&mut Builder::new_current_thread(), check));
flavour!(multi_thread: Tokio, |check| block_on(Builder::new_multi_thread().worker_threads(2), check));
flavour!(paused: Tokio, |check| block_on(Builder::new_current_thread().start_paused(true), check));
flavour!(coarse_clock: CoarseTokio, |check| block_on(Builder::new_multi_thread().worker_threads(2), check));
