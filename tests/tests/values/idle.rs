//! Time to idle: lookups keep a value fresh.

use larder::TimeLeft;
use larder_tests::*;

on_every_runtime! {
    c37_idle_time
    c37_what_counts_as_a_use
    c37_stale_limits_count_from_the_earlier
    c37_the_idle_give_their_memory_back
    c37_the_next_deadline_is_exact
}

/// The deadline of a stored value, in milliseconds from now; `None` if it is not stored.
fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

fn for_ms(n: u64) -> Option<TimeLeft> {
    Some(TimeLeft::For(ms(n)))
}

/// C37: a get extends the idle time, direct reads do not, and the TTL ends it in any case. (P11)
fn c37_idle_time<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), after(10).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).ttl(ms(250)));
    let stored = sim.get(&cache, 7);
    let Answer::Outcome(outcome, _) = sim.answer(stored) else { panic!("a lookup has an outcome") };
    assert_eq!(outcome.time_left(), TimeLeft::For(ms(100)));
    sim.to(90);
    let get = sim.get(&cache, 7);
    assert_eq!(sim.saw(get), "90: V1 Hit");
    assert_eq!(left(&cache, 7), for_ms(100));
    sim.to(180);
    assert!(cache.contains(&7) && cache.iter().count() == 1);
    assert_eq!(left(&cache, 7), for_ms(10), "none of these prolongs");
    sim.to(189);
    let get = sim.get(&cache, 7);
    assert_eq!(sim.saw(get), "189: V1 Hit");
    assert_eq!(left(&cache, 7), for_ms(61), "till the end of the TTL");
    sim.to(249);
    let get = sim.get(&cache, 7);
    assert_eq!(sim.saw(get), "249: V1 Hit");
    sim.to(250);
    assert!(!cache.contains(&7));
    let expired = sim.get(&cache, 7);
    sim.to(260);
    assert_eq!(sim.saw(expired), "260: V2 Expired");
    sim.to(359);
    assert!(cache.contains(&7));
    sim.to(360);
    assert!(!cache.contains(&7) && cache.iter().next().is_none());
    assert_clean(&cache.stats());
}

/// C37: every lookup that finds the value fresh is a use; a stale hit is not. (P11)
fn c37_what_counts_as_a_use<R: Host>() {
    type Use<R> = fn(&Scripted<R>);
    let uses: [(bool, Use<R>); 9] = [
        (true, |cache| assert!(wakers::now(cache.get(&7)).is_ok())),
        (true, |cache| assert!(wakers::now(cache.lookup(&7)).is_ok())),
        (true, |cache| assert!(wakers::now(cache.get_stale(&7)).is_ok())),
        (true, |cache| assert!(wakers::now(cache.get_with(&7, || async { Ok(V::new(2)) })).is_ok())),
        (true, |cache| assert!(cache.get_if_present(&7).is_some())),
        (false, |cache| assert!(cache.peek(&7).is_some())),
        (false, |cache| assert!(cache.contains(&7))),
        (false, |cache| assert_eq!(cache.iter().count(), 1)),
        (false, |cache| cache.retain(|_, _| true)),
    ];
    for (n, (prolongs, use_it)) in uses.into_iter().enumerate() {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).stale_while_refresh(ms(500)));
        cache.insert(7, V::new(1));
        sim.to(99);
        use_it(&cache);
        sim.to(100);
        assert_eq!(cache.contains(&7), prolongs, "use {n}");
        sim.to(199);
        let stale = sim.stale(&cache, 7);
        assert!(!prolongs || sim.saw(stale) == "199: V1 Stale(0) +ticket", "use {n}: {}", sim.saw(stale));
        let again = sim.stale(&cache, 7);
        let age = if prolongs { 0 } else { 99 };
        assert_eq!(sim.saw(again), format!("199: V1 Stale({age})"), "use {n}: being served stale is no use");
        drop(sim.ticket(stale));
        assert_clean(&cache.stats());
    }
}

/// C37: an idle value is stale from then on, and held for as long as the limits allow. (P12)
fn c37_stale_limits_count_from_the_earlier<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache =
        sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).ttl(ms(1000)).stale_if_error(ms(50)).error_ttl(ms(5)));
    cache.insert(7, V::new(0));
    sim.to(60);
    sim.get(&cache, 7);
    for t in [160, 170] {
        sim.to(t);
        let failed = sim.get(&cache, 7);
        assert_eq!(sim.saw(failed), format!("{t}: V0 Stale({}) +E1", t - 160), "the failed load prolongs nothing");
    }
    sim.to(210);
    let last = sim.get(&cache, 7);
    assert_eq!(sim.saw(last), "210: V0 Stale(50) +E1");
    sim.to(211);
    assert_eq!((cache.sweep() > 0, cache.len()), (true, 0));
    assert_clean(&cache.stats());
}

/// C37: idle values leave untouched, by lookups of any other keys, at a bounded cost; a sweep finds them all. (P12)
fn c37_the_idle_give_their_memory_back<R: Host>() {
    for sweeps in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).shards(1));
        // The keys that are asked for came first, so they are in the way of the others.
        for key in 0..2000 {
            sim.to(u64::from(key / 1000));
            cache.insert(key, V::new(key));
        }
        sim.to(60);
        for key in 0..1000 {
            assert!(cache.get_if_present(&key).is_some());
        }
        sim.to(101);
        if sweeps {
            assert_eq!((cache.sweep(), cache.len()), (1000, 1000));
            assert_eq!(cache.sweep(), 0);
        }
        for n in 0..16_000 {
            assert!(cache.get_if_present(&(n % 1000)).is_some());
        }
        assert_eq!((cache.len(), cache.stats().expired_out), (1000, 1000));
        assert_clean(&cache.stats());
    }
}

/// C37: a host is told the exact instant when the next value is due, although hits do not sort anything. (P12, P14)
fn c37_the_next_deadline_is_exact<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).shards(1));
    assert_eq!(cache.next_deadline(), None);
    for key in 0..100 {
        cache.insert(key, V::new(key));
    }
    assert_eq!(cache.next_deadline(), Some(sim.time.instant(100)));
    for t in 1..=30 {
        sim.to(t);
        for key in 0..100 {
            assert!(cache.get_if_present(&key).is_some());
        }
        assert_eq!(cache.next_deadline(), Some(sim.time.instant(100 + t)));
    }
    sim.to(40);
    let asked = memory::allocations(|| (1..100).for_each(|key| assert!(cache.get_if_present(&key).is_some())));
    assert_eq!(asked, 0);
    assert_eq!(cache.next_deadline(), Some(sim.time.instant(130)));
    sim.to(130);
    assert_eq!((cache.sweep(), cache.next_deadline()), (1, Some(sim.time.instant(140))));
    assert!(!cache.contains(&0));
}
