//! Freshness that is ended or renewed on demand: `expire`, `refresh`, and `invalidate_if` by generation.

use larder_tests::*;

on_every_runtime! {
    c54_the_same_bad_token
    an_invalidation_that_does_not_fit_is_no_write
    c95_expire_then_get
    c95_expire_then_the_stale_call
    c95_expire_voids_the_load_in_flight
    c95_what_is_expired_gives_its_room_back
    c95_a_refresh_is_one_load_and_others_hit
    c95_a_failed_refresh_leaves_the_value
    c95_a_refresh_joins_a_load_in_flight
    c95_a_refresh_ignores_a_kept_failure
    a_cache_where_nothing_expired_so_far_can_expire
}

/// C54: a hundred callers refuse the same value: one removes it, one load, and none drops the next value. (P8)
fn c54_the_same_bad_token<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(8));
    let cache = sim.cache::<R>(&loads, |c| c);
    let bad = cache.insert(7, V::new(7)).expect("it is stored");
    let removals = Rc::new(Cell::new(0));
    let refused = |sim: &mut Sim| {
        let (cache, removals) = (cache.clone(), removals.clone());
        sim.call(async move {
            removals.set(removals.get() + u32::from(cache.invalidate_if(&7, bad)));
            cache.lookup(&7).await
        })
    };
    let callers: Vec<_> = (0..99).map(|_| refused(&mut sim)).collect();
    sim.to(50);
    let late = refused(&mut sim);
    assert_eq!(sim.saw(late), "50: V8 Hit");
    let good = cache.peek(&7).and_then(|found| found.generation());
    assert!(good.is_some_and(|good| good != bad));
    for i in callers.into_iter().chain([late]) {
        assert!(sim.saw(i).starts_with("50: V8 "), "{}", sim.saw(i));
        assert!(matches!(sim.answer(i), Answer::Outcome(outcome, _) if outcome.generation() == good));
    }
    assert_eq!((removals.get(), loads.calls(), cache.stats().removed), (1, 1, 1));
    assert_clean(&cache.stats());
}

/// D42, D98: it is a write only if it removes: otherwise a load in flight goes on and is stored.
fn an_invalidation_that_does_not_fit_is_no_write<R: Host>() {
    for fits in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(50).gives(8));
        let cache = sim.cache::<R>(&loads, |c| c);
        let old = cache.insert(7, V::new(6)).expect("it is stored");
        let new = cache.insert(7, V::new(7)).expect("it is stored");
        let own = cache.clone();
        let refresh = sim.call(async move { own.refresh(&7).await });
        assert_eq!(cache.invalidate_if(&7, if fits { new } else { old }), fits);
        assert_eq!(cache.contains(&7), !fits);
        sim.to(50);
        assert_eq!(sim.saw(refresh), "50: V8 Miss");
        assert_eq!(cache.get_if_present(&7).map(|v| *v), (!fits).then_some(8));
        assert_clean(&cache.stats());
    }
}

/// C95: a value that was expired by hand is loaded anew by a plain `get`. (P1)
fn c95_expire_then_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(50)));
    cache.insert(7, V::new(1));
    sim.to(50);
    assert!(cache.expire(&7));
    assert!(!cache.expire(&7), "it is not fresh any more");
    assert!(!cache.contains(&7) && cache.len() == 1, "it is held");
    let a = sim.get(&cache, 7);
    sim.to(60);
    assert_eq!(sim.saw(a), "60: V2 Expired");
    let stats = cache.stats();
    assert_eq!((stats.expired_out, stats.replaced), (1, 0));
    assert_clean(&stats);
}

/// C95: in a second run the stale call gets it with its age, and a ticket; the limit counts from `expire`. (P1)
fn c95_expire_then_the_stale_call<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(50)));
    cache.insert(7, V::new(1));
    sim.to(50);
    cache.expire(&7);
    sim.to(60);
    let stale = sim.stale(&cache, 7);
    assert_eq!(sim.saw(stale), "60: V1 Stale(10) +ticket");
    drop(sim.ticket(stale));
    sim.to(90);
    assert!(!cache.expire(&7), "the earlier deadline stays");
    sim.to(100);
    let last = sim.stale(&cache, 7);
    assert_eq!(sim.saw(last), "100: V1 Stale(50) +ticket");
    drop(sim.ticket(last));
    sim.to(101);
    let late = sim.stale(&cache, 7);
    sim.to(111);
    assert_eq!(sim.saw(late), "111: V2 Expired");
    assert_clean(&cache.stats());
}

