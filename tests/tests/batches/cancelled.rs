//! Many keys at once, and callers that are dropped, parked, or unwind.

use larder::Cache;
use larder_tests::*;

on_every_runtime! {
    the_first_caller_is_dropped_at_every_poll
    a_bringing_caller_is_dropped_at_every_poll
    parked_callers_hold_nobody_back
    a_load_is_dropped_when_nobody_waits_for_any_key
    a_brought_load_is_dropped_when_nobody_waits_for_any_key
    a_panic_is_everybodys_error_at_once
    a_panic_of_a_brought_load_is_everybodys_error_at_once
    a_panicking_closure_is_a_panicking_load
    a_panic_in_a_load_that_is_joined_leaves_the_rest_to_others
    a_panic_before_all_parts_were_polled_wakes_who_joined_them
}

/// P2, C07: with 1, 2 and 20 waiters for some of its keys, the load goes on, once.
fn the_first_caller_is_dropped_at_every_poll<R: Host>() {
    for i in 0..5 {
        for waiters in [1, 2, 20] {
            let mut sim = Sim::new();
            let batches = sim.batches(steps(5, 10));
            let cache = sim.batched::<R>(&batches, |c| c);
            let first = sim.many(&cache, &[1, 2, 3]);
            let singles: Vec<_> = (0..waiters).map(|_| sim.get(&cache, 2)).collect();
            let other = sim.many(&cache, &[3, 4]);
            sim.to(10 * i + 1);
            sim.drop(first);
            sim.to(41);
            for single in singles {
                assert_eq!(sim.saw(single), "40: V2 LockHit");
            }
            assert_eq!(sim.saw(other), "40: V3 LockHit, V4 Miss");
            assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (0, vec![4])]);
            // No caller waited for key 1 any more, but the load went on for the other keys (D62).
            assert!(cache.contains(&1));
            assert_clean(&cache.stats());
        }
    }
}

/// P2: a load that a call brings outlives its caller, for the callers that wait for one of its keys.
fn a_bringing_caller_is_dropped_at_every_poll<R: Host>() {
    for i in 0..5 {
        let mut sim = Sim::new();
        let batches = sim.batches(steps(5, 10));
        let cache = sim.batched::<R>(&batches, |c| c);
        let first = sim.many_with(&cache, &[1, 2, 3], &batches);
        let single = sim.get(&cache, 2);
        let other = sim.many(&cache, &[3, 2, 4]);
        sim.to(10 * i + 1);
        sim.drop(first);
        sim.run();
        assert_eq!(batches.live(), if i == 4 { 0 } else { 2 }, "the one of the first, and that of key 4");
        sim.to(200);
        assert_eq!(sim.saw(single), "40: V2 LockHit");
        assert_eq!(sim.saw(other), "40: V3 LockHit, V2 LockHit, V4 Miss");
        assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (0, vec![4])]);
        assert_clean(&cache.stats());
    }
}

/// P3: any waiter that is polled drives the load, for any of its keys.
fn parked_callers_hold_nobody_back<R: Host>() {
    for served in 0..3 {
        let mut sim = Sim::new();
        let batches = sim.batches(steps(3, 10));
        let cache = sim.batched::<R>(&batches, |c| c);
        let first = sim.many(&cache, &[1, 2, 3]);
        let others: Vec<_> = [1, 2, 3].map(|key| sim.get(&cache, key)).into();
        sim.park(first);
        for i in others.iter().enumerate().filter(|(i, _)| *i != served).map(|(_, i)| *i) {
            sim.park(i);
        }
        sim.to(20);
        assert_eq!(sim.saw(others[served]), format!("20: V{} LockHit", served + 1));
        sim.unpark(first);
        assert_eq!(sim.saw(first), "20: V1 Miss, V2 Miss, V3 Miss");
        others.iter().for_each(|i| sim.unpark(*i));
        assert_eq!(batches.begun().len(), 1);
        assert_clean(&cache.stats());
    }
}

