//! Values that are refreshed before they have expired.

use larder::{Cache, Revalidated, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c39_early_refresh
    c39_plain_calls_begin_nothing
    c39_a_failed_early_refresh
    c39_what_is_found_unchanged_begins_anew
    d100_by_a_margin
    d100_a_refresh_that_stalls_or_fails
    xfetch_follows_its_formula
    xfetch_draws_only_for_stale_calls
}

/// D100: from the margin before its own end on; a value that does not outlive the margin, at half its life.
fn d100_by_a_margin<R: Host>() {
    let lives = [(1, 100, 90), (2, 500, 490), (3, 10, 5), (4, 8, 4)];
    for (key, life, due) in lives {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(1).ttl(ms(life)));
        let cache = sim.cache::<R>(&loads, |c| c.refresh_ahead(ms(10)));
        sim.get(&cache, key);
        sim.to(due - 1);
        let early = sim.stale(&cache, key);
        assert_eq!(sim.saw(early), format!("{}: V1 Hit", due - 1));
        sim.to(due);
        let plain = sim.get(&cache, key);
        let (first, second) = (sim.stale(&cache, key), sim.stale(&cache, key));
        let saw = [plain, first, second].map(|i| sim.saw(i));
        assert_eq!(saw, [format!("{due}: V1 Hit"), format!("{due}: V1 Hit +ticket"), format!("{due}: V1 Hit")]);
        assert_eq!(loads.calls(), 2, "the second stale call has polled it");
        assert_eq!(left(&cache, key), for_ms(life), "it counts from the end of the refresh");
        drop(sim.ticket(first));
        assert_clean(&cache.stats());
    }
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.refresh_ahead(ms(10)));
    cache.insert(7, V::new(0));
    sim.to(1_000_000);
    let endless = sim.stale(&cache, 7);
    assert_eq!(sim.saw(endless), "1000000: V0 Hit");
}

/// D100, D57: a failed refresh does not affect callers until the value expires; the next one begins by the error TTL.
fn d100_a_refresh_that_stalls_or_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().fails(1), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).refresh_ahead(ms(40)).error_ttl(ms(20)));
    cache.insert(7, V::new(0));
    sim.to(60);
    let first = sim.stale(&cache, 7);
    let stalls = sim.refresh(first);
    sim.to(65);
    let beside = sim.stale(&cache, 7);
    assert_eq!([first, beside].map(|i| sim.saw(i)), ["60: V0 Hit", "65: V0 Hit"]);
    sim.drop(stalls);
    let second = sim.stale(&cache, 7);
    sim.refresh(second);
    sim.to(84);
    let kept = sim.stale(&cache, 7);
    sim.to(85);
    let third = sim.stale(&cache, 7);
    assert_eq!([second, kept, third].map(|i| sim.saw(i)), ["65: V0 Hit", "84: V0 Hit", "85: V0 Hit +ticket"]);
    sim.refresh(third);
    assert_eq!((loads.begun(), left(&cache, 7)), (vec![60, 65, 85], for_ms(100)));
    assert_clean(&cache.stats());
}

/// The deadline of a stored value, in milliseconds from now; `None` if it is not stored.
fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

fn for_ms(n: u64) -> Option<TimeLeft> {
    Some(TimeLeft::For(ms(n)))
}

/// C39: from four fifths of its life on, one caller gets a ticket, all get a hit; the TTL counts from the refresh's
/// end. (P1)
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

/// C39: no other call returns or begins a refresh; after a ticket is dropped, the next caller gets one. (P2)
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

/// C39: a refresh that fails leaves the value; while its failure is kept, no other begins. (P4)
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

/// C39: a value that is found unchanged is early, and idle, counted from its revalidation.
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

/// XFetch: a caller gets a refresh with probability `exp(-left / (took * beta))`.
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

/// XFetch: one number for each stale call, with no lock held, and none for others; inserted values took no time. (P13)
fn xfetch_draws_only_for_stale_calls<R: Host>() {
    type Inside<R> = Cache<u32, V, Boom, R>;
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
    assert!(wakers::now(cache.lookup(&7)).is_ok());
    assert_eq!(draws.get(), 1);
    assert!(wakers::now(cache.get_stale(&7)).is_ok_and(|found| found.refresh.is_some()), "zero is the smallest number");
    sim.to(99);
    assert!(wakers::now(cache.get_stale(&8)).is_ok_and(|found| found.refresh.is_none()), "it took no time");
    assert_eq!(draws.get(), 3);
    inside.take();
    assert_clean(&cache.stats());
}
