//! One load for all waiting callers, however it ends.

use super::{
    End, Stage, Subject,
    stage::{KEY, in_a_hurry},
};

const CROWD: u64 = 100;

/// All callers during a load get its value, and a later caller finds it stored. (P1)
pub async fn many_tasks_share_one_load<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, CROWD).await;
    stage.loads.end(1, End::Value);
    let saw = stage.saw_all(&crowd).await;
    assert_eq!((saw[0].as_str(), saw[98].as_str(), saw[99].as_str()), ("V1 LockHit", "V1 LockHit", "V1 Miss"));
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V1 Hit");
    assert_eq!((stage.loads.begun(), cache.get_if_present(&KEY).as_deref()), (1, Some(&1)));
    stage.ends_clean(cache).await;
}

/// All callers get the failure of a load, and a later caller loads anew. (P4)
pub async fn a_failure_is_shared<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, CROWD).await;
    stage.loads.end(1, End::Error);
    assert!(stage.saw_all(&crowd).await.iter().all(|saw| saw == "E1"));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Miss");
    stage.ends_clean(cache).await;
}

/// A panic unwinds through one caller, the others get an error, and a later caller loads anew. (P5)
pub async fn a_panic_is_contained<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, CROWD).await;
    stage.loads.end(1, End::Panic);
    let saw = stage.saw_all(&crowd).await;
    assert_eq!((saw[0].as_str(), saw[98].as_str(), saw[99].as_str()), ("Panicked", "Panicked", "unwound"));
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Miss");
    stage.ends_clean(cache).await;
}

/// A new caller finds the load ready before its wake has arrived, without waiting, and wakes all waiters. (P1, P3, D22)
pub async fn a_load_is_found_ready_by_who_comes<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let crowd = stage.crowd(cache, 3).await;
    stage.loads.end_unheard(1, End::Value);
    let answered = || crowd.iter().all(|seat| seat.saw().is_some());
    let coming = stage.come_until(answered, || stage.ask_with(cache, in_a_hurry())).await;
    assert!(stage.found_or_late(&coming).await);
    assert_eq!(stage.saw_all(&crowd).await, ["V1 LockHit", "V1 LockHit", "V1 Miss"]);
    assert_eq!(stage.loads.begun(), 1);
    stage.ends_clean(cache).await;
}
