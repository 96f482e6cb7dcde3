//! Time to live, to the instant, on clocks that stand still, jump and end.

use larder::{Instant, Loaded, LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c32_on_the_instant
    c33_zero_ttl_by_insert
    c33_zero_ttl_by_load
    c34_endless_ttl
    c35_precedence
    c36_a_frozen_clock
    c36_a_jumping_clock
    a_slow_poll_does_not_eat_the_ttl
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

/// C33: a load that answers zero serves its callers and removes what was there, fresh or not. (P10)
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

/// C34: the longest TTLs there are last to the end of the clock and beyond. (P11)
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

/// C35: the load's TTL before the call's before the cache's; those who joined have no say. (64 combinations)
fn c35_precedence<R: Host>() {
    const GIVEN: [Option<Ttl>; 4] = [None, Some(Ttl::For(ms(50))), Some(Ttl::Forever), Some(Ttl::NotStored)];
    for (load, call, own) in (0..64).map(|n| (GIVEN[n / 16], GIVEN[n / 4 % 4], GIVEN[n % 4])) {
        let mut sim = Sim::new();
        let script = after(10).gives(1);
        let loads = sim.loads(match load {
            Some(ttl) => script.ttl(ttl),
            None => script.ttl(Ttl::Inherit),
        });
        let cache = sim.cache::<R>(&loads, |c| match own {
            Some(ttl) => c.ttl(ttl),
            None => c,
        });
        let options = LookupOptions::new();
        let a = sim.ask(
            &cache,
            7,
            match call {
                Some(ttl) => options.ttl(ttl),
                None => options,
            },
        );
        let b = sim.ask(&cache, 7, LookupOptions::new().ttl(ms(7)));
        sim.to(10);
        assert_eq!(sim.saw(a), "10: V1 Miss");
        assert_eq!(sim.saw(b), "10: V1 LockHit");
        let decided = load.or(call).or(own).unwrap_or(Ttl::Forever);
        let (stored, later, left) = match decided {
            Ttl::For(ttl) => (true, false, TimeLeft::For(ttl)),
            Ttl::Forever => (true, true, TimeLeft::Forever),
            _ => (false, false, TimeLeft::For(ms(0))),
        };
        let case = format!("load {load:?}, call {call:?}, cache {own:?}");
        assert_eq!((time_left(&sim, a), time_left(&sim, b)), (left, left), "{case}");
        assert_eq!(cache.contains(&7), stored, "{case}");
        sim.to(59);
        assert_eq!(cache.contains(&7), stored, "{case}");
        sim.to(60);
        assert_eq!(cache.contains(&7), later, "{case}");
    }
}

/// C36: the clock stands still for 10 000 calls: fresh stays fresh, and callers still share loads. (P11)
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

/// The clock is read again when a load's poll has returned: time that the poll took is not taken from the TTL. (P11)
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
    let cache = larder::Cache::builder(R::on(sim.clock())).load_fn(load).ttl(ms(100)).build().expect("valid");
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
