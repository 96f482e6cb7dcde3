//! A bare executor with a manual clock, on one thread.

use larder::{
    ManualClock,
    parts::{Local, Spin},
};
use larder_conformance::Executor;
use larder_tests::{Arc, Future, Rc, Spawning};

macro_rules! parts {
    ($name:ident: $parts:ident, $value:ident) => {
        mod $name {
            use super::*;

            struct Bare;

            impl Executor for Bare {
                type Runtime = Spawning<$parts<ManualClock>>;
                type Value = $value<u32>;

                fn run<F: Future<Output = ()>>(check: impl FnOnce(Self::Runtime) -> F) {
                    let runtime = Spawning::new(ManualClock::new());
                    runtime.run(check(runtime.clone()));
                }
            }

            larder_conformance::suite!(Bare);
        }
    };
}

parts!(spin: Spin, Arc);
// Nothing is `Send`: locks are `RefCell`s, values are `Rc`s.
parts!(ref_cell: Local, Rc);
