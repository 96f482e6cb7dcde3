//! C85: one suite on every runtime; only the adapter differs.

/// Makes the tests of the suite for one runtime, given how a future is run on it.
macro_rules! flavour {
    ($name:ident: $runtime:ty, $run:expr) => {
        mod $name {
            use super::*;

            struct Flavour;

            impl larder_conformance::Executor for Flavour {
                type Runtime = $runtime;
                type Value = larder_tests::Arc<u32>;

                fn run<F: Future<Output = ()>>(check: impl FnOnce($runtime) -> F) {
                    ($run)(async { check(<$runtime>::new()).await });
                }
            }

            larder_conformance::suite!(Flavour);
        }
    };
}

mod async_std;
mod blocking;
mod no_runtime;
mod one_thread;
mod own_runtime;
mod smol;
mod tokio;