/// D62.
fn a_load_is_dropped_when_nobody_waits_for_any_key<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.batched::<R>(&batches, |c| c);
    let first = sim.many(&cache, &[1, 2, 3]);
    let single = sim.get(&cache, 3);
    sim.drop(first);
    assert_eq!(batches.live(), 1);
    sim.drop(single);
    assert_eq!(batches.live(), 0);
    let stats = cache.stats();
    assert_eq!((stats.loads_begun, stats.loads_dropped), (3, 3));
    assert_clean(&stats);
}

/// D39, D62: a load that a call brings is dropped once its keys are settled, although the call waits for other keys.
fn a_brought_load_is_dropped_when_nobody_waits_for_any_key<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.cache::<R>(&sim.loads(after(100).gives(9)), |c| c);
    sim.get(&cache, 9);
    let many = sim.many_with(&cache, &[1, 2, 9], &batches);
    cache.insert(1, V::new(11));
    sim.run();
    assert_eq!((batches.begun(), batches.live()), (vec![(0, vec![1, 2])], 1));
    cache.insert(2, V::new(12));
    sim.run();
    assert_eq!((sim.saw(many), batches.live()), ("waits".into(), 0));
    sim.to(100);
    assert_eq!(sim.saw(many), "100: V11 Miss, V12 Miss, V9 LockHit");
    assert_clean(&cache.stats());
}

/// P5, C14: the caller that polled the load unwinds; all other callers of its keys get the error of this one load.
fn a_panic_is_everybodys_error_at_once<R: Host>() {
    for k in 1..=5 {
        let mut sim = Sim::new();
        let script = move |_: &[u32], call| if call == 0 { steps(k, 10).panics(7) } else { after(10) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c);
        let first = sim.many(&cache, &[1, 2, 3]);
        let others: Vec<_> = if k == 1 { Vec::new() } else { [1, 2, 2, 3, 3].map(|key| sim.get(&cache, key)).into() };
        sim.to(100);
        let ends: Vec<_> = others.iter().map(|i| sim.saw(*i)).collect();
        let unwound = ends.iter().chain([&sim.saw(first)]).filter(|end| end.ends_with("unwound 7")).count();
        assert_eq!(unwound, 1, "{} {ends:?}", sim.saw(first));
        for end in ends {
            assert!(end.ends_with(": Panicked") || end.ends_with("unwound 7"), "{end}");
        }
        assert_eq!(batches.begun().len(), 1);
        let again = sim.many(&cache, &[3, 2, 1]);
        sim.to(200);
        assert!(sim.saw(again).ends_with(": V3 Miss, V2 Miss, V1 Miss"), "{}", sim.saw(again));
        assert_clean(&cache.stats());
    }
}

/// P5: the same for a load that a call brings.
fn a_panic_of_a_brought_load_is_everybodys_error_at_once<R: Host>() {
    for k in 1..=3 {
        let mut sim = Sim::new();
        let script = move |_: &[u32], call| if call == 0 { steps(k, 10).panics(7) } else { after(10) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c);
        let mut first = cache.get_many_or_load(&[1, 2, 3], |keys| plain(batches.begin(keys)));
        let (_, waker) = wakers::Counting::new();
        let mut poll =
            || std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_with(&mut first, &waker)));
        let polled = poll();
        let others: Vec<_> = if k == 1 { Vec::new() } else { [1, 2, 2, 3].map(|key| sim.get(&cache, key)).into() };
        sim.to(u64::from(k - 1) * 10);
        sim.run();
        let at = (k - 1) * 10;
        // Any waiter that is polled drives the load, so one of the others unwinds, if there are any.
        let unwound = others.iter().filter(|i| sim.saw(**i) == format!("{at}: unwound 7")).count();
        let told = others.iter().filter(|i| sim.saw(**i) == format!("{at}: Panicked")).count();
        assert_eq!((polled.is_err(), unwound, told), if k == 1 { (true, 0, 0) } else { (false, 1, 3) });
        if k > 1 {
            let core::task::Poll::Ready(values) = poll().expect("another one unwound") else { panic!("it waits") };
            assert!(values.iter().all(|value| value.as_ref().is_err_and(larder::LoadError::is_panicked)));
        }
        assert_eq!(batches.begun().len(), 1);
        drop(first);
        let again = sim.many(&cache, &[3, 2, 1]);
        sim.to(200);
        assert!(sim.saw(again).ends_with(": V3 Miss, V2 Miss, V1 Miss"), "{}", sim.saw(again));
        assert_clean(&cache.stats());
    }
}

