//! Callers that are alive and never polled again block nobody; wakers are woken as often as needed and in order.

use larder::LookupOptions;
use larder_tests::*;

on_every_runtime! {
    c09_first_callers_alive_and_never_polled_again
    c09_any_subset_parked
    c12_wakers_that_move
    c12_spurious_polls
    c13_a_wake_that_drops_a_waiter
    c13_the_same_when_the_load_wakes
    c86_wakes
    a_lone_caller_is_woken_through_its_own_waker
}

/// C09: the first 1, 2 or 11 callers are parked; a hundred behind them are served, whatever happens then. (P3)
fn c09_first_callers_alive_and_never_polled_again<R: Host>() {
    for parked in [1, 2, 11] {
        for (script, drop_first, expected) in [
            (after(50).gives(1), false, "50: V1 LockHit"),
            (after(50).fails(1), false, "50: E1"),
            (after(50).gives(1), true, "50: V1 LockHit"),
            (steps(4, 10).gives(1), true, "30: V1 LockHit"),
        ] {
            let mut sim = Sim::new();
            let loads = sim.loads(script);
            let cache = sim.cache::<R>(&loads, |c| c);
            let first = sim.crowd(&cache, 7, parked);
            for i in &first {
                sim.park(*i);
            }
            let others = sim.crowd(&cache, 7, 100);
            if drop_first {
                sim.to(15);
                sim.drop(first[0]);
            }
            sim.to(50);
            for i in others {
                assert_eq!(sim.saw(i), expected, "{parked} parked");
            }
            assert_eq!(loads.calls(), 1);
            for i in first {
                sim.unpark(i);
                assert!(sim.saw(i) == "50: dropped" || sim.saw(i) != "waits", "{}", sim.saw(i));
            }
            assert_clean(&cache.stats());
        }
    }
}

/// C09: of up to seven callers any subset but all is parked, after any step of the load: the rest is served. (P3)
fn c09_any_subset_parked<R: Host>() {
    for callers in 2..=7_usize {
        for parked in 0..(1 << callers) - 1 {
            for (load, from) in [(steps(3, 10), 0), (steps(3, 10), 10), (polls(30), 0)] {
                let mut sim = Sim::new();
                let loads = sim.loads(load.gives(1));
                let cache = sim.cache::<R>(&loads, |c| c);
                let all: Vec<_> = (0..callers).map(|_| sim.queue_up(&cache, 7, LookupOptions::new())).collect();
                for i in &all {
                    sim.poll(*i);
                }
                if from > 0 {
                    sim.to(from);
                }
                for i in all.iter().filter(|i| parked >> **i & 1 == 1) {
                    sim.park(*i);
                }
                sim.to(20);
                for i in all {
                    if parked >> i & 1 == 0 {
                        let saw = sim.saw(i);
                        assert!(saw.contains(": V1 "), "{callers} callers, parked {parked:b}: caller {i} {saw}");
                    }
                }
                assert_eq!(loads.calls(), 1);
            }
        }
    }
}

/// C12: a waiter that was polled with another waker since is woken through the newer one, once. (P2, P14)
fn c12_wakers_that_move<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let (leader, waiter) = (cache.clone(), cache.clone());
    let (mut leader, mut waiter) = (leader.get(&7), waiter.get(&7));
    let (first, old) = wakers::Counting::new();
    let (second, new) = wakers::Counting::new();
    assert!(wakers::poll_once(&mut leader).is_pending());
    assert!(wakers::poll_with(&mut waiter, &old).is_pending());
    assert!(wakers::poll_with(&mut waiter, &new).is_pending());
    gate.open_quietly();
    let (first_before, second_before) = (first.wakes(), second.wakes());
    assert!(wakers::poll_once(&mut leader).is_ready());
    assert_eq!((first.wakes() - first_before, second.wakes() - second_before), (0, 1));
    assert!(wakers::poll_with(&mut waiter, &new).is_ready());
    assert_clean(&cache.stats());
}

