//! Lookups of many keys.

use super::{End, Executor, Stage};

/// Keys that another batch is loading are joined, whichever batch is answered first. (P1)
pub async fn overlapping_batches_load_each_key_once<E: Executor>(stage: Stage<E>) {
    let cache = stage.batched();
    let first = stage.ask_many(cache, &[1, 2, 3]);
    stage.begun(1).await;
    let second = stage.ask_many(cache, &[3, 4]);
    stage.begun(2).await;
    assert_eq!(stage.loads.keys(), [vec![1, 2, 3], vec![4]]);
    stage.loads.end(2, End::Value);
    stage.until(|| cache.contains(&4)).await;
    assert_eq!((first.saw(), second.saw()), (None, None));
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&first).await, "V1 Miss, V1 Miss, V1 Miss");
    assert_eq!(stage.saw(&second).await, "V1 LockHit, V2 Miss");
    stage.ends_clean(cache).await;
}

/// A batch that fails is the failure of its keys and of no others; one left by its caller is loaded on. (P2, P4)
pub async fn a_failed_batch_is_the_failure_of_each_key<E: Executor>(stage: Stage<E>) {
    let cache = stage.batched();
    let first = stage.ask_many(cache, &[1, 2, 3]);
    stage.begun(1).await;
    let second = stage.ask_many(cache, &[3, 4, 1]);
    stage.begun(2).await;
    first.leave();
    assert_eq!(stage.saw(&first).await, "left");
    stage.loads.end(1, End::Error);
    stage.loads.end(2, End::Value);
    assert_eq!(stage.saw(&second).await, "E1, V2 Miss, E1");
    stage.ends_clean(cache).await;
}

/// Who comes for one key finds the batch ready, and wakes those who wait for its other keys. (P1, P3)
pub async fn a_batch_is_found_ready_by_who_comes<E: Executor>(stage: Stage<E>) {
    let cache = stage.batched();
    let both = stage.ask_many(cache, &[1, 2]);
    stage.until(|| cache.stats().waiters == 2 && stage.loads.live() == 1).await;
    let waiting = [stage.ask_many(cache, &[1]), stage.ask_many(cache, &[2])];
    stage.until(|| cache.stats().waiters == 4).await;
    both.leave();
    assert_eq!(stage.saw(&both).await, "left");
    stage.loads.end_unheard(1, End::Value);
    // One look at the batch may be enough for all its keys, so the first who comes need not be the one who polls it.
    let answered = || waiting.iter().all(|seat| seat.saw().is_some());
    let coming = stage.come_until(answered, || stage.ask_many(cache, &[1])).await;
    for seat in waiting.iter().chain(&coming) {
        assert!(stage.saw(seat).await.starts_with("V1 "));
    }
    assert_eq!(stage.loads.begun(), 1);
    stage.ends_clean(cache).await;
}
