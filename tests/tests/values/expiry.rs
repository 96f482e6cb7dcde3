//! Time to live, exact to the instant, with clocks that stand still, jump and end.

use larder::{Cache, Instant, Loaded, LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c32_on_the_instant
    c33_zero_ttl_by_insert
    c33_zero_ttl_by_load
    c34_endless_ttl
    c35_precedence
    c35_precedence_of_inserts
    c36_a_frozen_clock
    c36_a_jumping_clock
    a_slow_poll_does_not_eat_the_ttl
    an_expiry_that_panics
}

#[track_caller]
fn time_left(sim: &Sim, i: usize) -> TimeLeft {
    match sim.answer(i) {
        Answer::Outcome(outcome, _) => outcome.time_left(),
        other => panic!("caller {i}: {other}"),
    }
}

/// C32: fresh in the last millisecond, expired at the deadline; the TTL counts from publication. (P11)
fn c32_on_the_instant<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).gives(1), after(20).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)));
    let first = sim.get(&cache, 7);
    sim.to(10);
    assert_eq!(time_left(&sim, first), TimeLeft::For(ms(100)));
    sim.to(109);
    let last = sim.get(&cache, 7);
    assert_eq!(sim.saw(last), "109: V1 Hit");
    assert_eq!(time_left(&sim, last), TimeLeft::For(ms(1)));
    assert!(cache.contains(&7));
    sim.to(110);
    assert!(!cache.contains(&7));
    let expired = sim.get(&cache, 7);
    let joined = sim.get(&cache, 7);
    sim.to(130);
    assert_eq!(sim.saw(expired), "130: V2 Expired");
    assert_eq!(sim.saw(joined), "130: V2 LockHit");
    sim.to(229);
    assert!(cache.contains(&7));
    sim.to(230);
    assert!(!cache.contains(&7) && cache.get_if_present(&7).is_none());
    assert_eq!(cache.stats().expired, 2);
    assert_clean(&cache.stats());
}

/// C33: an insert with a TTL of zero stores nothing and removes what was there. (P10)
fn c33_zero_ttl_by_insert<R: Host>() {
    for ttl in [Ttl::For(Duration::ZERO), Ttl::NotStored] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = sim.cache::<R>(&loads, |c| c);
        cache.insert(7, V::new(0));
        assert!(cache.insert_with(7, Loaded::new(V::new(1)).ttl(ttl)).is_none());
        assert!(cache.peek(&7).is_none());
        assert_eq!((cache.len(), cache.stats().removed), (0, 1));
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next), "0: V2 Miss");
        assert_clean(&cache.stats());
    }
}

/// C33: a load that returns a TTL of zero serves its callers and removes what was stored, fresh or not. (P10)
fn c33_zero_ttl_by_load<R: Host>() {
    for fresh in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(10).gives(1).ttl(ms(0)), ready().gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(1000)));
        cache.insert(7, V::new(0));
        sim.to(if fresh { 50 } else { 150 });
        let options = || if fresh { LookupOptions::new().reload() } else { LookupOptions::new() };
        let callers = [0, 1].map(|_| sim.ask(&cache, 7, options()));
        let end = sim.time.ms() + 10;
        sim.to(end);
        for i in callers {
            assert!(sim.saw(i).starts_with(&format!("{end}: V1 ")), "{}", sim.saw(i));
        }
        assert_eq!(loads.calls(), 1);
        assert!(cache.peek(&7).is_none(), "neither the old value nor the new one is held");
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next), format!("{end}: V2 Miss"));
        assert_clean(&cache.stats());
    }
}

/// C34: the longest TTLs last to the end of the clock and beyond. (P11)
fn c34_endless_ttl<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(9));
    let cache = sim.cache::<R>(&loads, |c| c);
    sim.to(1000);
    let ttls = [Ttl::For(Duration::MAX), Ttl::For(Duration::from_nanos(u64::MAX)), Ttl::Forever];
    for (key, ttl) in (0..).zip(ttls) {
        cache.insert_with(key, Loaded::new(V::new(key)).ttl(ttl));
    }
    assert_eq!(cache.next_deadline(), None);
    sim.clock().set(Instant::NEVER);
    for key in 0..3 {
        let i = sim.get(&cache, key);
        assert!(sim.saw(i).ends_with(&format!(": V{key} Hit")), "{}", sim.saw(i));
        assert_eq!(time_left(&sim, i), TimeLeft::Forever);
    }
    assert_eq!(cache.sweep(), 0);
    assert_clean(&cache.stats());
}

