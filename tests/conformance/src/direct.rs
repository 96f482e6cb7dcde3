//! Calls that do not wait.

use larder::{Change, Computed, Loaded, Status, Timer};

use super::{End, LATE, SOON, Stage, Subject, stage::KEY};

/// A stored value is found, counted and listed, and can be removed. (P12)
pub async fn values_come_and_go_by_hand<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.capacity(100).shards(1));
    let value = E::Value::from;
    assert!(cache.is_empty() && cache.peek(&1).is_none() && !cache.contains(&1));
    for key in 1..=4 {
        assert!(cache.insert(key, value(key * 10)).is_some());
    }
    cache.insert_with(5, Loaded::new(value(50)).weight(6));
    assert_eq!((cache.len(), cache.weight(), cache.capacity(), cache.max_weight()), (5, 10, 100, 100));
    assert!(cache.contains(&1));
    assert!(cache.peek(&1).is_some_and(|found| (**found.value(), found.status()) == (10, Status::Hit)));
    let mut held: Vec<_> = cache.iter().map(|(key, value)| (key, *value)).collect();
    held.sort_unstable();
    assert_eq!(held, [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]);
    let double = |present: Option<&E::Value>| match present {
        Some(present) => Change::Store(Loaded::new(E::Value::from(**present * 2))),
        None => Change::Keep,
    };
    assert!(matches!(cache.compute(&1, double), Ok(Computed::Replaced(value)) if *value == 20));
    assert!(matches!(cache.compute(&9, double), Ok(Computed::Kept(None))));
    assert!(matches!(cache.compute(&1, |_| Change::Remove), Ok(Computed::Removed(value)) if *value == 20));
    cache.retain(|key, _| key % 2 == 0);
    assert_eq!(
        (cache.len(), cache.get_if_present(&2).as_deref(), cache.get_if_present(&3).as_deref()),
        (2, Some(&20), None)
    );
    assert_eq!(cache.remove_if(|key| *key == 4), 1);
    let made = cache.get_or_insert(&4, || value(41));
    assert_eq!((**made.value(), made.status()), (41, Status::Miss));
    assert!(cache.lookup_if_present(&4).is_some_and(|found| (**found.value(), found.status()) == (41, Status::Hit)));
    assert!(cache.entries().all(|entry| entry.weight() == 1));
    assert!(cache.downgrade().upgrade().is_some_and(|same| same.len() == 2));
    cache.set_capacity(1);
    assert_eq!((cache.len(), cache.capacity(), cache.stats().evicted), (1, 1, 1));
    cache.clear();
    assert!(cache.is_empty() && cache.iter().next().is_none());
    cache.runtime().sleep_until(stage.now()).await;
    stage.ends_clean(cache).await;
}

/// Of two callers that refuse the same value, one removes it, and neither removes the value that comes after it. (P8)
pub async fn a_value_is_refused_by_many<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    let bad = cache.insert(KEY, E::Value::from(90)).expect("it is stored");
    assert!(cache.invalidate_if(&KEY, bad) && !cache.invalidate_if(&KEY, bad));
    let crowd = stage.crowd(cache, 3).await;
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&crowd).await, ["V1 LockHit", "V1 LockHit", "V1 Miss"]);
    assert!(!cache.invalidate_if(&KEY, bad));
    assert_eq!(cache.get(&KEY).await.ok().as_deref(), Some(&1));
    stage.ends_clean(cache).await;
}

/// `refresh` loads although the value is fresh; meanwhile other callers get the old value. (P1)
pub async fn a_fresh_value_is_loaded_anew<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    cache.insert(KEY, E::Value::from(90));
    let (one, other) = (stage.spawn(cache.refresh(&KEY)), stage.spawn(cache.refresh(&KEY)));
    stage.until(|| cache.stats().waiters == 2).await;
    assert_eq!(stage.saw(&stage.ask(cache)).await, "V90 Hit");
    stage.loads.end(1, End::Value);
    assert_eq!(stage.saw_all(&[one, other]).await, ["V1 LockHit", "V1 Miss"]);
    assert_eq!(stage.loads.begun(), 1);
    stage.ends_clean(cache).await;
}

/// `clear`, `retain` and `remove_if` are not undone by a load that began before them. (P8)
pub async fn a_clearance_is_not_undone<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup);
    for load in [1, 2, 3] {
        let before = stage.crowd(cache, 1).await.remove(0);
        match load {
            1 => cache.clear(),
            2 => cache.retain(|_, _| true),
            _ => assert_eq!(cache.remove_if(|key| *key == KEY), 0),
        }
        stage.loads.end(load, End::Value);
        assert_eq!(stage.saw(&before).await, format!("V{load} Miss"));
        assert_eq!(cache.get_if_present(&KEY).as_deref(), None);
    }
    stage.ends_clean(cache).await;
}

/// A host is told when a value expires next, and sweeps it out itself. (P12)
pub async fn a_host_sweeps<E: Subject>(stage: Stage<E>) {
    let cache = stage.cache(|setup| setup.shards(1));
    cache.insert_with(2, Loaded::new(E::Value::from(20)).ttl(LATE));
    // Inserted last, because each insert removes what has expired by then.
    cache.insert_with(1, Loaded::new(E::Value::from(10)).ttl(SOON));
    let deadline = cache.next_deadline().expect("both expire");
    stage.runtime.sleep_until(deadline).await;
    assert!(cache.peek(&1).is_none_or(|found| found.status() != Status::Hit));
    cache.sweep();
    assert_eq!((cache.len(), cache.stats().expired_out), (1, 1));
    assert!(cache.next_deadline().is_some_and(|next| next > deadline));
    assert!(cache.lookup(&2).await.is_ok_and(|found| found.status() == Status::Hit));
    stage.ends_clean(cache).await;
}
