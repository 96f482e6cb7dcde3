//! Values that expire, are refreshed, or leave.

use std::sync::{Mutex, PoisonError};

use alloc::sync::Arc;

use larder::{Cache, Loaded, RemovalCause, Spawn};

use super::{Ear, End, LATE, SOON, Stage, Subject, stage::KEY};

/// A value lives as long as its load has set, and is then loaded anew. (P11)
pub async fn a_value_expires<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    stage.loads.end(1, End::Lives(SOON));
    stage.loads.end(2, End::Lives(LATE));
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V1 Miss");
    stage.pass(SOON).await;
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Expired");
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V2 Hit");
    stage.ends_clean(cache).await;
}

/// The first caller of a stale value gets its refresh, to spawn or to drop. The others do not wait, but poll it once.
/// (P1, P2, P3, D57)
pub async fn a_stale_value_comes_with_its_refresh<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_while_refresh(LATE));
    cache.insert(KEY, E::Value::from(90));
    assert!(cache.expire(&KEY));
    for _ in 0..2 {
        let first = cache.get_stale(&KEY).await.expect("a stale value is there");
        let second = cache.get_stale(&KEY).await.expect("a stale value is there");
        assert_eq!((**first.outcome.value(), **second.outcome.value()), (90, 90));
        assert!(first.refresh.is_some() && second.refresh.is_none());
        // The refresh was dropped, so the next caller gets it.
    }
    assert_eq!(stage.loads.begun(), 2);
    let refresh = cache.get_stale(&KEY).await.expect("a stale value is there").refresh.expect("no other call has it");
    assert!(stage.runtime.spawn(refresh).is_ok(), "the runtime spawns it");
    stage.begun(3).await;
    stage.loads.end(3, End::Value);
    stage.until(|| cache.get_if_present(&KEY).as_deref() == Some(&3)).await;
    stage.ends_clean(cache).await;
}

/// A caller that gets a stale value polls the refresh that another caller holds, whatever its result. (P3, P5, D57)
pub async fn a_claimed_refresh_is_looked_after<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_while_refresh(LATE));
    for (number, end) in [(1, End::Value), (2, End::Panic), (3, End::Error)] {
        cache.insert(KEY, E::Value::from(90));
        assert!(cache.expire(&KEY));
        let claimed =
            cache.get_stale(&KEY).await.expect("a stale value is there").refresh.expect("no other call has it");
        assert_eq!(stage.loads.begun(), number - 1, "it was not polled");
        stage.loads.end(number, end);
        let served = cache.get_stale(&KEY).await.expect("a stale value is there");
        assert!(served.refresh.is_none() && **served.outcome.value() == 90);
        assert_eq!((stage.loads.begun(), stage.loads.live()), (number, 0));
        assert_eq!(cache.get_if_present(&KEY).as_deref(), if number == 1 { Some(&1) } else { None });
        claimed.await;
    }
    stage.ends_clean(cache).await;
}

/// A call that spawns the refresh polls it once first; if it is ready at once, it is not spawned. (D57)
pub async fn a_refresh_is_polled_before_it_is_spawned<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_while_refresh(LATE));
    cache.insert(KEY, E::Value::from(90));
    assert!(cache.expire(&KEY));
    stage.loads.end(1, End::Value);
    let served = cache.get_stale_spawn(&KEY).await.expect("a stale value is there");
    assert_eq!((**served.outcome.value(), cache.get_if_present(&KEY).as_deref()), (90, Some(&1)));
    stage.ends_clean(cache).await;
}

/// The runtime refreshes once, however many stale hits there are. (P1)
pub async fn a_refresh_is_spawned<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.ttl(LATE).stale_while_refresh(LATE));
    cache.insert(KEY, E::Value::from(90));
    assert!(cache.expire(&KEY));
    for _ in 0..10 {
        let stale = cache.get_stale_spawn(&KEY).await.expect("a stale value is there");
        assert_eq!(**stale.outcome.value(), 90);
        assert!(stale.refresh.is_none(), "it was spawned");
    }
    stage.begun(1).await;
    stage.loads.end(1, End::Value);
    stage.until(|| cache.get_if_present(&KEY).as_deref() == Some(&1)).await;
    stage.ends_clean(cache).await;
}

/// A listener is told of each value that leaves, and why; it may call the cache. (P13)
pub async fn listeners_hear_why_values_leave<E: Subject>(stage: Stage<E>) {
    let heard = Arc::<Mutex<Vec<_>>>::default();
    let ears = heard.clone();
    let builder = Cache::builder(stage.runtime.clone()).loader(stage.loads.clone()).capacity(2).shards(1);
    let listener: Ear<E::Value> = Box::new(move |key: &u32, value: &E::Value, cause: RemovalCause| {
        ears.lock().unwrap_or_else(PoisonError::into_inner).push((*key, **value, cause));
    });
    let cache = builder.listener(listener).build().expect("the configuration is valid");
    let value = |n| Loaded::new(E::Value::from(n));
    cache.insert_with(1, value(10));
    cache.insert_with(1, value(11));
    cache.remove(&1);
    cache.insert_with(2, value(20).weight(3));
    cache.insert_with(3, value(30).ttl(SOON));
    stage.pass(SOON).await;
    cache.sweep();
    cache.insert_with(4, value(40).weight(2));
    stage.loads.end(1, End::Value);
    assert_eq!(cache.get(&5).await.ok().as_deref(), Some(&1));
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let causes = [
        (1, 10, RemovalCause::Replaced),
        (1, 11, RemovalCause::Removed),
        (2, 20, RemovalCause::Refused),
        (3, 30, RemovalCause::Expired),
        (4, 40, RemovalCause::Evicted),
    ];
    assert_eq!(heard, causes);
    stage.ends_clean(&cache).await;
}
