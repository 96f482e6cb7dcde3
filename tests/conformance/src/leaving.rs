//! Callers that leave, or are no longer polled.

use super::{End, Stage, Subject, stage::KEY};
use crate::wakers::poll_once;

/// The caller that began the load leaves, and the others drive the load. (P2)
pub async fn the_first_leaves_and_the_load_goes_on<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let first = stage.ask(cache);
    stage.begun(1).await;
    let others = stage.crowd(cache, 3).await;
    first.leave();
    assert_eq!(stage.saw(&first).await, "left");
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&others).await, ["V1 LockHit"; 3]);
    assert_eq!(stage.loads.begun(), 1);
    stage.ends_clean(cache).await;
}

/// Once the last caller has left, the load is dropped. (P2)
pub async fn the_last_leaves_and_the_load_is_dropped<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, 3).await;
    stage.until(|| stage.loads.live() == 1).await;
    crowd.iter().for_each(|seat| seat.leave());
    assert_eq!(stage.saw_all(&crowd).await, ["left"; 3]);
    stage.ends_clean(cache).await;
    assert_eq!(cache.stats().loads_dropped, 1);
}

/// Once the last caller has left, the runtime's spawner finishes the load. (P2)
pub async fn an_abandoned_load_is_finished<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.finish_abandoned());
    let only = stage.crowd(cache, 1).await.remove(0);
    only.leave();
    assert_eq!(stage.saw(&only).await, "left");
    stage.loads.end(1, End::Value);
    stage.until(|| cache.get_if_present(&KEY).as_deref() == Some(&1)).await;
    stage.ends_clean(cache).await;
}

/// The caller that began the load is alive but never polled again; the others drive the load. (P3)
pub async fn who_is_not_polled_holds_nobody_back<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let mut parked = cache.lookup(&KEY);
    assert!(poll_once(&mut parked).is_pending());
    let others = stage.crowd(cache, 3).await;
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&others).await, ["V1 LockHit"; 3]);
    assert_eq!(parked.await.ok().as_ref().map(|outcome| **outcome.value()), Some(1));
    stage.ends_clean(cache).await;
}
