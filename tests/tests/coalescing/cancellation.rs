//! Callers that are dropped leave nothing behind and take nothing away.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c07_first_caller_dropped_at_every_poll
    c07_first_caller_dropped_between_wake_and_poll
    c07_a_borrowing_leader_is_dropped
    c08_all_dropped
    c08_one_key_over_and_over
    c10_clients_more_impatient_than_the_load
    c11_a_train_of_cancelled_callers
    an_unpolled_future_does_nothing
    dropping_two_of_three_waiters_in_any_order
}

/// C07: after whichever poll the first caller is dropped, the others get the value at the same time as otherwise. (P2)
fn c07_first_caller_dropped_at_every_poll<R: Host>() {
    for waiters in [1, 2, 1000] {
        for polls in 0..5 {
            let mut sim = Sim::new();
            let loads = sim.loads(steps(5, 10).gives(1));
            let cache = sim.cache::<R>(&loads, |c| c);
            let first = sim.queue_up(&cache, 7, LookupOptions::new());
            if polls > 0 {
                sim.poll(first);
            }
            let others: Vec<_> = (0..waiters).map(|_| sim.queue_up(&cache, 7, LookupOptions::new())).collect();
            if polls == 0 {
                sim.drop(first);
            }
            sim.run();
            for poll in 2..=polls {
                sim.to(10 * (poll - 1) - 1);
                sim.jump(10 * (poll - 1));
                sim.poll(first);
            }
            sim.drop(first);
            assert_eq!(sim.saw(others[0]), "waits");
            sim.to(40);
            for i in others {
                assert!(sim.saw(i).starts_with("40: V1 "), "{polls} polls, {waiters} waiters: {}", sim.saw(i));
            }
            assert_eq!(loads.calls(), 1);
            assert_eq!(loads.live(), 0);
            assert_clean(&cache.stats());
        }
    }
}

/// C07: the first caller is woken for its load and dropped before it is polled: the wake is not lost. (P2, P3)
fn c07_first_caller_dropped_between_wake_and_poll<R: Host>() {
    for waiters in [1, 2, 1000] {
        for step in 1..5 {
            let mut sim = Sim::new();
            let loads = sim.loads(steps(5, 10).gives(1));
            let cache = sim.cache::<R>(&loads, |c| c);
            let first = sim.get(&cache, 7);
            let others = sim.crowd(&cache, 7, waiters);
            sim.to(10 * step - 1);
            sim.jump(10 * step);
            sim.drop(first);
            sim.to(40);
            for i in others {
                assert_eq!(sim.saw(i), "40: V1 LockHit");
            }
            assert_eq!(loads.calls(), 1);
            assert_clean(&cache.stats());
        }
    }
}

/// C07: a caller that leads with its own load is dropped with it: the caller that has waited longest leads. (P2)
fn c07_a_borrowing_leader_is_dropped<R: Host>() {
    for parked in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(30).gives(2));
        let cache = sim.cache::<R>(&loads, |c| c);
        let (own, time) = (cache.clone(), sim.time.clone());
        let first = sim.call(async move {
            let load = || async {
                sleep(&time, 20).await;
                Ok::<V, Boom>(V::new(1))
            };
            own.get_with(&7, load).await
        });
        let others = sim.crowd(&cache, 7, 3);
        if parked {
            sim.park(others[0]);
        }
        sim.to(10);
        sim.drop(first);
        sim.run();
        assert_eq!(loads.begun(), [10]);
        sim.to(40);
        sim.unpark(others[0]);
        let (leader, joined) = if parked { (others[1], others[0]) } else { (others[0], others[1]) };
        assert_eq!(sim.saw(leader), "40: V2 Miss");
        assert_eq!([sim.saw(joined), sim.saw(others[2])], ["40: V2 LockHit", "40: V2 LockHit"]);
        let stats = cache.stats();
        assert_eq!((stats.loads_begun, stats.loads_dropped, stats.loads_succeeded), (2, 1, 1));
        assert_clean(&stats);
    }
}

