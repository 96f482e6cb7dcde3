//! Lifetimes beyond a plain TTL: idle time, a closure's, jitter, refreshes ahead of time.

use std::collections::BTreeMap;

use larder::{Cache, Expiring, Loader, LookupOptions, Refreshing, Revalidated, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c37_idle_time
    c37_what_counts_as_a_use
    c37_stale_limits_count_from_the_earlier
    c37_the_idle_give_their_memory_back
    c37_the_next_deadline_is_exact
    c38_jitter
    c38_jitter_of_every_lifetime
    c39_early_refresh
    c39_plain_calls_begin_nothing
    c39_a_failed_early_refresh
    c39_what_is_found_unchanged_begins_anew
    xfetch_follows_its_formula
    xfetch_draws_only_for_stale_calls
    an_expiry_that_panics
}

/// The deadline of a stored value, in milliseconds from now; `None` if it is not stored.
fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

fn for_ms(n: u64) -> Option<TimeLeft> {
    Some(TimeLeft::For(ms(n)))
}

/// C37: a get prolongs the idle time, looking does not, and the TTL ends it all. (P11)
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

/// C37: every lookup that finds the value fresh is a use; a stale hit is none. (P11)
fn c37_what_counts_as_a_use<R: Host>() {
    type Use<R> = fn(&Scripted<R>);
    let uses: [(bool, Use<R>); 9] = [
        (true, |cache| assert!(wakers::now(cache.get(&7)).is_ok())),
        (true, |cache| assert!(wakers::now(cache.lookup(&7, LookupOptions::new())).is_ok())),
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

/// C37: a value that was idle is stale from then on, and held for as long as the limits say. (P12)
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

/// C37: the idle leave without being touched, whoever else is asked for, at a bounded cost; a sweep finds them all. (P12)
fn c37_the_idle_give_their_memory_back<R: Host>() {
    for sweeps in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).shards(2));
        for key in 0..2000 {
            cache.insert(key, V::new(key));
        }
        sim.to(60);
        for key in 0..1000 {
            assert!(cache.get_if_present(&key).is_some());
        }
        sim.to(100);
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

/// C37: a host is told when the next value has to go, to the instant, though hits do not sort anything. (P12, P14)
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

/// The lifetimes of a thousand keys that are inserted, or loaded.
fn lifetimes<R: Host>(seed: u64, loaded: bool, hash_seed: u64) -> Vec<u64> {
    let mut sim = Sim::new();
    let loads = sim.loads(ready());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(0.1, seed).hash_seed(hash_seed));
    let lifetime = |key| {
        if loaded {
            let i = sim.get(&cache, key);
            assert_eq!(sim.saw(i), "0: V0 Miss");
        } else {
            cache.insert(key, V::new(0));
        }
        match left(&cache, key) {
            Some(TimeLeft::For(left)) => left.as_nanos() as u64,
            other => panic!("it is stored, and expires: {other:?}"),
        }
    };
    (0..1000).map(lifetime).collect()
}

/// C38: lifetimes are apart by key, the same for the same seed, and never longer. (P11)
fn c38_jitter<R: Host>() {
    let all = lifetimes::<R>(7, false, 1);
    assert!(all.iter().all(|left| (900_000_000..=1_000_000_000).contains(left)));
    let mut crowds = BTreeMap::<u64, u32>::new();
    for left in &all {
        *crowds.entry(left / 1_000_000).or_default() += 1;
    }
    assert!(crowds.len() > 90 && crowds.values().all(|count| *count <= 50), "in whole milliseconds: {crowds:?}");
    assert_eq!(lifetimes::<R>(7, false, 2), all, "whatever seed the hasher has");
    assert_eq!(lifetimes::<R>(7, true, 3), all, "be they loaded or inserted");
    let others = lifetimes::<R>(8, false, 1);
    let same = all.iter().zip(&others).filter(|(a, b)| a == b).count();
    assert!(same < 10, "{same} of 1000 are the same under another seed");
}

/// C38: for ever stays for ever, what is not stored stays that, and lifetimes from elsewhere are shortened as well.
fn c38_jitter_of_every_lifetime<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| match key {
        0 => ready().ttl(Ttl::Forever),
        1 => ready().ttl(ms(100)),
        2 => ready().ttl(Duration::from_nanos(1)),
        3 => ready().ttl(ms(0)),
        _ => ready(),
    });
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(1.0, 7));
    for key in 0..5 {
        sim.get(&cache, key);
    }
    sim.ask(&cache, 5, LookupOptions::new().ttl(ms(100)));
    assert_eq!((left(&cache, 0), left(&cache, 3)), (Some(TimeLeft::Forever), None));
    assert_eq!(left(&cache, 2), Some(TimeLeft::For(Duration::from_nanos(1))), "never zero");
    for (key, ttl) in [(1, 100), (4, 1000), (5, 100)] {
        let Some(TimeLeft::For(left)) = left(&cache, key) else { panic!("it expires") };
        assert!(left > ms(0) && left < ms(ttl), "key {key}: {left:?}");
    }
    let plain = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(0.0, 7));
    plain.insert(4, V::new(0));
    assert_eq!(left(&plain, 4), for_ms(1000));
}

