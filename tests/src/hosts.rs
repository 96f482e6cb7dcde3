//! The runtimes that every case runs on.

use larder::{
    ManualClock, OneThread, Runtime, Timer,
    parts::{Local, Spin, Std},
};

use larder_conformance::{Here, quiet_bangs};

use crate::memory;

/// A runtime of the core's own parts, driven by a manual clock.
pub trait Host: Runtime<Threads = OneThread> + 'static {
    /// The same parts with another clock.
    type With<C: Timer + 'static>: Runtime<Threads = OneThread> + 'static;

    /// A runtime that follows `clock`.
    fn on(clock: ManualClock) -> Self;

    /// The same parts on the test's own clock.
    fn with<C: Timer + 'static>(clock: C) -> Self::With<C>;
}

impl Host for Local<ManualClock> {
    type With<C: Timer + 'static> = Local<C>;

    fn on(clock: ManualClock) -> Self {
        Self::new(clock)
    }

    fn with<C: Timer + 'static>(clock: C) -> Local<C> {
        Local::new(clock)
    }
}

macro_rules! hosts {
    ($($part:ident)*) => {$(
        impl Host for Here<$part<ManualClock>> {
            type With<C: Timer + 'static> = Here<$part<C>>;

            fn on(clock: ManualClock) -> Self {
                Self($part::new(clock))
            }

            fn with<C: Timer + 'static>(clock: C) -> Here<$part<C>> {
                Here($part::new(clock))
            }
        }
    )*};
}

hosts!(Spin Std);

/// Makes tests of functions that are generic over a [`Host`]: one for each runtime.
///
/// Each test begins and ends empty: all memory that it allocates must be given back (P2).
#[macro_export]
macro_rules! on_every_runtime {
    ($($case:ident)*) => {$(
        mod $case {
            #[test]
            fn local() {
                $crate::run(super::$case::<larder::parts::Local<larder::ManualClock>>);
            }

            #[test]
            fn spin() {
                $crate::run(super::$case::<$crate::Here<larder::parts::Spin<larder::ManualClock>>>);
            }

            #[test]
            fn std() {
                $crate::run(super::$case::<$crate::Here<larder::parts::Std<larder::ManualClock>>>);
            }
        }
    )*};
}

/// Runs one case and asserts that all its memory came back once its caches are dropped.
#[track_caller]
pub fn run(case: fn()) {
    quiet_bangs();
    let left = memory::growth(case);
    assert_eq!(left, 0, "bytes that outlive the caches of the case");
}

/// Plays a randomized case from this seed, and prints the seed if the case fails.
pub fn with_seed<T>(seed: u64, play: impl FnOnce() -> T) -> T {
    struct Told(u64);

    impl Drop for Told {
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("seed {}", self.0);
            }
        }
    }

    let _told = Told(seed);
    play()
}
