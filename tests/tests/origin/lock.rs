//! Lock age and lock timeout, with the preset and with the defaults.

use larder::{Coalescing, LookupOptions, OnTimeout};
use larder_tests::*;

use super::counting;

on_every_runtime! {
    get_lock_age
    get_lock_timeout
    the_age_is_looked_at_on_arrival
    what_is_set_after_the_preset_counts
    what_was_set_before_the_preset_is_replaced
}

/// `test_get_lock_age`: callers that find the load over its age load alone: 1 + 2 + 3 = 6. The test here also shows
/// that their values are not stored; by default, one newer attempt serves all, the first caller included. (P6)
fn get_lock_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(Some(ms(1000)), None)));
    let a = sim.get(&cache, 1);
    sim.to(1500);
    let (b, c) = (sim.get(&cache, 1), sim.get(&cache, 1));
    assert_eq!((sim.saw(b), sim.saw(c)), ("1500: V2 Miss".into(), "1500: V3 Miss".into()));
    assert!(!cache.contains(&1));
    sim.to(2000);
    assert_eq!(sim.saw(a), "2000: V1 Miss");
    assert_eq!(cache.get_if_present(&1).map(|v| *v), Some(1));
    assert_clean(&cache.stats());

    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(1000)));
    let a = sim.get(&cache, 1);
    sim.to(1500);
    let (b, c) = (sim.get(&cache, 1), sim.get(&cache, 1));
    assert_eq!((sim.saw(b), sim.saw(c)), ("1500: V2 Miss".into(), "1500: V2 Hit".into()));
    assert!(sim.saw(a).ends_with("V2 Miss"), "{}", sim.saw(a));
    assert_clean(&cache.stats());
}

/// `test_get_lock_timeout`: callers that have waited long enough load alone: 1 + 2 + 3 = 6. The test here also shows
/// that their values are not stored; by default, the first of them serves all. (P6, P7)
fn get_lock_timeout<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, Some(ms(1000)))));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(1000);
    assert_eq!((sim.saw(callers[1]), sim.saw(callers[2])), ("1000: V2 Miss".into(), "1000: V3 Miss".into()));
    assert!(!cache.contains(&1));
    sim.to(2000);
    assert_eq!(sim.saw(callers[0]), "2000: V1 Miss");
    assert_eq!(cache.get_if_present(&1).map(|v| *v), Some(1));
    assert_eq!(cache.stats().timeouts, 2);
    assert_clean(&cache.stats());

    let mut sim = Sim::new();
    let loads = counting(&sim, 2000);
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(1000), OnTimeout::Load));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(1000);
    for (i, status) in callers.into_iter().zip(["Miss", "Miss", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("1000: V2 {status}"));
    }
    assert_eq!((loads.calls(), loads.live()), (2, 0));
    assert_clean(&cache.stats());
}

/// Both limits of the preset: a waiting caller is released by the timeout, not by the age. (P6, P7)
fn the_age_is_looked_at_on_arrival<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(400).gives(1), after(30).gives(2), after(30).gives(3)]);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(Some(ms(100)), Some(ms(200)))));
    let a = sim.get(&cache, 7);
    sim.to(50);
    let b = sim.get(&cache, 7);
    sim.to(150);
    let c = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 150]);
    sim.to(180);
    assert_eq!((sim.saw(b), sim.saw(c)), ("waits".into(), "180: V2 Miss".into()));
    sim.to(280);
    assert_eq!(sim.saw(b), "280: V3 Miss");
    assert_eq!(loads.begun(), [0, 150, 250]);
    sim.to(400);
    assert_eq!(sim.saw(a), "400: V1 Miss");
    assert_eq!((cache.stats().takeovers, cache.stats().timeouts), (0, 1));
    assert_clean(&cache.stats());
}

/// Settings after the preset replace its own: an age that it was not given, another action at the timeout.
fn what_is_set_after_the_preset_counts<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(300).gives(1), ready().gives(2)]);
    let preset = Coalescing::pingora(None, Some(ms(10)));
    let cache =
        sim.cache::<R>(&loads, |c| c.coalescing(preset).lock_age(ms(100)).lock_timeout(ms(50), OnTimeout::Fail));
    let a = sim.ask(&cache, 7, LookupOptions::new().no_lock_timeout());
    let b = sim.get(&cache, 7);
    sim.to(50);
    assert_eq!(sim.saw(b), "50: LockTimeout");
    sim.to(150);
    let c = sim.get(&cache, 7);
    assert_eq!(sim.saw(c), "150: V2 Miss");
    assert!(!cache.contains(&7), "over-age callers load alone, as the preset says");
    sim.to(300);
    assert_eq!(sim.saw(a), "300: V1 Miss");
    assert_clean(&cache.stats());
}

/// The preset replaces earlier settings, even those that it was given no limit for; the rest stays.
fn what_was_set_before_the_preset_is_replaced<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let cache = sim.cache::<R>(&loads, |c| {
        let c = c.lock_age(ms(100)).lock_timeout(ms(50), OnTimeout::Fail).ttl(ms(500));
        c.coalescing(Coalescing::pingora(None, None))
    });
    let a = sim.get(&cache, 7);
    let b = sim.get(&cache, 7);
    sim.to(150);
    let c = sim.get(&cache, 7);
    sim.to(300);
    for (i, status) in [(a, "Miss"), (b, "LockHit"), (c, "LockHit")] {
        assert_eq!(sim.saw(i), format!("300: V1 {status}"));
    }
    assert_eq!(loads.calls(), 1);
    sim.to(800);
    assert!(!cache.contains(&7));
    assert_clean(&cache.stats());
}
