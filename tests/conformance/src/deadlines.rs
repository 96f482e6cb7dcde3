//! Waits and loads that take too long.

use larder::{LookupOptions, OnTimeout};

use super::{Cached, End, LATE, SOON, Seat, Stage, Subject, stage::KEY};

/// A load older than the lock age is taken over, and all callers get the newer answer. (P6)
pub async fn a_hanging_load_is_taken_over<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.lock_age(SOON).attempts(2));
    let callers = [first_of(&stage, cache).await, stage.ask(cache)];
    stage.begun(2).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw_all(&callers).await, ["V2 Miss"; 2]);
    assert_eq!(cache.stats().takeovers, 1);
    stage.ends_clean(cache).await;
}

/// A caller whose lock timeout has passed fails, and the load goes on for the others. (P7)
pub async fn a_timeout_fails<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let first = first_of(&stage, cache).await;
    let second = stage.ask_with(cache, hurried(OnTimeout::Fail));
    assert_eq!(stage.saw(&second).await, "LockTimeout");
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Miss");
    stage.ends_clean(cache).await;
}

/// A caller whose lock timeout has passed loads, and all callers get the answer. (P7)
pub async fn a_timeout_loads<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let callers = [first_of(&stage, cache).await, stage.ask_with(cache, hurried(OnTimeout::Load))];
    stage.begun(2).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw_all(&callers).await, ["V2 Miss"; 2]);
    stage.ends_clean(cache).await;
}

/// A caller whose lock timeout has passed loads for itself, and no other caller gets the answer. (P7)
pub async fn a_timeout_loads_alone<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let first = first_of(&stage, cache).await;
    let second = stage.ask_with(cache, hurried(OnTimeout::LoadAlone));
    stage.begun(2).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&second).await, "V2 Miss");
    assert_eq!((first.saw(), cache.get_if_present(&KEY).as_deref()), (None, None));
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Miss");
    stage.ends_clean(cache).await;
}

/// A caller whose lock timeout has passed gets the expired value. (P7)
pub async fn a_timeout_takes_the_stale_value<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_while_refresh(LATE));
    cache.insert(KEY, E::Value::from(90));
    assert!(cache.expire(&KEY));
    let first = first_of(&stage, cache).await;
    let second = stage.ask_with(cache, hurried(OnTimeout::Stale));
    assert!(stage.saw(&second).await.starts_with("V90 Stale"));
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Expired");
    stage.ends_clean(cache).await;
}

/// A load that exceeds its budget is dropped and fails, and a later caller loads anew. (P2, P4)
pub async fn a_load_keeps_to_its_budget<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.load_budget(SOON));
    assert_eq!(stage.saw(&stage.ask(cache)).await, "BudgetExceeded");
    stage.until(|| stage.loads.live() == 0).await;
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Miss");
    stage.ends_clean(cache).await;
}

/// The task that begins the first load.
async fn first_of<E: Subject>(stage: &Stage<E>, cache: &'static Cached<E::Runtime, E::Value>) -> Seat {
    let first = stage.ask(cache);
    stage.begun(1).await;
    first
}

fn hurried(then: OnTimeout) -> LookupOptions {
    LookupOptions::new().lock_timeout(SOON, then)
}
