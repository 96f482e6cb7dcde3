//! Values that are refreshed before they expire.

use larder::{LookupOptions, Spawn, Status, Timer};

use super::{super::End, Stage, Subject, fresh};
use crate::{LATE, SOON};

/// Once the margin is reached, the runtime refreshes once; meanwhile all callers get the value, which is fresh. (P1)
pub async fn a_slot_is_refreshed_ahead<E: Subject>(stage: Stage<E>) {
    let early = stage.slot(|setup| setup.ttl(LATE).refresh_ahead(SOON));
    early.set(E::Value::from(80));
    assert!(early.get_stale_spawn().await.is_ok_and(|found| found.refresh.is_none()));
    assert_eq!((early.stats().loads_begun, stage.loads.begun()), (0, 0));
    let slot = stage.slot(|setup| setup.ttl(LATE).refresh_ahead(LATE - SOON));
    slot.set(E::Value::from(90));
    stage.runtime.sleep_until(slot.refresh_at()).await;
    for _ in 0..10 {
        let found = slot.get_stale_spawn().await.expect("the value is good");
        assert_eq!((**found.outcome.value(), found.outcome.status()), (90, Status::Hit));
        assert!(found.refresh.is_none(), "it was spawned");
    }
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V90 Hit");
    stage.begun(1).await;
    stage.loads.end(1, End::Value);
    stage.until(|| fresh::<E>(slot) == Some(1)).await;
    stage.slot_ends_clean(slot).await;
}

/// The refresh is a ticket: the caller that gets it may drop or spawn it; others get none, and poll it once. (P2, D57)
pub async fn a_slots_refresh_is_a_ticket<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.ttl(LATE).refresh_ahead(LATE - SOON));
    slot.set(E::Value::from(90));
    stage.runtime.sleep_until(slot.refresh_at()).await;
    for _ in 0..2 {
        let first = slot.get_stale().await.expect("the value is good");
        let second = slot.lookup_stale(LookupOptions::new()).await.expect("the value is good");
        assert!(first.refresh.is_some() && second.refresh.is_none());
        // The refresh was dropped, so the next caller gets it.
    }
    let ticket = slot.get_stale().await.expect("the value is good").refresh.expect("no other call has it");
    assert!(stage.runtime.spawn(ticket).is_ok(), "the runtime spawns it");
    stage.begun(3).await;
    stage.loads.end(3, End::Value);
    stage.until(|| fresh::<E>(slot) == Some(3)).await;
    assert_eq!(stage.loads.begun(), 3);
    stage.slot_ends_clean(slot).await;
}

/// A refresh ahead that fails or takes too long does not affect callers, and is retried after the retry delay. (P4)
pub async fn a_slots_refresh_ahead_fails<E: Subject>(stage: Stage<E>) {
    let setup = stage.slot(|setup| {
        setup.ttl(LATE).refresh_ahead(LATE - SOON).fetch_budget(SOON).retry_after(SOON).retry_backoff(1e6, LATE)
    });
    setup.set(E::Value::from(90));
    for failures in 1..3 {
        stage.runtime.sleep_until(setup.refresh_at()).await;
        assert!(setup.get_stale_spawn().await.is_ok());
        stage.begun(failures).await;
        if failures == 1 {
            stage.loads.end(1, End::Error);
        }
        stage.until(|| setup.failures() as usize == failures).await;
        assert_eq!(stage.saw(&stage.ask_slot(setup)).await, "V90 Hit");
    }
    // The second delay is long.
    assert!(setup.get_stale().await.is_ok_and(|found| found.refresh.is_none()));
    assert_eq!(stage.loads.begun(), 2);
    stage.slot_ends_clean(setup).await;
}

/// With `refresh_inline` the first caller within the margin refreshes the value itself. (P1)
pub async fn a_slot_is_refreshed_ahead_inline<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.ttl(LATE).refresh_ahead(LATE - SOON).refresh_inline());
    slot.set(E::Value::from(90));
    stage.runtime.sleep_until(slot.refresh_at()).await;
    let first = stage.ask_slot(slot);
    stage.begun(1).await;
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V90 Hit");
    stage.loads.end(1, End::Value);
    assert!(stage.saw(&first).await.starts_with("V1 "));
    stage.slot_ends_clean(slot).await;
}
