//! Loads that a call brings with it.

use core::pin::pin;

use futures_lite::future::zip;
use larder::{Cache, LoadError, LoadMany};

use super::{End, LATE, Stage, Subject, stage::KEY};
use crate::Boom;
use crate::wakers::poll_once;

/// A cache without a loader keeps the loads that its calls bring, for all callers. (P1)
pub async fn a_call_brings_its_load<E: Subject>(stage: Stage<E>) {
    let builder = Cache::<_, E::Value, Boom, _>::builder(stage.runtime.clone());
    let cache = builder.ttl(LATE).stale_while_refresh(LATE).build().expect("the configuration is valid");
    let loads = stage.loads.clone();
    let plain = move || loads.begin_plain(vec![KEY]);
    let load = || {
        let loads = stage.loads.clone();
        move || loads.begin(vec![KEY])
    };
    let both = zip(cache.get_or_load(&KEY, plain), cache.lookup(&KEY).by(load()));
    stage.loads.end(1, End::Value);
    let (one, other) = both.await;
    assert_eq!((one.ok().as_deref(), other.ok().map(|found| **found.value())), (Some(&1), Some(1)));
    assert!(cache.expire(&KEY));
    let found = cache.lookup(&KEY).by(load()).stale().await.expect("a stale value is there");
    assert_eq!(**found.outcome.value(), 1);
    stage.loads.end(2, End::Value);
    found.refresh.expect("no other call has it").await;
    assert_eq!((cache.get_if_present(&KEY).as_deref(), stage.loads.begun()), (Some(&2), 2));
    stage.ends_clean(&cache).await;
}

/// A load that borrows goes away with its caller, and the next waiter loads by itself. Its failure is shared. (P2, P4)
pub async fn a_call_lends_its_load<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let mut lender = pin!(Some(cache.get_with(&KEY, || stage.loads.begin_plain(vec![0]))));
    assert!(lender.as_mut().as_pin_mut().is_some_and(|mut lender| poll_once(&mut lender).is_pending()));
    let others = stage.crowd(cache, 2).await;
    lender.set(None);
    stage.begun(2).await;
    stage.loads.end(2, End::Value);
    let saw = stage.saw_all(&others).await;
    assert!(saw.iter().all(|saw| saw.starts_with("V2 ")), "{saw:?}");
    cache.clear();
    let mut lender = pin!(cache.lookup(&KEY).lend(|| stage.loads.begin(vec![0])));
    assert!(poll_once(&mut lender).is_pending());
    let others = stage.crowd(cache, 2).await;
    stage.loads.end(3, End::Error);
    assert_eq!(lender.await.err().as_ref().and_then(LoadError::error), Some(&Boom(3)));
    assert_eq!(stage.saw_all(&others).await, ["E3"; 2]);
    assert_eq!(stage.loads.keys(), [[0], [KEY], [0]]);
    stage.ends_clean(cache).await;
}

/// A call brings a load that borrows, for the keys that are missing; keys in flight are joined. (P1)
pub async fn a_call_brings_a_load_of_many<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched();
    cache.insert(1, E::Value::from(90));
    let brought = cache.get_many_or_load(&[1, 2], |keys: Vec<u32>| stage.loads.begin_many_plain(keys));
    stage.loads.end(1, End::Value);
    let values: Vec<_> = brought.await.into_iter().map(|found| found.ok().map(|value| *value)).collect();
    assert_eq!(values, [Some(90), Some(1)]);
    let mut brought = pin!(cache.lookup_many(&[2, 3]).by(|keys: Vec<u32>| stage.loads.load_many(keys)));
    assert!(poll_once(&mut brought).is_pending());
    let mut joined = cache.get_many(&[3, 1]);
    assert!(poll_once(&mut joined).is_pending());
    stage.loads.end(2, End::Value);
    let values: Vec<_> = brought.await.into_iter().map(|found| found.ok().map(|found| **found.value())).collect();
    assert_eq!(values, [Some(1), Some(2)]);
    let values: Vec<_> = joined.await.into_iter().map(|found| found.ok().map(|value| *value)).collect();
    assert_eq!(values, [Some(2), Some(90)]);
    assert_eq!(stage.loads.keys(), [[2], [3]]);
    stage.ends_clean(cache).await;
}
