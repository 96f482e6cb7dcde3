//! A refresh that one caller has claimed goes on as long as stale calls ask for its key. (D57)

use larder::{Cache, Load};
use larder_tests::*;

on_every_runtime! {
    d57_a_refresh_beside_one_that_panics_is_spawned
    d57_polled_once_by_who_is_served
    d57_no_waker_is_left_behind
    d57_served_though_the_poll_ends_the_load
    d57_served_though_the_load_may_tell_of_more
    d57_who_looks_after_nothing
    d57_a_call_that_spawns_polls_first
    d57_a_lent_load_is_no_refresh
    d57_served_though_its_own_refresh_cannot_be_made
}

/// A cache whose value of key 7, V0, is stale by 50.
fn stale<R: Host>(sim: &mut Sim, loads: &Loads) -> Scripted<R> {
    let cache = sim.cache::<R>(loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(1000)));
    cache.insert(7, V::new(0));
    sim.to(150);
    cache
}

/// D57: a stale call polls a refresh that was never polled, or was woken since; not one that waits.
fn d57_polled_once_by_who_is_served<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(steps(4, 10).gives(1));
    let cache = stale::<R>(&mut sim, &loads);
    let first = sim.stale(&cache, 7);
    assert_eq!((sim.saw(first), loads.calls()), ("150: V0 Stale(50) +ticket".into(), 0));
    for (t, polls) in [(150, 1), (159, 1), (160, 2), (165, 2), (170, 3), (180, 4)] {
        sim.to(t);
        for _ in 0..10 {
            let served = sim.stale(&cache, 7);
            if polls < 4 {
                assert_eq!(sim.saw(served), format!("{t}: V0 Stale({})", t - 100));
            }
            assert_eq!((loads.calls(), loads.polls()), (1, polls), "at {t}");
        }
    }
    assert_eq!(cache.get_if_present(&7).as_deref(), Some(&1));
    let ticket = sim.refresh(first);
    assert_eq!((sim.saw(ticket), loads.polls()), ("180: done".into(), 4));
    assert_clean(&cache.stats());
}

/// D57: a caller that was served is not woken by the refresh, and does not wait for it.
fn d57_no_waker_is_left_behind<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stale::<R>(&mut sim, &loads);
    let claimed = sim.stale(&cache, 7);
    let (counter, waker) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut cache.get_stale(&7), &waker).is_ready());
    assert_eq!((loads.calls(), loads.polls(), cache.stats().waiters), (1, 1, 1));
    sim.to(160);
    assert_eq!(counter.wakes(), 0);
    let ticket = sim.refresh(claimed);
    assert_eq!(sim.saw(ticket), "160: done");
    assert_clean(&cache.stats());
}

/// D57, D27: it gets the stale value whatever its poll does; even a panic counts for the refresh only.
fn d57_served_though_the_poll_ends_the_load<R: Host>() {
    for (script, held) in [(ready().gives(1), Some(1)), (ready().fails(2), None), (ready().panics(3), None)] {
        let mut sim = Sim::new();
        let loads = sim.loads(script);
        let cache = stale::<R>(&mut sim, &loads);
        let claimed = sim.stale(&cache, 7);
        let served = sim.stale(&cache, 7);
        assert_eq!(sim.saw(served), "150: V0 Stale(50)");
        assert_eq!((loads.calls(), cache.get_if_present(&7).map(|value| *value)), (1, held));
        let ticket = sim.refresh(claimed);
        assert_eq!((sim.saw(ticket), loads.calls()), ("150: done".into(), 1));
        let stats = cache.stats();
        assert_eq!(
            (stats.stale, stats.errors, stats.loads_failed + stats.loads_panicked),
            (2, 0, u64::from(held.is_none()))
        );
        assert_clean(&stats);
    }
}

/// D57: it gets the stale value even if a load of many keys may return a surplus, and begins no other load.
fn d57_served_though_the_load_may_tell_of_more<R: Host>() {
    for (script, held) in [(ready(), Some(7)), (ready().fails(2), None), (ready().panics(3), None), (never(), None)] {
        let mut sim = Sim::new();
        let batches = sim.batches(script);
        let cache = sim.batched::<R>(&batches, |c| {
            c.ttl(ms(100)).stale_while_refresh(ms(1000)).lock_age(ms(0)).attempts(2).store_surplus()
        });
        cache.insert(7, V::new(0));
        sim.to(150);
        let claimed = sim.stale(&cache, 7);
        let further = sim.stale(&cache, 7);
        assert_eq!((sim.saw(claimed), sim.saw(further)), ("150: V0 Stale(50) +ticket".into(), sim.saw(claimed)));
        let served = sim.stale(&cache, 7);
        assert_eq!(sim.saw(served), "150: V0 Stale(50)");
        assert_eq!(cache.get_if_present(&7).map(|value| *value), held);
        let stats = cache.stats();
        assert_eq!((stats.stale, stats.joined, stats.errors, stats.takeovers), (3, 0, 0, 1));
        drop((sim.ticket(claimed), sim.ticket(further)));
        assert_clean(&cache.stats());
    }
}

