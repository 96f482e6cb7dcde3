use std::{
    future::{pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use futures_util::FutureExt;

use super::Places;

#[test]
fn t7_a_load_that_waits_for_another_takes_one_place() {
    let places = Places::new(1);
    let chain = places.load(async { places.load(async { places.load(ready(3)).await + 1 }).await + 1 });
    assert_eq!(chain.now_or_never(), Some(5));
    assert_eq!(places.load(ready(6)).now_or_never(), Some(6), "it is free again");
}

#[test]
fn t7_a_load_that_waits_for_its_place_goes_on_with_one_that_has_a_place() {
    let places = Places::new(1);
    let mut queued = pin!(places.load(ready(1)));
    let outer = places.load(async {
        // It is asked for by the load that has the place.
        queued.as_mut().await
    });
    let mut outer = pin!(outer);
    let mut other = pin!(places.load(pending::<()>()));
    assert_eq!(outer.as_mut().now_or_never(), Some(1));
    assert_eq!(other.as_mut().now_or_never(), None);
    assert_eq!(places.load(ready(2)).now_or_never(), None, "there is one place");
}

#[test]
fn t7_each_tier_has_places_of_its_own() {
    let (one, other) = (Places::new(1), Places::new(1));
    let mut held = pin!(other.load(pending::<()>()));
    assert_eq!(held.as_mut().now_or_never(), None);
    assert_eq!(one.load(other.load(ready(1))).now_or_never(), None, "the other tier's place is taken");
}

#[test]
fn t7_a_load_that_panics_gives_its_place_back() {
    let places = Places::new(1);
    let load = places.load(poll_fn(|_| -> Poll<()> { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(|| load.now_or_never())).is_err());
    let mut next = pin!(places.load(pending::<()>()));
    assert_eq!(next.as_mut().now_or_never(), None);
    assert_eq!(places.load(ready(1)).now_or_never(), None, "it is inside of nothing");
}
