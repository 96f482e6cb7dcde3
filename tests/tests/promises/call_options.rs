//! Callers with different options on one load.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c97_three_kinds_of_caller
    c97_the_hurried_one_alone
    a_lifetime_of_the_calls_own
}

/// C97: three callers with their own options on one load that never ends. (P7)
fn c97_three_kinds_of_caller<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    // The cache's own limit keeps the value; the call's limit decides whether the call may use it.
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(60)));
    cache.insert(7, V::new(0));
    sim.to(130);
    sim.time.zero();
    let a = sim.get(&cache, 7);
    let hurried = LookupOptions::new().lock_timeout(ms(10), OnTimeout::Stale).stale_while_refresh(ms(60));
    let b = sim.ask(&cache, 7, hurried);
    let c = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(200), OnTimeout::Fail));
    sim.to(200);
    assert_eq!(sim.saw(b), "10: V0 Stale(40)");
    assert_eq!(sim.saw(c), "200: LockTimeout");
    assert_eq!(sim.saw(a), "waits");
    assert_eq!((loads.calls(), loads.live()), (1, 1));
    sim.drop(a);
    assert_eq!(loads.live(), 0);
    assert_clean(&cache.stats());
}

/// C97: the hurried caller alone: the same result, and the load is dropped with it. (P2, P7)
fn c97_the_hurried_one_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(60)));
    cache.insert(7, V::new(0));
    sim.to(130);
    sim.time.zero();
    let hurried = LookupOptions::new().lock_timeout(ms(10), OnTimeout::Stale).stale_while_refresh(ms(60));
    let b = sim.ask(&cache, 7, hurried);
    assert_eq!(loads.live(), 1);
    sim.to(10);
    assert_eq!(sim.saw(b), "10: V0 Stale(40)");
    assert_eq!((loads.calls(), loads.live()), (1, 0));
    assert_clean(&cache.stats());
}

/// D99: a lifetime set only by a call ends as well, in a cache where nothing has expired so far. (P11)
fn a_lifetime_of_the_calls_own<R: Host>() {
    let options = || LookupOptions::new().ttl(ms(100));
    let asks: [fn(&mut Sim, &Scripted<R>, LookupOptions) -> usize; 2] =
        [|sim, cache, options| sim.ask(cache, 7, options), |sim, cache, options| sim.ask_many(cache, &[7, 8], options)];
    for ask in asks {
        let mut sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(ready().gives(1)), |c| c);
        ask(&mut sim, &cache, options());
        sim.to(99);
        assert!(cache.get_if_present(&7).is_some());
        sim.to(100);
        assert!(cache.get_if_present(&7).is_none());
    }
}