/// D96: a load in flight may have read the expired value: waiting callers get it, and it is not stored. (P8)
fn c95_expire_voids_the_load_in_flight<R: Host>() {
    for is_there in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(50).gives(2), after(20).gives(3)]);
        let cache = sim.cache::<R>(&loads, |c| c);
        if is_there {
            cache.insert(7, V::new(1));
        }
        let own = cache.clone();
        let refresh = sim.call(async move { own.refresh(&7).await });
        sim.to(20);
        assert_eq!(cache.expire(&7), is_there);
        let behind = sim.get(&cache, 7);
        sim.to(50);
        assert_eq!(sim.saw(refresh), "50: V2 Miss");
        assert_eq!(sim.saw(behind), if is_there { "40: V3 Expired" } else { "40: V3 Miss" });
        assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(3));
        assert_clean(&cache.stats());
    }
}

/// C95, D49: from then on it is due for removal, to the instant, whatever its lifetime was. (P12)
fn c95_what_is_expired_gives_its_room_back<R: Host>() {
    for (limit, due) in [(None, 50_000_000), (Some(20), 70_000_001)] {
        let mut sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(never()), |c| {
            limit.map(ms).into_iter().fold(c.ttl(ms(1000)), larder::Builder::stale_while_refresh)
        });
        cache.insert(7, V::new(7));
        sim.to(50);
        assert!(cache.expire(&7));
        assert_eq!(cache.next_deadline(), Some(larder::Instant::from_nanos(due)));
        sim.to(71);
        assert_eq!((cache.sweep(), cache.len()), (1, 0));
    }
}

/// C95: one load for two callers of `refresh`, a hit for the others meanwhile. (P1)
fn c95_a_refresh_is_one_load_and_others_hit<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)));
    cache.insert(7, V::new(1));
    let refreshers = [refresh(&mut sim, &cache), refresh(&mut sim, &cache)];
    sim.to(20);
    let other = sim.get(&cache, 7);
    assert_eq!(sim.saw(other), "20: V1 Hit");
    sim.to(50);
    assert_eq!(refreshers.map(|i| sim.saw(i)), ["50: V2 Miss", "50: V2 LockHit"]);
    assert_eq!(loads.calls(), 1);
    sim.to(149);
    let fresh = sim.get(&cache, 7);
    assert_eq!(sim.saw(fresh), "149: V2 Hit");
    assert_clean(&cache.stats());
}

/// C95: if it fails, the value stays, and the caller of `refresh` gets the error, with stale-if-error or not. (P4)
fn c95_a_failed_refresh_leaves_the_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(1000)));
    cache.insert(7, V::new(1));
    sim.to(60);
    let refreshers = [refresh(&mut sim, &cache), refresh(&mut sim, &cache)];
    sim.to(90);
    let other = sim.get(&cache, 7);
    assert_eq!(sim.saw(other), "90: V1 Hit");
    sim.to(110);
    assert_eq!(refreshers.map(|i| sim.saw(i)), ["110: E1", "110: E1"]);
    let softened = sim.get(&cache, 7);
    sim.to(160);
    assert_eq!(sim.saw(softened), "160: V1 Stale(60) +E1");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// D97: it joins a load that is in flight. (P1)
fn c95_a_refresh_joins_a_load_in_flight<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    sim.to(20);
    let joined = refresh(&mut sim, &cache);
    sim.to(50);
    assert_eq!([a, joined].map(|i| sim.saw(i)), ["50: V1 Miss", "50: V1 LockHit"]);
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// D97: callers get a kept failure, but a call of `refresh` ignores it. (P4)
fn c95_a_refresh_ignores_a_kept_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), after(10).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
    sim.get(&cache, 7);
    let kept = sim.get(&cache, 7);
    assert_eq!(sim.saw(kept), "0: E1 cached");
    let anew = refresh(&mut sim, &cache);
    let kept = sim.get(&cache, 7);
    assert_eq!(sim.saw(kept), "0: E1 cached");
    sim.to(10);
    assert_eq!(sim.saw(anew), "10: V2 Miss");
    let hit = sim.get(&cache, 7);
    assert_eq!(sim.saw(hit), "10: V2 Hit");
    assert_clean(&cache.stats());
}

/// D96, P11: also if no hit has read the clock so far, and if the clock is at its end.
fn a_cache_where_nothing_expired_so_far_can_expire<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c);
    for now in [0, 5, u64::MAX] {
        sim.clock().set(larder::Instant::from_nanos(now));
        cache.insert(7, V::new(1));
        assert!(cache.get_if_present(&7).is_some());
        assert!(cache.expire(&7), "at {now}");
        assert!(cache.get_if_present(&7).is_none(), "at {now}");
    }
    assert_clean(&cache.stats());
}

fn refresh<R: Host>(sim: &mut Sim, cache: &Scripted<R>) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.refresh(&7).await })
}