/// C35: the load's TTL counts before the call's, the closure's and the cache's, in this order; callers that joined have
/// no influence. (64 combinations, each with four answers of the closure)
fn c35_precedence<R: Host>() {
    const GIVEN: [Ttl; 4] = [Ttl::Inherit, Ttl::For(ms(50)), Ttl::Forever, Ttl::NotStored];
    for n in 0..256 {
        let [load, call, closure, own] = [n / 64, n / 16 % 4, n / 4 % 4, n % 4].map(|n: usize| GIVEN[n]);
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1).ttl(load));
        let cache = Cache::builder(R::on(sim.clock()))
            .loader(loads.clone())
            .ttl(own)
            .expire_after(move |key, value| if (*key, **value) == (7, 1) { closure } else { Ttl::NotStored })
            .build()
            .expect("valid");
        let ask = |sim: &mut Sim, options| {
            let cache = cache.clone();
            sim.call(async move { cache.lookup(&7).options(options).await })
        };
        let a = ask(&mut sim, LookupOptions::new().ttl(call));
        let b = ask(&mut sim, LookupOptions::new().ttl(ms(7)));
        sim.to(10);
        assert_eq!(sim.saw(a), "10: V1 Miss");
        assert_eq!(sim.saw(b), "10: V1 LockHit");
        let decided = [load, call, closure, own].into_iter().find(|ttl| *ttl != Ttl::Inherit).unwrap_or(Ttl::Forever);
        let (stored, later, left) = match decided {
            Ttl::For(ttl) => (true, false, TimeLeft::For(ttl)),
            Ttl::Forever => (true, true, TimeLeft::Forever),
            _ => (false, false, TimeLeft::For(ms(0))),
        };
        let case = format!("load {load:?}, call {call:?}, closure {closure:?}, cache {own:?}");
        assert_eq!((time_left(&sim, a), time_left(&sim, b)), (left, left), "{case}");
        assert_eq!(cache.contains(&7), stored, "{case}");
        sim.to(59);
        assert_eq!(cache.contains(&7), stored, "{case}");
        sim.to(60);
        assert_eq!(cache.contains(&7), later, "{case}");
    }
}

/// C35: an insert's own TTL counts before the closure's, and that before the cache's.
fn c35_precedence_of_inserts<R: Host>() {
    let sim = Sim::new();
    let load = |key: u32| async move { Ok::<_, Boom>(V::new(key)) };
    let cache = Cache::builder(R::on(sim.clock()))
        .load_fn(load)
        .ttl(ms(30))
        .expire_after(|key, _| if *key == 1 { ms(20).into() } else { Ttl::Inherit })
        .build()
        .expect("valid");
    let left = |key, loaded: Loaded<V>| {
        cache.insert_with(key, loaded);
        cache.peek(&key).map(|found| found.time_left())
    };
    let value = || Loaded::new(V::new(0));
    assert_eq!(left(1, value().ttl(ms(10))), Some(TimeLeft::For(ms(10))));
    assert_eq!(left(1, value()), Some(TimeLeft::For(ms(20))));
    assert_eq!(left(2, value()), Some(TimeLeft::For(ms(30))));
}

/// C36: the clock stands still for 10 000 calls: a fresh value stays fresh, and callers still share loads. (P11)
fn c36_a_frozen_clock<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1)).lock_age(ms(1)));
    let callers = sim.crowd(&cache, 7, 100);
    assert_eq!(loads.calls(), 1);
    gate.open();
    sim.run();
    for i in callers {
        assert!(sim.saw(i).starts_with("0: V1 "), "{}", sim.saw(i));
    }
    for _ in 0..10_000 {
        assert!(matches!(wakers::now(cache.get(&7)), Ok(v) if *v == 1));
    }
    assert_eq!((loads.calls(), cache.stats().hits), (1, 10_000));
    assert_clean(&cache.stats());
}

