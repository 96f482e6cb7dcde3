//! Values that are set and removed by hand.

use core::time::Duration;

use futures_lite::future::zip;
use larder::{LazySlot, Loaded, LookupOptions, Ttl};

use super::{super::End, Stage, Subject, assert_stale, fresh};
use crate::{Boom, LATE};

/// A value that is set answers all waiting callers, and the fetch is dropped. (P8)
pub async fn a_slot_is_set_during_its_first_fetch<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let crowd = stage.slot_crowd(slot, 3).await;
    assert!(slot.set(E::Value::from(90)).is_some());
    assert_eq!(stage.saw_all(&crowd).await, ["V90 LockHit", "V90 LockHit", "V90 Miss"]);
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V90 Hit");
    stage.slot_ends_clean(slot).await;
    assert_eq!(slot.stats().loads_dropped, 1);
}

/// Callers from before an invalidation get the fetched value, which is not kept; later callers begin their own fetch.
/// (P8)
pub async fn a_slot_is_invalidated_during_its_first_fetch<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let before = stage.slot_crowd(slot, 2).await;
    slot.invalidate();
    let after = stage.ask_slot(slot);
    stage.begun(2).await;
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&before).await, ["V1 LockHit", "V1 Miss"]);
    assert_eq!((after.saw(), fresh::<E>(slot)), (None, None));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&after).await, "V2 Miss");
    assert_eq!((fresh::<E>(slot), slot.invalidate().as_deref(), fresh::<E>(slot)), (Some(2), Some(&2), None));
    stage.slot_ends_clean(slot).await;
}

/// Many callers refuse one value; it is dropped once, and costs one fetch. (P1)
pub async fn a_slots_value_is_refused_by_many<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let bad = slot.set(E::Value::from(90)).expect("it is kept");
    let dropped = (0..20).filter(|_| slot.invalidate_if(bad)).count();
    let crowd = stage.slot_crowd(slot, 20).await;
    stage.loads.end(1, End::Value);
    let saw = stage.saw_all(&crowd).await;
    assert_eq!((dropped, saw[0].as_str(), saw[19].as_str()), (1, "V1 LockHit", "V1 Miss"));
    assert!(!slot.invalidate_if(bad));
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V1 Hit");
    assert_eq!(stage.loads.begun(), 1);
    stage.slot_ends_clean(slot).await;
}

/// A value set as already expired is served stale, and the next call fetches; one fetched as already expired waits for
/// the retry delay. (P11)
pub async fn a_slots_value_expires_at_once<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup.retry_after(LATE));
    slot.set_with(Loaded::new(E::Value::from(90)).ttl(Ttl::ExpiresAtOnce));
    let first = stage.ask_slot(slot);
    stage.begun(1).await;
    assert_stale(&stage.saw(&stage.ask_slot(slot)).await, "");
    stage.loads.end(1, End::AtOnce);
    assert_eq!(stage.saw(&first).await, "V1 Expired");
    stage.loads.end(2, End::Lives(Duration::ZERO));
    assert_eq!(stage.saw(&stage.ask_slot(slot)).await, "V2 Expired");
    let saw = stage.saw(&stage.ask_slot(slot)).await;
    assert!(saw.starts_with("V2 Stale(") && saw.ends_with(')'), "{saw}");
    assert_eq!((stage.loads.begun(), slot.failures()), (2, 0));
    stage.slot_ends_clean(slot).await;
}

/// A call may bring its own fetch, which gets the previous value and runs once for all; it may borrow. (P1)
pub async fn a_slots_calls_bring_their_fetches<E: Subject>(stage: Stage<E>) {
    let builder = LazySlot::<E::Value, Boom, _>::builder(stage.runtime.clone());
    let slot = builder.build().expect("the configuration is valid");
    let fetch = || stage.fetch();
    let both = zip(slot.get_or_fetch(fetch()), slot.lookup_or_fetch(LookupOptions::new(), fetch()));
    stage.loads.end(1, End::Value);
    let (one, other) = both.await;
    assert_eq!((one.ok().as_deref(), other.ok().map(|found| **found.value())), (Some(&1), Some(1)));
    assert!(slot.expire());
    let found = slot.stale_or_fetch(LookupOptions::new(), fetch()).await.expect("a stale value is there");
    assert_eq!(**found.outcome.value(), 1);
    stage.loads.end(2, End::Value);
    found.refresh.expect("no other call has it").await;
    assert!(slot.expire());
    let borrowed = stage.loads.clone();
    stage.loads.end(3, End::Value);
    let found = slot.lookup_with(LookupOptions::new(), |_| borrowed.begin(Vec::new())).await.expect("no fetch fails");
    assert_eq!(**found.value(), 3);
    assert_eq!(stage.loads.keys(), [vec![], vec![1], vec![]]);
    stage.slot_ends_clean(&slot).await;
}