/// D57: neither a caller that gets a fresh value nor a direct call polls a refresh.
fn d57_who_looks_after_nothing<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(1000)).refresh_early(0.5));
    cache.insert(7, V::new(0));
    sim.to(60);
    let claimed = sim.stale(&cache, 7);
    assert_eq!(sim.saw(claimed), "60: V0 Hit +ticket");
    let fresh = sim.get(&cache, 7);
    assert_eq!(sim.saw(fresh), "60: V0 Hit");
    assert!(cache.get_if_present(&7).is_some() && cache.peek(&7).is_some() && cache.contains(&7));
    assert_eq!(cache.iter().count() as u64, cache.stats().held);
    assert_eq!(loads.calls(), 0);
    let stale = sim.stale(&cache, 7);
    assert_eq!((sim.saw(stale), loads.calls()), ("60: V0 Hit".into(), 1));
    drop(sim.ticket(claimed));
    assert_clean(&cache.stats());
}

/// D57: a call that spawns the refresh polls it once itself; if it is ready at once, it is not spawned.
fn d57_a_call_that_spawns_polls_first<R: Host>() {
    for (script, spawned) in [(ready().gives(1), 0), (ready().panics(3), 0), (after(10).gives(1), 1)] {
        let sim = Sim::new();
        let (loads, spawner) = (sim.loads(script), Spawning::<R>::new(sim.clock()));
        let builder = Cache::builder(spawner.clone()).loader(loads.clone());
        let cache = builder.ttl(ms(100)).stale_while_refresh(ms(1000)).build().expect("valid");
        cache.insert(7, V::new(0));
        sim.time.set(150);
        let served = wakers::now(cache.get_stale_spawn(&7)).expect("a stale value is there");
        assert!(served.refresh.is_none() && **served.outcome.value() == 0);
        assert_eq!((loads.calls(), loads.polls(), spawner.take().len()), (1, 1, spawned));
        assert_clean(&cache.stats());
    }
}

/// D57, D27: the load that is polled for the caller panics and is not the only one: the refresh goes to the spawner.
fn d57_a_refresh_beside_one_that_panics_is_spawned<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(200).panics(1), after(500).gives(2)]);
    let spawner = Spawning::<R>::new(sim.clock());
    let builder = Cache::builder(spawner.clone()).loader(loads.clone());
    let cache = builder.ttl(ms(100)).stale_while_refresh(ms(1000)).lock_age(ms(50)).build().expect("valid");
    cache.insert(7, V::new(0));
    sim.to(100);
    let asks = cache.clone();
    let first = sim.call(async move { asks.get_stale(&7).await });
    let refresh = sim.refresh(first);
    sim.park(refresh);
    sim.to(300);
    let served = wakers::now(cache.get_stale_spawn(&7)).expect("a stale value is there");
    assert!(served.refresh.is_none() && **served.outcome.value() == 0);
    let spawned = spawner.take();
    assert_eq!((loads.begun(), loads.live(), spawned.len()), (vec![100, 300], 1, 1));
    drop(spawned);
    sim.unpark(refresh);
    sim.to(2000);
    assert_clean(&cache.stats());
}

/// D57, P3: what is lent ends with its call, so the refresh is the loader's; without a loader there is none, and the key
/// stays free.
fn d57_a_lent_load_is_no_refresh<R: Host>() {
    for has_loader in [true, false] {
        let mut sim = Sim::new();
        let [loads, lends] = [1, 2].map(|n| sim.loads(after(10).gives(n)));
        let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).stale_while_refresh(ms(1000));
        let builder = if has_loader { builder.loader(loads.clone()) } else { builder };
        let cache = builder.build().expect("valid");
        cache.insert(7, V::new(0));
        sim.to(150);
        let (lender, brings) = (cache.clone(), lends.clone());
        let served = sim.call(async move { lender.lookup(&7).lend(|| brings.load(7)).stale().await });
        let (lender, brings) = (cache.clone(), lends.clone());
        let waits = sim.call(async move { lender.lookup(&7).lend(|| brings.load(7)).await });
        sim.to(160);
        if has_loader {
            assert_eq!(sim.saw(served), "150: V0 Stale(50) +ticket");
            assert_eq!((sim.saw(waits), loads.calls(), lends.calls()), ("160: V1 LockHit".into(), 1, 0));
            let ticket = sim.refresh(served);
            assert_eq!(sim.saw(ticket), "160: done");
        } else {
            assert_eq!(sim.saw(served), "150: V0 Stale(50)");
            assert_eq!((sim.saw(waits), lends.calls()), ("160: V2 Expired".into(), 1));
        }
        assert_clean(&cache.stats());
    }
}

/// D57, D27: a panic of the closure that makes the refresh is the refresh's as well, and the next caller loads.
fn d57_served_though_its_own_refresh_cannot_be_made<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let cache = stale::<R>(&mut sim, &loads);
    let own = cache.clone();
    let bang = || -> core::future::Ready<Result<larder::Loaded<V>, Boom>> { std::panic::panic_any(Bang(3)) };
    let served = sim.call(async move { own.lookup(&7).by(bang).stale().await });
    assert_eq!((sim.saw(served), cache.stats().loads_panicked), ("150: V0 Stale(50) +ticket".into(), 1));
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "150: V1 Expired");
    let ticket = sim.refresh(served);
    assert_eq!((sim.saw(ticket), loads.calls()), ("150: done".into(), 1));
    assert_clean(&cache.stats());
}
