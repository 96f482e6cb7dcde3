//! Lookups of many keys.

use core::cell::RefCell;

use alloc::rc::Rc;

use super::{End, Stage, Subject, stage::in_a_hurry};
use crate::wakers::{calling, poll_once, poll_with};

/// A batch joins keys that another batch is loading, whichever batch is answered first. (P1)
pub async fn overlapping_batches_load_each_key_once<E: Subject>(stage: Stage<E>) {
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

/// A failed batch fails its own keys only; a batch whose caller has left is still loaded. (P2, P4)
pub async fn a_failed_batch_is_the_failure_of_each_key<E: Subject>(stage: Stage<E>) {
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

/// A new caller of one key finds the batch ready, and wakes the callers of its other keys. (P1, P3)
pub async fn a_batch_is_found_ready_by_who_comes<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched();
    let both = stage.ask_many(cache, &[1, 2]);
    stage.until(|| cache.stats().waiters == 2 && stage.loads.live() == 1).await;
    let waiting = [stage.ask_many(cache, &[1]), stage.ask_many(cache, &[2])];
    stage.until(|| cache.stats().waiters == 4 && waiting.iter().all(|seat| seat.waits())).await;
    both.leave();
    assert_eq!(stage.saw(&both).await, "left");
    stage.loads.end_unheard(1, End::Value);
    // One look at the batch may be enough for all its keys, so the first new caller need not be the one that polls it.
    let answered = || waiting.iter().all(|seat| seat.saw().is_some());
    let coming = stage.come_until(answered, || stage.ask_many_with(cache, &[1], in_a_hurry())).await;
    assert!(stage.found_or_late(&coming).await);
    assert!(stage.saw_all(&waiting).await.iter().all(|saw| saw.starts_with("V1 ")));
    assert_eq!(stage.loads.begun(), 1);
    stage.ends_clean(cache).await;
}

const SOME: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A key whose caller has left stays in flight as long as its batch: a new caller joins, and all is stored. (P1, D62)
pub async fn a_batch_goes_on_for_all_its_keys<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched();
    let first = stage.ask_many(cache, SOME);
    stage.begun(1).await;
    let second = stage.ask_many(cache, &[3]);
    stage.until(|| cache.stats().waiters == 11).await;
    first.leave();
    assert_eq!(stage.saw(&first).await, "left");
    let third = stage.ask_many(cache, &[1, 2]);
    stage.until(|| cache.stats().waiters == 3).await;
    assert_eq!((stage.loads.begun(), cache.stats().flights), (1, 10));
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw(&second).await, "V1 LockHit");
    assert_eq!(stage.saw(&third).await, "V1 LockHit, V1 LockHit");
    assert!(SOME.iter().all(|key| cache.contains(key)));
    stage.ends_clean(cache).await;
}

/// All values of a batch have the same instant, in whatever order the callers are polled. (D5)
pub async fn a_batch_is_of_one_instant<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched();
    let mut parked = cache.lookup_many(SOME);
    assert!(poll_once(&mut parked).is_pending());
    let waiting = [stage.ask_many(cache, &[2]), stage.ask_many(cache, &[9, 5])];
    stage.until(|| cache.stats().waiters == 13).await;
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&waiting).await, ["V1 LockHit", "V1 LockHit, V1 LockHit"]);
    assert!(parked.await.iter().all(Result::is_ok));
    // This call reads the clock only once, too.
    let found: Vec<_> = cache.lookup_many(SOME).await.into_iter().flatten().collect();
    assert!(found.len() == SOME.len() && found.iter().all(|outcome| outcome.age() == found[0].age()));
    stage.ends_clean(cache).await;
}

/// All values of a batch are stored before the first waiter is woken. (D29)
pub async fn a_batch_is_stored_before_anybody_is_woken<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched();
    let mut many = cache.lookup_many(SOME);
    let mut others: Vec<_> = SOME.iter().map(|key| cache.lookup(key)).collect();
    assert!(poll_once(&mut many).is_pending());
    let found = Rc::<RefCell<Vec<usize>>>::default();
    let finds = Rc::clone(&found);
    let look = move || finds.borrow_mut().push(SOME.iter().filter(|key| cache.contains(*key)).count());
    calling(look, |waker| {
        assert!(others.iter_mut().all(|other| poll_with(other, waker).is_pending()));
        found.take();
        stage.loads.end_unheard(1, End::Value);
        assert!(poll_once(&mut many).is_ready());
    });
    assert_eq!(*found.borrow(), [10; 10]);
    drop(others);
    stage.ends_clean(cache).await;
}

/// A call with more keys than one load takes begins several loads before it waits. (D62)
pub async fn a_call_begins_as_many_loads_as_it_takes<E: Subject>(stage: Stage<E>) {
    let cache = stage.batched_with(|setup| setup.max_batch(2));
    let mut many = cache.get_many(&[1, 2, 3, 4, 5]);
    assert!(poll_once(&mut many).is_pending());
    assert_eq!(stage.loads.keys(), [vec![1, 2], vec![3, 4], vec![5]]);
    for number in [3, 1, 2] {
        stage.loads.end(number, End::Value);
    }
    let values: Vec<_> = many.await.into_iter().map(|found| found.ok().map(|value| *value)).collect();
    assert_eq!(values, [1, 1, 2, 2, 3].map(Some));
    stage.ends_clean(cache).await;
}
