//! Tokio, in each of its flavours, by its adapter.

use larder_tests::{Arc, Future, suite::Executor};
use larder_tokio::{CoarseTokio, Tokio};
use tokio::runtime::Builder;

macro_rules! flavour {
    ($name:ident: $adapter:ident on $builder:expr) => {
        mod $name {
            use super::*;

            struct Flavour;

            impl Executor for Flavour {
                type Runtime = $adapter;
                type Value = Arc<u32>;

                fn run<F: Future<Output = ()>>(check: impl FnOnce($adapter) -> F) {
                    let runtime = $builder.enable_time().build().expect("a runtime");
                    runtime.block_on(async { check($adapter::new()).await });
                }
            }

            larder_tests::suite!(Flavour);
        }
    };
}

flavour!(current_thread: Tokio on Builder::new_current_thread());
flavour!(multi_thread: Tokio on Builder::new_multi_thread().worker_threads(2));
flavour!(paused: Tokio on Builder::new_current_thread().start_paused(true));
flavour!(coarse_clock: CoarseTokio on Builder::new_multi_thread().worker_threads(2));