/// C39: from four fifths on a hit and a ticket, the others a hit; the TTL counts from the end of the refresh. (P1)
fn c39_early_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).refresh_early(0.8));
    cache.insert(7, V::new(0));
    sim.to(79);
    let early = sim.stale(&cache, 7);
    assert_eq!(sim.saw(early), "79: V0 Hit");
    sim.to(80);
    let first = sim.stale(&cache, 7);
    assert_eq!(sim.saw(first), "80: V0 Hit +ticket");
    let refresh = sim.refresh(first);
    sim.to(81);
    let second = sim.stale(&cache, 7);
    assert_eq!(sim.saw(second), "81: V0 Hit");
    sim.to(90);
    assert_eq!(sim.saw(refresh), "90: done");
    assert_eq!(left(&cache, 7), for_ms(100));
    sim.to(189);
    let renewed = sim.get(&cache, 7);
    assert_eq!(sim.saw(renewed), "189: V1 Hit");
    sim.to(190);
    assert!(!cache.contains(&7));
    assert_eq!((loads.begun().len(), cache.stats().hits), (1, 4));
    assert_clean(&cache.stats());
}

/// C39: no other call hands out or begins anything; a ticket that is dropped is the next caller's. (P2)
fn c39_plain_calls_begin_nothing<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).refresh_early(0.8));
    cache.insert(7, V::new(0));
    cache.insert_with(8, larder::Loaded::new(V::new(0)).ttl(Ttl::Forever));
    sim.to(99);
    let plain = sim.get(&cache, 7);
    assert_eq!(sim.saw(plain), "99: V0 Hit");
    assert!(cache.get_if_present(&7).is_some());
    assert!(wakers::now(cache.get(&7)).is_ok());
    assert_clean(&cache.stats());
    for _ in 0..3 {
        let i = sim.stale(&cache, 7);
        assert_eq!(sim.saw(i), "99: V0 Hit +ticket");
        drop(sim.ticket(i));
    }
    sim.to(1_000_000);
    let endless = sim.stale(&cache, 8);
    assert_eq!(sim.saw(endless), "1000000: V0 Hit", "there is no end to come before");
    assert_eq!(loads.calls(), 0);
    assert_clean(&cache.stats());
}

/// C39: a refresh that fails leaves the value; while its failure is kept, nobody is asked again. (P4)
fn c39_a_failed_early_refresh<R: Host>() {
    for error_ttl in [0, 7] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().fails(1));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).refresh_early(0.8).error_ttl(ms(error_ttl)));
        cache.insert(7, V::new(0));
        sim.to(80);
        let first = sim.stale(&cache, 7);
        sim.refresh(first);
        for t in [80, 86, 87] {
            sim.to(t);
            let plain = sim.get(&cache, 7);
            assert_eq!(sim.saw(plain), format!("{t}: V0 Hit"), "it is fresh, whatever has failed");
            let i = sim.stale(&cache, 7);
            let asked = t - 80 >= error_ttl;
            assert_eq!(sim.saw(i), format!("{t}: V0 Hit{}", if asked { " +ticket" } else { "" }));
            if asked {
                drop(sim.ticket(i));
            }
        }
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
    }
}

/// C39: a value that is found unchanged is early, and idle, from its revalidation on.
fn c39_what_is_found_unchanged_begins_anew<R: Host>() {
    let mut sim = Sim::new();
    let load = |key: u32, previous: Option<larder::Previous<V>>| async move {
        Ok::<_, Boom>(if previous.is_some() { Revalidated::unchanged() } else { V::new(key).into() })
    };
    let cache = Cache::builder(R::on(sim.clock()))
        .revalidate_fn(load)
        .ttl(ms(100))
        .time_to_idle(ms(90))
        .refresh_early(0.8)
        .build()
        .expect("valid");
    let stale = |sim: &mut Sim| {
        let cache = cache.clone();
        let i = sim.call(async move { cache.get_stale(&7).await });
        (sim.saw(i), i)
    };
    assert_eq!(stale(&mut sim).0, "0: V7 Miss");
    sim.to(80);
    let (saw, i) = stale(&mut sim);
    assert_eq!(saw, "80: V7 Hit +ticket");
    let generation = cache.peek(&7).and_then(|found| found.generation());
    sim.refresh(i);
    assert_eq!(cache.peek(&7).and_then(|found| found.generation()), generation);
    assert_eq!(cache.peek(&7).map(|found| found.time_left()), for_ms(90));
    sim.to(159);
    assert_eq!(stale(&mut sim).0, "159: V7 Hit");
    assert_eq!(cache.peek(&7).map(|found| found.time_left()), for_ms(21), "at the end of its new lifetime");
    sim.to(160);
    let (saw, i) = stale(&mut sim);
    assert_eq!(saw, "160: V7 Hit +ticket");
    drop(sim.ticket(i));
    assert_clean(&cache.stats());
}

