//! Many keys at once, under cancellation, panics, parked callers and deadlines.

use larder::{Cache, LoadError, Loaded, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    the_first_caller_is_dropped_at_every_poll
    a_borrowing_caller_is_dropped_at_every_poll
    parked_callers_hold_nobody_back
    a_load_is_dropped_when_nobody_waits_for_any_key
    a_panic_is_everybodys_error_at_once
    a_panic_of_a_borrowed_load_is_everybodys_error_at_once
    a_panicking_closure_is_a_panicking_load
    a_panic_in_a_load_that_is_joined_leaves_the_rest_to_others
    keys_that_time_out_together_are_loaded_together
    keys_that_are_over_age_together_are_taken_over_together
    each_caller_has_a_timeout_of_his_own
    alone_by_option
    alone_over_age
    one_budget
    a_write_ends_the_wait_for_that_key_alone
    a_clear_voids_all_of_a_batch
    c82_a_batch_that_asks_for_one_of_its_keys
    c82_a_borrowed_batch_that_asks_for_one_of_its_keys
    reload_loads_what_is_fresh
    capacity_zero_and_ttl_zero
}

/// P2, C07: with 1, 2 and 20 waiters behind it, for some of its keys; the load goes on, once.
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
            // Nobody waited for key 1 any more, so its answer was nobody's; with the first caller alive at the end it was.
            assert_eq!(cache.contains(&1), i == 4);
            assert_clean(&cache.stats());
        }
    }
}

/// P2, D16: a closure's load goes with its caller, and who waits for one of its keys loads by his own means.
fn a_borrowing_caller_is_dropped_at_every_poll<R: Host>() {
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
        assert_eq!(batches.live(), if i == 4 { 0 } else { 3 }, "two keys are led by others now, and key 4");
        sim.to(200);
        let end = if i == 4 { 40 } else { 10 * i + 41 };
        assert_eq!(sim.saw(single), if i == 4 { "40: V2 LockHit".into() } else { format!("{end}: V2 Miss") });
        assert!(sim.saw(other).starts_with(&format!("{end}: V3 ")), "{}", sim.saw(other));
        assert_clean(&cache.stats());
    }
}

/// P3: whoever of them is polled carries the load on, for any of its keys.
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

/// P5, C14: whoever polled it unwinds, all others who wait for any of its keys have the error, from that one load.
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

/// P5: the same for a load that stays with its caller, which may be kept alive after it has unwound.
fn a_panic_of_a_borrowed_load_is_everybodys_error_at_once<R: Host>() {
    for k in 1..=3 {
        let mut sim = Sim::new();
        let script = move |_: &[u32], call| if call == 0 { steps(k, 10).panics(7) } else { after(10) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c);
        let mut first = cache.get_many_with(&[1, 2, 3], |keys| plain(batches.begin(keys)));
        let (_, waker) = wakers::Counting::new();
        let mut poll =
            || std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_with(&mut first, &waker)));
        let mut polled = poll();
        let others: Vec<_> = if k == 1 { Vec::new() } else { [1, 2, 2, 3].map(|key| sim.get(&cache, key)).into() };
        for step in 1..k {
            assert!(polled.is_ok());
            sim.to(u64::from(step) * 10);
            polled = poll();
        }
        assert_eq!(polled.err().and_then(|panic| panic.downcast::<Bang>().ok()).map(|bang| *bang), Some(Bang(7)));
        sim.run();
        for i in others {
            assert_eq!(sim.saw(i), format!("{}: Panicked", (k - 1) * 10));
        }
        assert_eq!(batches.begun().len(), 1);
        let again = sim.many(&cache, &[3, 2, 1]);
        sim.to(200);
        assert!(sim.saw(again).ends_with(": V3 Miss, V2 Miss, V1 Miss"), "{}", sim.saw(again));
        drop(first);
        assert_clean(&cache.stats());
    }
}

async fn plain(load: BatchLoad) -> Result<Vec<(u32, V)>, Boom> {
    let said = load.await?;
    said.into_iter().map(|(key, loaded)| loaded.map(|_| (key, V::new(key)))).collect()
}

/// P5: a loader that panics before there is a future.
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

/// P3, P5: a caller who unwinds by somebody else's load while he is about to begin his own holds nobody back.
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
    assert!(polled.is_err(), "key 9's load was driven by whoever came");
    let joins = sim.get(&cache, 1);
    sim.to(100);
    assert_eq!(sim.saw(joins), "10: V1 LockHit");
    drop(kept);
    assert_eq!(sim.saw(theirs), "0: Panicked");
    assert_clean(&cache.stats());
}

/// D63, C27: keys whose wait reaches the timeout in the same poll go into one further load.
fn keys_that_time_out_together_are_loaded_together<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { after(500) } else { after(30) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::Load));
    let first = sim.many(&cache, &[1, 2, 3]);
    sim.to(20);
    let second = sim.many(&cache, &[3, 2, 1]);
    sim.to(500);
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (120, vec![3, 2, 1])]);
    assert_eq!(sim.saw(first), "150: V1 Miss, V2 Miss, V3 Miss");
    assert_eq!(sim.saw(second), "150: V3 Miss, V2 Miss, V1 Miss");
    assert_eq!(cache.stats().timeouts, 3);
    assert_clean(&cache.stats());
}

