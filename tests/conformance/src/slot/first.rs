//! The first fetch, which all callers have to wait for.

use larder::{LookupOptions, OnTimeout};

use super::{super::End, Stage, Subject, fresh};
use crate::SOON;

const CROWD: u64 = 50;

/// All callers before there is a value share one fetch, and later callers find its value. (P1)
pub async fn a_slots_first_fetch_is_shared<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let crowd = stage.slot_crowd(slot, CROWD).await;
    stage.loads.end(1, End::Value);
    let saw = stage.saw_all(&crowd).await;
    assert_eq!((saw[0].as_str(), saw[48].as_str(), saw[49].as_str()), ("V1 LockHit", "V1 LockHit", "V1 Miss"));
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V1 Hit");
    assert_eq!(stage.loads.keys(), [vec![]]);
    stage.slot_ends_clean(slot).await;
}

/// All callers share its failure, and a later caller fetches at once. (P4)
pub async fn a_slots_first_failure_is_shared<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let crowd = stage.slot_crowd(slot, CROWD).await;
    stage.loads.end(1, End::Error);
    assert!(stage.saw_all(&crowd).await.iter().all(|saw| saw == "E1"));
    assert_eq!((stage.loads.begun(), slot.failures()), (1, 1));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V2 Miss");
    assert_eq!(slot.failures(), 0);
    stage.slot_ends_clean(slot).await;
}

/// A panic unwinds through one caller, the others get an error, and it counts as a failure. (P5)
pub async fn a_slots_first_panic_is_contained<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let crowd = stage.slot_crowd(slot, CROWD).await;
    stage.loads.end(1, End::Panic);
    let saw = stage.saw_all(&crowd).await;
    assert_eq!((saw[0].as_str(), saw[48].as_str(), saw[49].as_str()), ("Panicked", "Panicked", "unwound"));
    assert_eq!(slot.failures(), 1);
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V2 Miss");
    stage.slot_ends_clean(slot).await;
}

/// If the caller that began the fetch leaves, the others drive it. When the last one leaves, the fetch is dropped,
/// without counting as a failure. (P2)
pub async fn a_slots_first_fetch_outlives_its_caller<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let first = stage.slot_crowd(slot, 1).await.remove(0);
    let others = stage.slot_crowd(slot, 2).await;
    first.leave();
    assert_eq!(stage.saw(&first).await, "left");
    assert_eq!((stage.loads.begun(), stage.loads.live()), (1, 1));
    others[0].leave();
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&others[1]).await, "V1 LockHit");
    stage.slot_ends_clean(slot).await;
    slot.invalidate();
    let last = stage.slot_crowd(slot, 1).await.remove(0);
    last.leave();
    stage.slot_ends_clean(slot).await;
    assert_eq!((slot.stats().loads_dropped, slot.failures()), (1, 0));
}

/// Once the last caller has left, the runtime's spawner finishes the fetch. (P2)
pub async fn a_slots_abandoned_fetch_is_finished<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.finish_abandoned());
    let only = stage.slot_crowd(slot, 1).await.remove(0);
    only.leave();
    assert_eq!(stage.saw(&only).await, "left");
    stage.loads.end(1, End::Value);
    stage.until(|| fresh::<E>(slot) == Some(1)).await;
    stage.slot_ends_clean(slot).await;
}

/// A caller whose lock timeout has passed fails, and the fetch goes on for the others. (P7)
pub async fn a_slots_first_fetch_takes_too_long_for_one<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let first = stage.slot_crowd(slot, 1).await.remove(0);
    let hurried = stage.ask_slot_with(slot, LookupOptions::new().lock_timeout(SOON, OnTimeout::Fail));
    assert_eq!(stage.saw(&hurried).await, "LockTimeout");
    assert_eq!(first.saw(), None);
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Miss");
    stage.slot_ends_clean(slot).await;
}

/// A fetch that exceeds its budget is dropped and counts as failed. (P2)
pub async fn a_slots_fetch_keeps_to_its_budget<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.fetch_budget(SOON));
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "BudgetExceeded");
    stage.until(|| stage.loads.live() == 0).await;
    assert_eq!(slot.failures(), 1);
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V2 Miss");
    stage.slot_ends_clean(slot).await;
}

/// A fetch older than the lock age is taken over, and all callers get the newer answer. (P6)
pub async fn a_slots_hanging_fetch_is_taken_over<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.lock_age(SOON).attempts(2));
    let callers = [stage.slot_crowd(slot, 1).await.remove(0), stage.ask_slot(slot)];
    stage.begun(2).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw_all(&callers).await, ["V2 Miss"; 2]);
    assert_eq!(fresh::<E>(slot), Some(2));
    stage.slot_ends_clean(slot).await;
}
