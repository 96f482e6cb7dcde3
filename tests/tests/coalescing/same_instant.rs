//! A ready answer beats every deadline at the same instant, whichever load it comes from.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    d18_what_was_passed_over_is_asked_before_a_timeout_counts
    d18_what_was_passed_over_is_asked_before_a_budget_counts
}

/// A and B wait from 20 on, and are parked. From 130 on there is also a ticket, whose own load is not made yet.
fn beside_a_ticket<R: Host>(setup: impl FnOnce(Setup<R>) -> Setup<R>) -> (Sim, Loads, Gate, Scripted<R>) {
    let (mut sim, gate) = (Sim::new(), Gate::default());
    let loads = sim.loads_in_turn([gate.script().gives(1), never()]);
    let cache =
        sim.cache::<R>(&loads, |c| setup(c.ttl(ms(10)).stale_while_refresh(ms(1000)).lock_age(ms(100)).attempts(2)));
    cache.insert(7, V::new(9));
    sim.to(20);
    for _ in 0..2 {
        let i = sim.get(&cache, 7);
        sim.park(i);
    }
    sim.to(130);
    let ticket = sim.stale(&cache, 7);
    assert_eq!((sim.saw(ticket).as_str(), loads.calls()), ("130: V9 Stale(120) +ticket", 1));
    (sim, loads, gate, cache)
}

/// D18, D22: C makes the newer load, because that was never polled; but the older one is ready, and has woken no task.
fn d18_what_was_passed_over_is_asked_before_a_timeout_counts<R: Host>() {
    let (mut sim, loads, gate, cache) = beside_a_ticket::<R>(|c| c);
    gate.open_quietly();
    let c = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(0), OnTimeout::Fail));
    assert_eq!((sim.saw(c), loads.calls()), ("130: V1 LockHit".into(), 2));
    assert_eq!((cache.stats().timeouts, loads.live()), (0, 0));
}

/// D18, D93: the same if the budget of the older load has passed.
fn d18_what_was_passed_over_is_asked_before_a_budget_counts<R: Host>() {
    let (mut sim, loads, gate, cache) = beside_a_ticket::<R>(|c| c.load_budget(ms(110)));
    gate.open_quietly();
    let c = sim.get(&cache, 7);
    assert_eq!((sim.saw(c), loads.calls()), ("130: V1 LockHit".into(), 2));
    assert_eq!((cache.stats().loads_failed, loads.live()), (0, 0));
}