/// P6, C22, C23.
fn keys_that_are_over_age_together_are_taken_over_together<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { never() } else { after(30) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_age(ms(100)));
    let first = sim.many(&cache, &[1, 2, 3]);
    sim.park(first);
    sim.to(10);
    let second = sim.many(&cache, &[2, 3]);
    let third = sim.get(&cache, 1);
    sim.to(130);
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (100, vec![2, 3]), (100, vec![1])]);
    assert_eq!((sim.saw(second), sim.saw(third)), ("130: V2 Miss, V3 Miss".into(), "130: V1 Miss".into()));
    sim.unpark(first);
    assert_eq!(sim.saw(first), "130: V1 Miss, V2 Miss, V3 Miss");
    assert_eq!((cache.stats().takeovers, batches.live()), (3, 0));
    assert_clean(&cache.stats());
}

/// P7, C29: "fail" bounds everyone's wait, key by key.
fn each_caller_has_a_timeout_of_his_own<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::Fail));
    let first = sim.many(&cache, &[1, 2]);
    sim.to(20);
    let second = sim.many(&cache, &[2]);
    sim.to(100);
    assert_eq!((sim.saw(first), batches.live()), ("100: LockTimeout, LockTimeout".into(), 1));
    sim.to(120);
    assert_eq!((sim.saw(second), batches.live()), ("120: LockTimeout".into(), 0));
    assert_clean(&cache.stats());
}

/// D25: "do not store" loads those keys by one load of the caller's own.
fn alone_by_option<R: Host>() {
    for borrowed in [false, true] {
        let mut sim = Sim::new();
        let script = |_: &[u32], call| if call == 0 { after(500) } else { after(30) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::LoadAlone));
        let first = sim.many(&cache, &[1, 2]);
        sim.to(20);
        let second = if borrowed { sim.many_with(&cache, &[2, 1], &batches) } else { sim.many(&cache, &[2, 1]) };
        sim.to(200);
        assert_eq!(sim.saw(second), "150: V2 Miss, V1 Miss");
        assert!(!cache.contains(&1));
        sim.to(500);
        assert_eq!(sim.saw(first), "500: V1 Miss, V2 Miss");
        assert_eq!(batches.begun(), [(0, vec![1, 2]), (120, vec![2, 1])]);
        assert_clean(&cache.stats());
    }
}

/// C26, for many keys and a loader of single ones.
fn alone_over_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, call| if call < 2 { after(300).gives(key) } else { after(30).gives(key + 10) });
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).over_age_alone());
    let first = sim.many(&cache, &[1, 2]);
    sim.to(150);
    let second = sim.many(&cache, &[2, 1]);
    sim.to(180);
    assert_eq!(sim.saw(second), "180: V12 Miss, V11 Miss");
    sim.to(300);
    assert_eq!((sim.saw(first), loads.calls()), ("300: V1 Miss, V2 Miss".into(), 4));
    assert_eq!(cache.get_if_present(&1), Some(V::new(1)));
    assert_clean(&cache.stats());
}

/// D93, C93: a load of many keys has one budget.
fn one_budget<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.batched::<R>(&batches, |c| c.load_budget(ms(100)));
    let first = sim.many(&cache, &[1, 2]);
    sim.to(50);
    let second = sim.get(&cache, 2);
    sim.to(100);
    assert_eq!(sim.saw(first), "100: BudgetExceeded, BudgetExceeded");
    assert_eq!((sim.saw(second), batches.live()), ("100: BudgetExceeded".into(), 0));
    assert_clean(&cache.stats());
}

/// C51: an inserted value is the outcome of that key; the others wait on.
fn a_write_ends_the_wait_for_that_key_alone<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2]);
    let single = sim.get(&cache, 2);
    sim.to(30);
    cache.insert(2, V::new(22));
    sim.run();
    assert_eq!((sim.saw(single), sim.saw(many)), ("30: V22 LockHit".into(), "waits".into()));
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, V22 Miss");
    assert_clean(&cache.stats());
}

/// C52, P8.
fn a_clear_voids_all_of_a_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let before = sim.many(&cache, &[1, 2]);
    sim.to(30);
    cache.clear();
    let after = sim.many(&cache, &[2, 3]);
    sim.to(50);
    assert_eq!((sim.saw(before), cache.len()), ("50: V1 Miss, V2 Miss".into(), 0));
    sim.to(80);
    assert_eq!((sim.saw(after), cache.len()), ("80: V2 Miss, V3 Miss".into(), 2));
    assert_eq!(batches.begun().len(), 2);
    assert_clean(&cache.stats());
}

