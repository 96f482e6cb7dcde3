//! Writes during a load.

use core::pin::pin;

use super::{End, Stage, Subject, stage::KEY};
use crate::wakers::poll_once;

/// An insert answers all waiting callers, and the load is dropped. (P8)
pub async fn an_insert_ends_the_waits<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, 3).await;
    cache.insert(KEY, E::Value::from(90));
    assert_eq!(stage.saw_all(&crowd).await, ["V90 LockHit", "V90 LockHit", "V90 Miss"]);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V90 Hit");
    stage.ends_clean(cache).await;
    assert_eq!(cache.stats().loads_dropped, 1);
}

/// Callers from before a removal get the load's answer; later callers begin their own load. (P8)
pub async fn a_removal_is_not_undone<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let before = stage.crowd(cache, 2).await;
    cache.remove(&KEY);
    let after = stage.ask(cache);
    stage.begun(2).await;
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&before).await, ["V1 LockHit", "V1 Miss"]);
    assert_eq!((after.saw(), cache.get_if_present(&KEY).as_deref()), (None, None));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&after).await, "V2 Miss");
    assert_eq!(cache.get_if_present(&KEY).as_deref(), Some(&2));
    stage.ends_clean(cache).await;
}

/// A load that begins after a removal is joined by new callers, and stored, although an older caller began it. (P1,
/// D11)
pub async fn a_load_belongs_to_the_epoch_it_begins_in<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let mut lender = pin!(Some(cache.get_with(&KEY, || stage.loads.begin_plain(vec![0]))));
    assert!(lender.as_mut().as_pin_mut().is_some_and(|mut lender| poll_once(&mut lender).is_pending()));
    let older = stage.crowd(cache, 1).await.remove(0);
    cache.remove(&KEY);
    lender.set(None);
    stage.begun(2).await;
    let newer = stage.crowd(cache, 2).await;
    assert_eq!(stage.loads.begun(), 2);
    stage.loads.end(2, End::Value);
    assert_eq!(
        (stage.saw(&older).await, stage.saw_all(&newer).await),
        ("V2 Miss".into(), vec!["V2 LockHit".into(); 2])
    );
    assert_eq!(cache.get_if_present(&KEY).as_deref(), Some(&2));
    stage.ends_clean(cache).await;
}