/// C12: 100 000 polls for nothing allocate nothing and call no loader. (P14)
fn c12_spurious_polls<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(1000)));
    let (mut leader, mut waiter) = (cache.get(&7), cache.get(&7));
    let (_, own) = wakers::Counting::new();
    let (_, other) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut leader, &own).is_pending());
    memory::assert_no_growth(|| {
        for i in 0..50_000 {
            assert!(wakers::poll_with(&mut waiter, if i % 2 == 0 { &own } else { &other }).is_pending());
        }
    });
    assert_eq!(loads.calls(), 1);
    assert_eq!(cache.stats().waiters, 2);
}

/// C13: the waker of one waiter drops another waiter of the same key when the load is published. (P2, P13)
fn c13_a_wake_that_drops_a_waiter<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let (mut a, mut w1, mut w2) = (owned(&cache), owned(&cache), owned(&cache));
    assert!(wakers::poll_once(&mut a).is_pending());
    let (_, nobody) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut w1, &nobody).is_pending());
    assert!(wakers::poll_with(&mut w2, &nobody).is_pending());
    let waker = wakers::dropping(w2);
    assert!(wakers::poll_with(&mut w1, &waker).is_pending());
    gate.open_quietly();
    assert!(wakers::poll_once(&mut a).is_ready());
    assert!(!wakers::victim_is_alive());
    assert!(wakers::poll_with(&mut w1, &nobody).is_ready());
    assert_eq!(wakers::now(cache.get(&7)).map(|v| *v).ok(), Some(1));
    assert_clean(&cache.stats());
}

fn owned<R: Host>(cache: &Scripted<R>) -> Pin<Box<impl Future<Output = Option<u32>> + use<R>>> {
    let cache = cache.clone();
    Box::pin(async move { cache.get(&7).await.map(|v| *v).ok() })
}

/// C13: the same when the load itself asks to be polled: the wake of its timer drops a waiter. (P2, P13)
fn c13_the_same_when_the_load_wakes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let (mut w1, mut w2) = (owned(&cache), owned(&cache));
    let (_, nobody) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut w2, &nobody).is_pending());
    let waker = wakers::dropping(w2);
    assert!(wakers::poll_with(&mut w1, &waker).is_pending());
    sim.to(50);
    assert!(!wakers::victim_is_alive());
    assert_eq!(sim.saw(a), "50: V1 Miss");
    assert_eq!(wakers::poll_with(&mut w1, &nobody), Poll::Ready(Some(1)));
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "50: V1 Hit");
    assert_clean(&cache.stats());
}

/// C86: one completion wakes a thousand waiters once each, in order of arrival, within one poll. (P3, P14)
fn c86_wakes<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let order = wakers::Order::default();
    let mut leader = cache.get(&7);
    assert!(wakers::poll_once(&mut leader).is_pending());
    let mut waiters: Vec<_> = (0..1000).map(|_| cache.get(&7)).collect();
    for (n, waiter) in waiters.iter_mut().enumerate() {
        assert!(wakers::poll_with(waiter, &order.waker(n)).is_pending());
    }
    // Some move to another waker on the way and keep their place.
    for n in [3, 500, 998] {
        assert!(wakers::poll_with(&mut waiters[n], &order.waker(n)).is_pending());
    }
    order.take();
    gate.open_quietly();
    assert!(wakers::poll_once(&mut leader).is_ready());
    assert_eq!(order.take(), (0..1000).collect::<Vec<_>>());
    for waiter in &mut waiters {
        assert!(wakers::poll_once(waiter).is_ready());
    }
    assert_eq!(order.take(), []);
    assert_clean(&cache.stats());
}

/// A caller that is alone is woken by its load as often as the load asks, and nothing more. (P3, P14)
fn a_lone_caller_is_woken_through_its_own_waker<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(steps(4, 10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let caller = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!(sim.saw(caller), "30: V1 Miss");
    assert_eq!(sim.wakes(caller), 4, "one wake to be polled at all, one for each step of the load");
    assert_eq!(loads.polls(), 4);
}