type Own<R> = Cache<u32, larder::LocalPerCall<V, Boom>, R>;

/// A load of many keys that asks for `inner`, whatever it was asked for.
async fn asking<R: Host>(cache: Own<R>, time: Time, inner: Vec<u32>, many: bool) -> Result<Vec<(u32, V)>, Boom> {
    sleep(&time, 10).await;
    let load = |keys: Vec<u32>| async move { Ok(keys.into_iter().map(|key| (key, V::new(key + 100)))) };
    let results = if many {
        cache.get_many_with(&inner, load).await
    } else {
        vec![cache.get_with(&inner[0], || async { Ok(V::new(100)) }).await]
    };
    let reentrant = results.iter().filter(|result| matches!(result, Err(LoadError::Reentrant))).count() as u32;
    Ok((1..=3).map(|key| (key, V::new(1000 * reentrant + key))).collect())
}

/// C82, D66: the call from inside fails, by whatever way it asks; keys that are not being loaded by it just load.
fn c82_a_borrowed_batch_that_asks_for_one_of_its_keys<R: Host>() {
    for (inner, many, reentrant) in
        [(vec![1], false, 1), (vec![2], false, 1), (vec![3], true, 1), (vec![1, 2, 3, 4], true, 3), (vec![4], true, 0)]
    {
        let mut sim = Sim::new();
        let cache = Cache::builder(R::on(sim.clock())).local_per_call().build().expect("valid");
        let (own, time) = (cache.clone(), sim.time.clone());
        let call = sim.call(async move {
            own.get_many_with(&[1, 2, 3], |_| asking::<R>(own.clone(), time.clone(), inner.clone(), many)).await
        });
        sim.to(10);
        assert_eq!(sim.saw(call), format!("10: V{0}001, V{0}002, V{0}003", reentrant).replace("V000", "V"));
        assert_clean(&cache.stats());
    }
}

/// C82, D66, where the load rests in the flights.
fn c82_a_batch_that_asks_for_one_of_its_keys<R: Host>() {
    for asked in [1, 2, 3, 4] {
        let mut sim = Sim::new();
        let inside: Rc<RefCell<Option<Box<dyn Fn(u32) -> Boxed>>>> = Rc::default();
        let (calls, time) = (inside.clone(), sim.time.clone());
        let load = move |keys: Vec<u32>| {
            let (calls, time) = (calls.clone(), time.clone());
            async move {
                let mut added = 0;
                if keys.contains(&1) {
                    sleep(&time, 10).await;
                    let call = calls.borrow().as_ref().expect("set before the first call")(asked);
                    added = if call.await { 1000 } else { 0 };
                }
                Ok::<_, Boom>(keys.into_iter().map(move |key| (key, V::new(added + key))))
            }
        };
        let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
        let own = cache.clone();
        *inside.borrow_mut() = Some(Box::new(move |key| {
            let cache = own.clone();
            Box::pin(async move { matches!(cache.get(&key).await, Err(LoadError::Reentrant)) })
        }));
        let own = cache.clone();
        let first = sim.call(async move { own.get_many(&[1, 2, 3]).await });
        let own = cache.clone();
        let joins = sim.call(async move { own.get(&3).await });
        sim.to(10);
        let added = if asked == 4 { "" } else { "100" };
        assert_eq!(sim.saw(first), format!("10: V{added}1, V{added}2, V{added}3"));
        assert_eq!(sim.saw(joins), format!("10: V{added}3"));
        assert_clean(&cache.stats());
        inside.take();
    }
}

type Boxed = Pin<Box<dyn Future<Output = bool>>>;

/// D97, by call option.
fn reload_loads_what_is_fresh<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    cache.insert(1, V::new(11));
    let reload = sim.ask_many(&cache, &[1, 2], LookupOptions::new().reload());
    let hit = sim.get(&cache, 1);
    assert_eq!(sim.saw(hit), "0: V11 Hit");
    sim.to(50);
    assert_eq!(sim.saw(reload), "50: V1 Miss, V2 Miss");
    assert_clean(&cache.stats());
}

/// P10, C05: what cannot be stored is delivered, to those who join as well.
fn capacity_zero_and_ttl_zero<R: Host>() {
    for (capacity, ttl) in [(0, 100), (10, 0)] {
        let mut sim = Sim::new();
        let says =
            move |keys: &[u32]| keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)).ttl(ms(ttl))))).collect();
        let batches = Batches::saying(&sim.time, |_, _| after(50), says);
        let cache = sim.batched::<R>(&batches, |c| c.capacity(capacity));
        let first = sim.many(&cache, &[1, 2]);
        let second = sim.many(&cache, &[2, 1]);
        sim.to(50);
        assert_eq!(sim.saw(first), "50: V1 Miss, V2 Miss");
        assert_eq!((sim.saw(second), cache.len()), ("50: V2 LockHit, V1 LockHit".into(), 0));
        assert_eq!(batches.begun().len(), 1);
        assert_clean(&cache.stats());
    }
}