/// C36: an hour forward: expired, one load. An hour back: fresh, of age 0, no load. (P11)
fn c36_a_jumping_clock<R: Host>() {
    const HOUR: u64 = 3_600_000;
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), after(5).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(60_000)).lock_age(ms(1000)));
    sim.jump(2 * HOUR);
    sim.get(&cache, 7);
    sim.jump(3 * HOUR);
    let forward = sim.crowd(&cache, 7, 3);
    assert_eq!(loads.calls(), 2);
    sim.to(3 * HOUR + 5);
    assert_eq!(sim.saw(forward[0]), format!("{}: V2 Expired", 3 * HOUR + 5));
    sim.jump(2 * HOUR);
    let back = sim.get(&cache, 7);
    assert_eq!(sim.saw(back), format!("{}: V2 Hit", 2 * HOUR));
    let Answer::Outcome(outcome, _) = sim.answer(back) else { panic!("a lookup has an outcome") };
    assert_eq!((outcome.age(), outcome.waited()), (ms(0), ms(0)));
    assert_eq!(loads.calls(), 2);
    // A load under way while the clock jumps back is still shared, and still ends.
    sim.jump(3 * HOUR);
    cache.remove(&7);
    let a = sim.get(&cache, 7);
    sim.jump(HOUR);
    let b = sim.get(&cache, 7);
    assert_eq!(loads.calls(), 3);
    sim.to(3 * HOUR + 5);
    assert!(sim.saw(a).ends_with("V2 Miss") && sim.saw(b).ends_with("V2 LockHit"), "{} {}", sim.saw(a), sim.saw(b));
    assert_clean(&cache.stats());
}

/// The clock is read again after a load's poll: the time that the poll took does not shorten the TTL. (P11)
fn a_slow_poll_does_not_eat_the_ttl<R: Host>() {
    let mut sim = Sim::new();
    let clock = sim.clock();
    let load = move |key: u32| {
        let clock = clock.clone();
        async move {
            clock.advance(ms(80)); // a poll that computes for long
            Ok::<_, Boom>(V::new(key))
        }
    };
    let cache = Cache::builder(R::on(sim.clock())).load_fn(load).ttl(ms(100)).build().expect("valid");
    let caller = {
        let cache = cache.clone();
        sim.call(async move { cache.get(&7).await })
    };
    assert_eq!(sim.saw(caller), "0: V7");
    sim.jump(179);
    assert!(cache.contains(&7));
    sim.jump(180);
    assert!(!cache.contains(&7));
}

/// D27: the closure panics: the caller that polls the load unwinds, the others get an error, a later one loads anew.
/// (P5)
fn an_expiry_that_panics<R: Host>() {
    type Bad<R> = Cache<u32, V, Boom, R>;
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).gives(1), after(10).gives(2)]);
    let expiry: Box<dyn Fn(&u32, &V) -> Ttl> = Box::new(|_, value| {
        if **value == 1 {
            std::panic::panic_any(Bang(9));
        }
        ms(50).into()
    });
    let cache: Bad<R> = Cache::builder(R::on(sim.clock()))
        .loader(loads.clone())
        .expire_after(expiry)
        .error_ttl(ms(20))
        .build()
        .expect("valid");
    let ask = |sim: &mut Sim| {
        let cache = cache.clone();
        sim.call(async move { cache.get(&7).await })
    };
    let callers = [0; 3].map(|_| ask(&mut sim));
    sim.to(10);
    let mut saw = callers.map(|i| sim.saw(i));
    saw.sort();
    assert_eq!(saw, ["10: Panicked", "10: Panicked", "10: unwound 9"]);
    assert_eq!((cache.len(), cache.stats().loads_panicked), (0, 1));
    let kept = ask(&mut sim);
    assert_eq!(sim.saw(kept), "10: Panicked cached", "a failure like any");
    sim.to(30);
    let next = ask(&mut sim);
    sim.to(40);
    assert_eq!(sim.saw(next), "40: V2");
    assert_eq!(cache.peek(&7).map(|found| found.time_left()), Some(TimeLeft::For(ms(50))));
    let insert = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| cache.insert(8, V::new(1))));
    assert!(insert.is_err() && !cache.contains(&8));
    assert_clean(&cache.stats());
}