async fn plain(load: BatchLoad) -> Result<Vec<(u32, V)>, Boom> {
    let said = load.await?;
    said.into_iter().map(|(key, loaded)| loaded.map(|_| (key, V::new(key)))).collect()
}

/// P5: a loader that panics before it has made a future.
fn a_panicking_closure_is_a_panicking_load<R: Host>() {
    let mut sim = Sim::new();
    let load = |keys: Vec<u32>| {
        if keys.contains(&2) {
            std::panic::panic_any(Bang(2));
        }
        async move { Ok::<_, Boom>(keys.into_iter().map(|key| (key, V::new(key)))) }
    };
    let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
    let (own, other) = (cache.clone(), cache.clone());
    let first = sim.call(async move { own.get_many(&[1, 2, 3]).await });
    assert_eq!(sim.saw(first), "0: unwound 2");
    let again = sim.call(async move { other.get_many(&[3, 1]).await });
    assert_eq!(sim.saw(again), "0: V3, V1");
    assert_eq!(cache.stats().loads_panicked + cache.stats().loads_dropped, 3);
    assert_clean(&cache.stats());
}

/// P3, P5: a caller that unwinds by another caller's load just before it begins its own blocks no other caller.
fn a_panic_in_a_load_that_is_joined_leaves_the_rest_to_others<R: Host>() {
    let mut sim = Sim::new();
    let script = |keys: &[u32], _: usize| if keys == [9] { polls(2).panics(9) } else { after(10) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c);
    let theirs = {
        let cache = cache.clone();
        sim.spawn(async move { cache.get(&9).await })
    };
    sim.poll(theirs);
    let mut kept = cache.get_many(&[1, 9, 2]);
    let (_, waker) = wakers::Counting::new();
    let polled = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_with(&mut kept, &waker)));
    assert!(polled.is_err(), "key 9's load was driven by the new caller");
    let joins = sim.get(&cache, 1);
    sim.to(100);
    assert_eq!(sim.saw(joins), "10: V1 LockHit");
    drop(kept);
    assert_eq!(sim.saw(theirs), "0: Panicked");
    assert_clean(&cache.stats());
}

/// P3, P5: a caller that joined while the load was being made is told of its end, though only the load's own call
/// polled it.
fn a_panic_before_all_parts_were_polled_wakes_who_joined_them<R: Host>() {
    let mut sim = Sim::new();
    let joins: Rc<RefCell<Option<Box<dyn FnOnce()>>>> = Rc::default();
    let calls = joins.clone();
    let load = move |keys: Vec<u32>| {
        let call = if keys == [9] { None } else { calls.take() };
        call.into_iter().for_each(|call| call());
        core::future::poll_fn(move |_| match keys[..] {
            [9] => Poll::<Result<Vec<(u32, V)>, Boom>>::Pending,
            _ => std::panic::panic_any(Bang(7)),
        })
    };
    let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
    let (own, other) = (cache.clone(), cache.clone());
    let theirs = sim.spawn(async move { own.get(&9).await });
    sim.poll(theirs);
    // It joins while the call of many keys makes its load, having claimed all keys.
    let joined = Rc::new(RefCell::new(Box::pin(async move { other.get(&2).await })));
    let (waker, late) = (wakers::Counting::new(), joined.clone());
    let polls = waker.1.clone();
    *joins.borrow_mut() = Some(Box::new(move || {
        assert!(wakers::poll_with(&mut *late.borrow_mut(), &polls).is_pending());
    }));
    let mut kept = cache.get_many(&[1, 2, 9]);
    let polled = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_once(&mut kept).is_ready()));
    assert!(polled.is_err() && joins.borrow().is_none());
    assert!(waker.0.wakes() > 0, "it is not forgotten");
    let told = wakers::poll_with(&mut *joined.borrow_mut(), &waker.1);
    assert!(matches!(told, Poll::Ready(Err(larder::LoadError::Failed(failure))) if failure.is_panicked()));
    sim.drop(theirs);
    drop(kept);
    sim.run();
    assert_clean(&cache.stats());
}
