//! An expired value: one caller refreshes it, the others get the old one.

use larder::{LookupOptions, OnTimeout, Timer};

use super::{super::End, Stage, Subject, assert_stale};
use crate::{LATE, SOON};

/// The first caller of an expired value refreshes it and waits; the others get the old value at once. (P1)
pub async fn a_slots_stale_value_is_served_at_once<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup);
    let first = stage.ask_slot(slot);
    stage.begun(1).await;
    for _ in 0..3 {
        assert_stale(&stage.saw(&stage.ask_slot(slot)).await, "");
    }
    assert_eq!(first.saw(), None);
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Expired");
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V1 Hit");
    assert_eq!(stage.loads.keys(), [[90]], "the previous value");
    stage.slot_ends_clean(slot).await;
}

/// If the caller that refreshes is dropped, there is no failure and no delay, and the next caller refreshes. (P2)
pub async fn a_slots_refresher_is_dropped<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup.retry_after(LATE));
    let first = stage.ask_slot(slot);
    stage.begun(1).await;
    first.leave();
    assert_eq!(stage.saw(&first).await, "left");
    assert_eq!((slot.failures(), stage.loads.live()), (0, 0));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V2 Expired");
    stage.slot_ends_clean(slot).await;
}

/// After a failed refresh all callers get the old value, with the error beside it; no new refresh begins before the
/// retry delay. (P4)
pub async fn a_slots_failed_refresh_keeps_the_value<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup.retry_after(LATE));
    stage.loads.end(1, End::Error);
    for _ in 0..3 {
        assert_stale(&stage.saw(&stage.ask_slot(slot)).await, "+E1");
    }
    assert_eq!((stage.loads.begun(), slot.failures()), (1, 1));
    assert!(slot.refresh_at() > stage.now());
    // A forced refresh ignores the delay, and returns its failure.
    stage.loads.end(2, End::Error);
    assert_eq!(stage.saw(&stage.spawn(slot.refresh())).await, "E2");
    assert_eq!(slot.failures(), 2);
    stage.slot_ends_clean(slot).await;
}

/// After the retry delay a caller refreshes again; a panic counts as a failure. (P5)
pub async fn a_slots_failed_refresh_is_retried<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup.retry_after(SOON));
    stage.loads.end(1, End::Panic);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "unwound");
    assert_eq!(slot.failures(), 1);
    assert!(slot.last_failure().is_some_and(|failure| failure.is_panicked()));
    stage.runtime.sleep_until(slot.refresh_at()).await;
    stage.loads.end(2, End::Error);
    assert_stale(&stage.saw(&stage.ask_slot(slot)).await, "+E2");
    assert_eq!(slot.failures(), 2);
    stage.runtime.sleep_until(slot.refresh_at()).await;
    stage.loads.end(3, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V3 Expired");
    assert_eq!(slot.failures(), 0);
    stage.slot_ends_clean(slot).await;
}

/// Beyond the stale limit callers wait for the fetch, or get its error. (P7)
pub async fn a_slots_value_is_too_old<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup.stale_limit(SOON).retry_after(LATE));
    stage.pass(2 * SOON).await;
    let crowd = stage.slot_crowd(slot, 3).await;
    stage.loads.end(1, End::Error);
    assert_eq!(stage.saw_all(&crowd).await, ["E1"; 3]);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "E1 cached");
    assert_eq!(stage.loads.begun(), 1);
    stage.slot_ends_clean(slot).await;
}

/// A caller whose lock timeout passes while it refreshes gets the old value; its fetch is dropped, and is no failure.
/// (P7)
pub async fn a_slots_refresh_takes_too_long_for_one<E: Subject>(stage: Stage<E>) {
    let slot = stage.expired_slot(|setup| setup.lock_timeout(SOON, OnTimeout::Stale));
    assert_stale(&stage.saw(&stage.ask_slot(slot)).await, "");
    stage.slot_ends_clean(slot).await;
    assert_eq!((stage.loads.begun(), slot.failures()), (1, 0));
    stage.loads.end(2, End::Value);
    let patient = stage.ask_slot_with(slot, LookupOptions::new().no_lock_timeout());
    assert_eq!(stage.saw(&patient).await, "V2 Expired");
    stage.slot_ends_clean(slot).await;
}
