//! Loads that fail, and values that a load confirms.

use core::cell::RefCell;

use alloc::rc::Rc;

use larder::{Cache, Previous, Revalidated, Status, TimeLeft};

use super::{End, LATE, SOON, Stage, Subject, stage::KEY};
use crate::{Boom, Here};

/// All callers get a failure until its error TTL ends; then the next caller loads. (P4)
pub async fn a_failure_is_kept_for_a_time<E: Subject>(stage: Stage<E>) {
    let long = stage.cache(|setup| setup.error_ttl(LATE));
    stage.loads.end(1, End::Error);
    assert_eq!(stage.saw(&stage.ask(long)).await, "E1");
    assert_eq!(stage.saw(&stage.ask(long)).await, "E1 cached");
    let short = stage.cache(|setup| setup.error_ttl(SOON));
    stage.loads.end(2, End::Error);
    assert_eq!(stage.saw(&stage.ask(short)).await, "E2");
    stage.pass(SOON).await;
    stage.loads.end(3, End::Value);
    assert_eq!(stage.saw(&stage.ask(short)).await, "V3 Miss");
    stage.ends_clean(long).await;
    stage.ends_clean(short).await;
}

/// If a load fails, all waiting callers get the stale value, with the error beside it. (P4)
pub async fn a_failure_is_softened_by_the_stale_value<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_if_error(LATE));
    cache.insert(KEY, E::Value::from(90));
    assert!(cache.expire(&KEY));
    let crowd = stage.crowd(cache, 3).await;
    stage.loads.end(1, End::Error);
    let saw = stage.saw_all(&crowd).await;
    assert!(saw.iter().all(|saw| saw.starts_with("V90 Stale(") && saw.ends_with(") +E1")), "{saw:?}");
    stage.ends_clean(cache).await;
}

/// A load gets the previous value and may confirm it: the value stays, with a new lifetime.
pub async fn a_value_is_found_still_good<E: Subject>(stage: Stage<E>) {
    let handed = Rc::<RefCell<Vec<Option<u32>>>>::default();
    let hands = handed.clone();
    let load = move |_, previous: Option<Previous<E::Value>>| {
        hands.borrow_mut().push(previous.as_ref().map(|previous| **previous.value()));
        let answer = match previous {
            Some(_) => Revalidated::unchanged(),
            None => Revalidated::from(E::Value::from(1)),
        };
        core::future::ready(Ok::<_, Boom>(answer))
    };
    let builder = Cache::<u32, _, _, _>::builder(Here(stage.runtime.clone())).ttl(LATE).revalidate_fn(load);
    let cache = builder.build().expect("the configuration is valid");
    let first = cache.lookup(&KEY).await.expect("no load fails");
    assert!(cache.expire(&KEY));
    let second = cache.lookup(&KEY).await.expect("no load fails");
    assert_eq!((second.status(), second.generation()), (Status::Expired, first.generation()));
    assert!(matches!(second.time_left(), TimeLeft::For(left) if !left.is_zero()));
    assert_eq!(*handed.borrow(), [None, Some(1)]);
    stage.ends_clean(&cache).await;
}

/// A value that no caller asks for expires after its time to idle. (P11)
pub async fn an_idle_value_expires<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.time_to_idle(SOON));
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V1 Miss");
    stage.pass(SOON).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Expired");
    stage.ends_clean(cache).await;
}

/// A value is refreshed early, by a ticket, while it is still served as fresh. (P1)
pub async fn a_value_is_refreshed_early<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).refresh_early(1e-9));
    cache.insert(KEY, E::Value::from(90));
    stage.pass(SOON).await;
    for _ in 0..3 {
        let found = cache.get_stale_spawn(&KEY).await.expect("it is fresh");
        assert_eq!((**found.outcome.value(), found.outcome.status()), (90, Status::Hit));
    }
    stage.begun(1).await;
    stage.loads.end(1, End::Value);
    stage.until(|| cache.peek(&KEY).is_some_and(|found| **found.value() == 1)).await;
    stage.ends_clean(cache).await;
}