/// C08: 100 000 keys whose only callers are dropped: no load runs, no byte stays, each key loads again. (P2, P12)
fn c08_all_dropped<R: Host>() {
    let time = Time::default();
    let loads = Loads::new(&time, |key, call| if call < 200_001 { never() } else { ready().gives(key) });
    let cache = larder::Cache::builder(R::on(time.clock())).loader(loads.clone()).build().expect("valid");
    let abandon = |keys: core::ops::Range<u32>| {
        let mut callers: Vec<_> = keys
            .map(|key| {
                Box::pin({
                    let cache = cache.clone();
                    async move { cache.get(&key).await.map(drop).is_ok() }
                })
            })
            .collect();
        assert!(callers.iter_mut().all(|caller| wakers::poll_once(caller).is_pending()));
        assert_eq!(cache.stats().flights, callers.len() as u64);
    };
    abandon(0..1);
    loads.forget();
    let left = memory::growth(|| {
        abandon(0..100_000);
        assert_eq!(loads.live(), 0);
        loads.forget();
    });
    assert_eq!(left, 0, "bytes left by 100 000 abandoned keys");
    abandon(0..100_000);
    assert_clean(&cache.stats());
    assert_eq!(cache.stats().abandoned, 200_001);
    assert_eq!(wakers::now(cache.get(&77)).map(|v| *v).ok(), Some(77));
}

/// C08: beginning and abandoning one key again and again grows nothing. (P2, P12)
fn c08_one_key_over_and_over<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Fail).load_budget(ms(200)));
    memory::assert_no_growth(|| {
        for _ in 0..2000 {
            let mut first = Box::pin(cache.get(&7));
            let mut second = Box::pin(cache.get(&7));
            assert!(wakers::poll_once(&mut first).is_pending());
            assert!(wakers::poll_once(&mut second).is_pending());
            drop(first);
            assert!(wakers::poll_once(&mut second).is_pending());
        }
        loads.forget();
    });
    assert_clean(&cache.stats());
    assert_eq!(sim.time.next_deadline(), None, "sleeps are left behind");
}

/// C10: clients that give up after 100 share a load of 150: all that come late enough to see its end are served. (P2,
/// P3)
fn c10_clients_more_impatient_than_the_load<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(150).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let mut clients = Vec::new();
    for t in 0..300 {
        sim.to(10 * t);
        if t >= 10 {
            sim.drop(clients[t as usize - 10]);
        }
        clients.push(sim.get(&cache, 7));
    }
    for (n, i) in clients.into_iter().enumerate() {
        let saw = sim.saw(i);
        match n {
            0..5 => assert!(saw.ends_with("dropped"), "client {n}: {saw}"),
            5 => {} // it gives up at the instant of the answer
            6..15 => assert_eq!(saw, "150: V1 LockHit", "client {n}"),
            _ => assert_eq!(saw, format!("{}: V1 Hit", 10 * n), "client {n}"),
        }
    }
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C11: 300 callers queue and are dropped from the front: the patient one behind them gets the value in time. (P2)
fn c11_a_train_of_cancelled_callers<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(1000).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let train = sim.crowd(&cache, 7, 300);
    let patient = sim.get(&cache, 7);
    for (n, i) in train.into_iter().enumerate() {
        sim.to(100 + n as u64);
        sim.drop(i);
        sim.run();
        assert_eq!(cache.stats().waiters, 300 - n as u64);
    }
    sim.to(1000);
    assert_eq!(sim.saw(patient), "1000: V1 LockHit");
    assert_eq!(loads.calls(), 1);
    assert_eq!(cache.stats().abandoned, 300);
    assert_clean(&cache.stats());
}

/// A future that is made and dropped unpolled claims nothing and counts nothing. (P2)
fn an_unpolled_future_does_nothing<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c);
    drop(cache.get(&7));
    drop(cache.lookup(&7));
    drop(cache.get_stale(&7));
    drop(cache.get_with(&7, || async { Ok::<V, Boom>(V::new(1)) }));
    let stats = cache.stats();
    assert_clean(&stats);
    assert_eq!((loads.calls(), stats.loads_begun, stats.abandoned, stats.misses), (0, 0, 0, 0));
}

/// Of a leader and three waiters, any subset is dropped in any order, between any steps of the load. (P2, P3)
fn dropping_two_of_three_waiters_in_any_order<R: Host>() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let mut sim = Sim::new();
        let loads = sim.loads(steps(4, 10).gives(1));
        let cache = sim.cache::<R>(&loads, |c| c);
        let callers = sim.crowd(&cache, 7, 4);
        let survivor = callers[random.below(4) as usize];
        for t in [0, 10, 20] {
            sim.to(t);
            let victim = callers[random.below(4) as usize];
            if victim != survivor {
                sim.drop(victim);
            }
        }
        sim.to(30);
        assert!(sim.saw(survivor).starts_with("30: V1 "), "seed {seed}: {}", sim.saw(survivor));
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
    }
}
