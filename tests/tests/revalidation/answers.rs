//! What is returned and stored when a load finds the value unchanged.

use larder::{Cache, LookupOptions, Ttl};
use larder_tests::*;

use crate::{assert_books, handed, pages, told};

on_every_runtime! {
    c94_unchanged
    those_who_joined
    reloaded_though_fresh
    by_a_ticket
    on_whose_terms
    for_ever
    for_a_while_where_nothing_expired
    not_worth_keeping
    nothing_to_keep
    another_value
}

/// C94: TTL 100, expired; the load at 300 returns "unchanged" and 50 more: callers get the old value with its
/// generation, fresh until 50 after the answer, and no value has left. (P11)
fn c94_unchanged<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), after(10).unchanged().ttl(ms(50))]);
    let cache = pages::<R>(&sim, &loads, |c| c);
    let first = sim.get(&cache, 7);
    let (_, _, generation) = told(&sim, first);
    assert!(generation.is_some());
    sim.to(300);
    let again = sim.get(&cache, 7);
    sim.to(310);
    assert_eq!(sim.saw(again), "310: V1 Expired");
    assert_eq!(told(&sim, again), (310, Some(50), generation), "its age counts from its first publication");
    let previous = loads.handed().pop().flatten().expect("the second load was handed the old value");
    assert_eq!((**previous.value(), Some(previous.generation())), (1, generation));
    assert_eq!((previous.published(), previous.deadline()), (sim.time.instant(0), sim.time.instant(100)));
    sim.to(359);
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("359: V1 Hit", (359, Some(1), generation)));
    sim.to(360);
    assert!(!cache.contains(&7), "fresh until 50 after the answer, and no longer");
    assert_eq!(handed(&loads), [None, Some(1)]);
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.held, stats.replaced, stats.expired_out, stats.loads_succeeded), (1, 1, 0, 0, 2));
    assert_books(&cache, 3);
}

/// All waiting callers get the old value, with the same age and generation. (P1, P10)
fn those_who_joined<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let crowd = sim.crowd(&cache, 7, 100);
    sim.to(310);
    for (i, caller) in crowd.into_iter().enumerate() {
        assert_eq!(sim.saw(caller), if i == 0 { "310: V1 Expired" } else { "310: V1 LockHit" });
        assert_eq!(told(&sim, caller), (310, Some(100), generation));
    }
    assert_eq!(loads.calls(), 1);
    assert_books(&cache, 100);
}

/// The reload of a fresh value gets it as well; its deadline moves, even to an earlier time. (D97)
fn reloaded_though_fresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged().ttl(ms(20)));
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(30);
    let reload = sim.ask(&cache, 7, LookupOptions::new().reload());
    let meanwhile = sim.get(&cache, 7);
    assert_eq!(sim.saw(meanwhile), "30: V1 Hit");
    sim.to(40);
    assert_eq!((sim.saw(reload).as_str(), told(&sim, reload)), ("40: V1 Miss", (40, Some(20), generation)));
    assert_eq!(handed(&loads), [Some(1)]);
    sim.to(60);
    assert!(!cache.contains(&7));
    assert_books(&cache, 2);
}

/// A refresh that finds the value unchanged makes it fresh.
fn by_a_ticket<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c.stale_while_refresh(ms(50)));
    let generation = cache.insert(7, V::new(1));
    sim.to(120);
    let stale = sim.stale(&cache, 7);
    assert_eq!(sim.saw(stale), "120: V1 Stale(20) +ticket");
    sim.refresh(stale);
    sim.to(130);
    let hit = sim.stale(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("130: V1 Hit", (130, Some(100), generation)));
    assert_eq!((handed(&loads), cache.stats().stored), (vec![Some(1)], 1));
    assert_books(&cache, 2);
}

