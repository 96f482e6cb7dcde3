use std::{
    future::{pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use futures_util::FutureExt;
use larder::Instant;

use super::Places;
use crate::host::{Background, Host};

/// A host whose time stands still, or is over as soon as it is waited for.
struct At(bool);

impl Host for At {
    fn now(&self) -> Instant {
        Instant::START
    }

    fn sleep_until(&self, _: Instant) -> Background {
        let passes = self.0;
        Box::pin(async move {
            if !passes {
                pending::<()>().await;
            }
        })
    }

    fn spawn(&self, _: Background) -> bool {
        false
    }
}

const STANDS: At = At(false);

fn places(loads: usize) -> Places {
    Places::new(loads, std::time::Duration::from_secs(1))
}

#[test]
fn t7_a_load_that_waits_for_another_takes_one_place() {
    let places = places(1);
    let chain = places
        .load(&STANDS, async { places.load(&STANDS, async { places.load(&STANDS, ready(3)).await + 1 }).await + 1 });
    assert_eq!(chain.now_or_never(), Some(5));
    assert_eq!(places.load(&STANDS, ready(6)).now_or_never(), Some(6), "it is free again");
}

#[test]
fn t7_a_load_that_waits_for_its_place_goes_on_with_one_that_has_a_place() {
    let places = places(1);
    let mut queued = pin!(places.load(&STANDS, ready(1)));
    let outer = places.load(&STANDS, async {
        // It is asked for by the load that has the place.
        queued.as_mut().await
    });
    let mut outer = pin!(outer);
    let mut other = pin!(places.load(&STANDS, pending::<()>()));
    assert_eq!(outer.as_mut().now_or_never(), Some(1));
    assert_eq!(other.as_mut().now_or_never(), None);
    assert_eq!(places.load(&STANDS, ready(2)).now_or_never(), None, "there is one place");
}

#[test]
fn t7_each_tier_has_places_of_its_own() {
    let (one, other) = (places(1), places(1));
    let mut held = pin!(other.load(&STANDS, pending::<()>()));
    assert_eq!(held.as_mut().now_or_never(), None);
    assert_eq!(
        one.load(&STANDS, other.load(&STANDS, ready(1))).now_or_never(),
        None,
        "the other tier's place is taken"
    );
}

#[test]
fn t7_a_load_that_panics_gives_its_place_back() {
    let places = places(1);
    let load = places.load(&STANDS, poll_fn(|_| -> Poll<()> { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(|| load.now_or_never())).is_err());
    let mut next = pin!(places.load(&STANDS, pending::<()>()));
    assert_eq!(next.as_mut().now_or_never(), None);
    assert_eq!(places.load(&STANDS, ready(1)).now_or_never(), None, "it is inside of nothing");
}

#[test]
fn t7_one_goes_on_without_a_place_from_time_to_time() {
    let places = places(1);
    let mut held = pin!(places.load(&STANDS, pending::<()>()));
    assert_eq!(held.as_mut().now_or_never(), None);
    assert_eq!(places.load(&At(true), ready(1)).now_or_never(), Some(1), "it has waited for long");
    // The next one has to wait as long again.
    assert!(*super::lock(&places.next) > Instant::START);
}