/// A number in (0, 1] from a generator with a seed.
fn unit(random: &RefCell<Random>) -> f64 {
    (random.borrow_mut().below(1 << 53) + 1) as f64 / (1_u64 << 53) as f64
}

/// XFetch: a caller is asked with probability `exp(-left / (took * beta))`.
fn xfetch_follows_its_formula<R: Host>() {
    const DRAWS: u32 = 4000;
    for (beta, took) in [(1.0, 50), (2.0, 50), (1.0, 200), (0.5, 10)] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(took).gives(1));
        let random = RefCell::new(Random::new(7));
        let cache = Cache::builder(R::on(sim.clock()))
            .loader(loads.clone())
            .ttl(ms(1000))
            .refresh_early_by_chance(beta, move || unit(&random))
            .build()
            .expect("valid");
        sim.call({
            let cache = cache.clone();
            async move { cache.get(&7).await }
        });
        sim.to(took);
        for left in [1, 5, 20, 50, 100, 300, 999] {
            sim.to(took);
            sim.jump(took + 1000 - left);
            let asked = (0..DRAWS)
                .filter(|_| wakers::now(cache.get_stale(&7)).is_ok_and(|found| found.refresh.is_some()))
                .count();
            let chance = (-(left as f64) / (took as f64 * beta)).exp();
            let (seen, error) = (asked as f64 / f64::from(DRAWS), (chance * (1.0 - chance) / f64::from(DRAWS)).sqrt());
            assert!(
                (seen - chance).abs() <= 4.0 * error + 1e-3,
                "beta {beta}, took {took}, left {left}: seen {seen}, expected {chance}"
            );
            sim.jump(took);
        }
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
    }
}

/// XFetch: one number for each stale call, with no lock held, none for others; inserted values took no time. (P13)
fn xfetch_draws_only_for_stale_calls<R: Host>() {
    type Inside<R> = Cache<u32, Refreshing<Loader<Loads>, Box<dyn Fn() -> f64>>, R>;
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let draws = Rc::new(Cell::new(0));
    let (count, inside) = (draws.clone(), Rc::new(RefCell::new(None::<Inside<R>>)));
    let weak = Rc::downgrade(&inside);
    let random: Box<dyn Fn() -> f64> = Box::new(move || {
        count.set(count.get() + 1);
        if let Some(cache) = weak.upgrade().and_then(|inside| inside.borrow().clone()) {
            cache.get_if_present(&7); // would hang, or panic, under the shard's lock
        }
        0.0
    });
    let cache: Inside<R> = Cache::builder(R::on(sim.clock()))
        .loader(loads.clone())
        .ttl(ms(100))
        .refresh_early_by_chance(1.0, random)
        .build()
        .expect("valid");
    inside.replace(Some(cache.clone()));
    cache.insert(8, V::new(0));
    let get = {
        let cache = cache.clone();
        sim.call(async move { cache.get_stale(&7).await })
    };
    sim.to(50);
    assert_eq!(sim.saw(get), "50: V1 Miss");
    assert_eq!(draws.get(), 1, "at its first poll, and at no other");
    assert!(wakers::now(cache.get(&7)).is_ok() && cache.get_if_present(&7).is_some());
    assert!(wakers::now(cache.lookup(&7, LookupOptions::new())).is_ok());
    assert_eq!(draws.get(), 1);
    assert!(wakers::now(cache.get_stale(&7)).is_ok_and(|found| found.refresh.is_some()), "zero is the smallest number");
    sim.to(99);
    assert!(wakers::now(cache.get_stale(&8)).is_ok_and(|found| found.refresh.is_none()), "it took no time");
    assert_eq!(draws.get(), 3);
    inside.take();
    assert_clean(&cache.stats());
}

/// D27: the closure panics: the load's poller unwinds, the others have the error, and the next one starts afresh. (P5)
fn an_expiry_that_panics<R: Host>() {
    type Bad<R> = Cache<u32, Expiring<Loader<Loads>, Box<dyn Fn(&u32, &V) -> Ttl>>, R>;
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
    assert_eq!(cache.peek(&7).map(|found| found.time_left()), for_ms(50));
    let insert = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| cache.insert(8, V::new(1))));
    assert!(insert.is_err() && !cache.contains(&8));
    assert_clean(&cache.stats());
}