/// Unchanged without a lifetime: the call's TTL counts, else the cache's. (D52)
fn on_whose_terms<R: Host>() {
    for (call, left) in [(Ttl::Inherit, 100), (Ttl::For(ms(30)), 30)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().unchanged());
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        sim.to(300);
        let own = sim.ask(&cache, 7, LookupOptions::new().ttl(call));
        assert_eq!(told(&sim, own).1, Some(left));
        sim.to(300 + left - 1);
        assert!(cache.contains(&7));
        sim.to(300 + left);
        assert!(!cache.contains(&7));
        assert_books(&cache, 1);
    }
}

/// Unchanged for ever: it never expires again, and nothing sweeps it out. (P11)
fn for_ever<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged().ttl(Ttl::Forever));
    let cache = pages::<R>(&sim, &loads, |c| c.revalidate_within(ms(500)));
    cache.insert(7, V::new(1));
    sim.to(300);
    let own = sim.get(&cache, 7);
    assert_eq!(told(&sim, own).1, None);
    assert_eq!(cache.next_deadline(), None);
    sim.to(1_000_000);
    assert_eq!((cache.sweep(), cache.contains(&7)), (0, true));
    assert_books(&cache, 1);
}

/// Unchanged with a lifetime: it ends, too, where nothing has expired so far and no hit has read the clock. (P11)
fn for_a_while_where_nothing_expired<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged().ttl(ms(50)));
    let cache = Cache::builder(R::on(sim.clock())).revalidate_fn(loads.revalidator()).build().expect("valid");
    cache.insert(7, V::new(1));
    sim.ask(&cache, 7, LookupOptions::new().reload());
    sim.to(49);
    assert!(cache.get_if_present(&7).is_some());
    sim.to(50);
    assert!(cache.get_if_present(&7).is_none());
}

/// Unchanged, and not to be stored: delivered to all waiting callers, and removed. (P10)
fn not_worth_keeping<R: Host>() {
    for ttl in [Ttl::NotStored, Ttl::For(ms(0))] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).unchanged().ttl(ttl));
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        // Fresh, so that the answer is what removes it.
        sim.to(50);
        let reload = sim.ask(&cache, 7, LookupOptions::new().reload());
        let joined = sim.ask(&cache, 7, LookupOptions::new().reload());
        sim.to(60);
        assert_eq!([sim.saw(reload), sim.saw(joined)], ["60: V1 Miss", "60: V1 LockHit"]);
        assert_eq!([told(&sim, reload), told(&sim, joined)], [(60, Some(0), None); 2]);
        assert!(cache.peek(&7).is_none());
        let stats = cache.stats();
        assert_eq!((stats.held, stats.removed, stats.expired_out), (0, 1, 0));
        assert_books(&cache, 2);
    }
}

/// Unchanged without a previous value is a failure, shared and cached like any. (P4)
fn nothing_to_keep<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).unchanged(), ready().gives(1)]);
    let cache = pages::<R>(&sim, &loads, |c| c.error_ttl(ms(50)));
    let crowd = sim.crowd(&cache, 7, 3);
    sim.to(10);
    for caller in crowd {
        assert_eq!(sim.saw(caller), "10: NothingToKeep");
    }
    let cached = sim.get(&cache, 7);
    assert_eq!(sim.saw(cached), "10: NothingToKeep cached");
    assert!(cache.is_empty());
    sim.to(60);
    let afresh = sim.get(&cache, 7);
    assert_eq!(sim.saw(afresh), "60: V1 Miss");
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.loads_succeeded, stats.errors), (1, 1, 4));
    assert_books(&cache, 5);
}

/// Another value replaces the old one, with its own age and generation.
fn another_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(2));
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    sim.to(310);
    let (age, left, next) = told(&sim, caller);
    assert_eq!((sim.saw(caller).as_str(), age, left), ("310: V2 Expired", 0, Some(100)));
    assert!(next.is_some() && next != generation);
    assert_eq!(handed(&loads), [Some(1)]);
    assert_books(&cache, 1);
}
