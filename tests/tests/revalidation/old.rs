//! Values that are older than the clock, which began with the process.

use std::{convert::Infallible, future, io, time::Duration};

use larder::{
    Cache, Failed, Loaded, ManyThreads, Previous, Revalidate, Runtime, Status,
    parts::{BootClock, CoarseClock, NoTimer, Std, StdClock},
};
use larder_tests::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Cannot load, and has a value that has been stale for an hour.
struct Down;

impl Revalidate<u32> for Down {
    type Value = u32;
    type Error = io::Error;
    type Future = future::Ready<Result<larder::Revalidated<u32>, Failed<u32, io::Error>>>;

    fn revalidate(&self, _: u32, _: Option<Previous<u32>>) -> Self::Future {
        let old = Loaded::new(9).stale(Duration::from_secs(3600));
        future::ready(Err(Failed::new(io::Error::other("no route")).instead(old)))
    }
}

fn holds<R: Runtime<Threads = ManyThreads> + Clone>(runtime: R) {
    let cache = Cache::builder(runtime.clone()).ttl(DAY).stale_if_error(DAY).revalidator(Down).build().expect("valid");
    let told = wakers::now(cache.lookup(&7)).expect("the old value");
    let Status::Stale(age) = told.status() else { panic!("{:?}", told.status()) };
    assert_eq!((*told.value(), age.as_secs()), (9, 3600));

    let kept = Cache::<u32, u32, Infallible, R>::builder(runtime).ttl(DAY).build().expect("valid");
    kept.insert_with(1, Loaded::new(1).aged(Duration::from_secs(7200)));
    assert_eq!(kept.peek(&1).map(|found| found.age().as_secs()), Some(7200));
}

/// D110, D111: a process that has just begun can serve what others had before.
#[test]
fn d111_older_than_the_clock() {
    holds(Std::new(NoTimer::new(StdClock::new())));
    holds(Std::new(NoTimer::new(BootClock::new())));
    holds(Std::new(NoTimer::new(CoarseClock::new())));
    holds(larder_tokio::Tokio::new());
    holds(larder_smol::Smol::new());
    holds(larder_async_std::AsyncStd::new());
}
