//! The scenarios by which the slot's origin is tested.

use larder::Ttl;
use larder_tests::*;

use crate::{held, set};

on_every_runtime! {
    a_refresh_after_expiry
    a_failed_first_fetch_then_success
    a_stale_copy_while_fetching
    recovers_from_a_panic
    a_value_that_never_expires
    expires_at_once_under_a_frozen_clock
    a_failed_refresh_keeps_the_copy_and_is_retried_after_the_delay_only
    failures_are_counted_until_a_success
}

/// A value is fresh, expired, refreshed.
fn a_refresh_after_expiry<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(ms(1000)));
    let slot = sim.slot::<R>(&loads, |s| s);
    for (t, saw) in [(0, "0: V0"), (999, "999: V0"), (1000, "1000: V1"), (1999, "1999: V1"), (2000, "2000: V2")] {
        sim.to(t);
        let i = sim.fetch_value(&slot);
        assert_eq!(sim.saw(i), saw);
    }
}

/// The first fetch fails, the next call fetches at once.
fn a_failed_first_fetch_then_success<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let calls = [sim.fetch_value(&slot), sim.fetch_value(&slot)];
    assert_eq!(calls.map(|i| sim.saw(i)), ["0: E1", "0: V2"]);
}

/// While one caller fetches, the others get the copy, and none waits for another.
fn a_stale_copy_while_fetching<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(10));
    sim.to(10);
    let fetches = sim.fetch_value(&slot);
    let others = [sim.fetch_value(&slot), sim.fetch_value(&slot)];
    assert_eq!(others.map(|i| sim.saw(i)), ["10: V0", "10: V0"]);
    assert_eq!(sim.saw(fetches), "waits");
    gate.open();
    sim.run();
    assert_eq!((sim.saw(fetches), loads.calls()), ("10: V1".into(), 1));
}

/// A fetch panics: the value stays, and after the delay the next fetch succeeds.
fn recovers_from_a_panic<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().panics(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let calls = [sim.fetch_value(&slot), sim.fetch_value(&slot)];
    assert_eq!(calls.map(|i| sim.saw(i)), ["0: unwound 1", "0: V0"]);
    sim.to(5000);
    let next = sim.fetch_value(&slot);
    assert_eq!(sim.saw(next), "5000: V2");
    // Without a value, at once.
    let loads = sim.loads_in_turn([ready().panics(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let calls = [sim.fetch_value(&slot), sim.fetch_value(&slot)];
    assert_eq!(calls.map(|i| sim.saw(i)), ["5000: unwound 1", "5000: V2"]);
    assert_clean(&slot.stats());
}

/// Without a lifetime, one fetch is enough.
fn a_value_that_never_expires<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    for t in 0..100 {
        sim.to(t << 30);
        sim.fetch(&slot);
    }
    assert_eq!((loads.calls(), slot.stats().hits), (1, 99));
}

/// Each call fetches, although no time passes.
fn expires_at_once_under_a_frozen_clock<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    for call in 0..5 {
        let i = sim.fetch_value(&slot);
        assert_eq!(sim.saw(i), format!("0: V{call}"));
    }
}

/// The copy is served until the delay has passed; then a caller tries again.
fn a_failed_refresh_keeps_the_copy_and_is_retried_after_the_delay_only<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(1000));
    for (t, saw) in [(1000, "1000: V0"), (1001, "1001: V0"), (5999, "5999: V0"), (6000, "6000: V2")] {
        sim.to(t);
        let i = sim.fetch_value(&slot);
        assert_eq!(sim.saw(i), saw);
    }
    assert_eq!(loads.begun(), [1000, 6000]);
}

/// The counter counts consecutive failures, also without a value; a success resets it and the delay.
fn failures_are_counted_until_a_success<R: Host>() {
    let mut sim = Sim::new();
    let fails = |call| matches!(call, 0..=2 | 4..=5);
    let loads = sim.loads_by(move |_, call| if fails(call) { ready().fails(1) } else { ready().gives(2).ttl(ms(1)) });
    let slot = sim.slot::<R>(&loads, |s| s);
    let mut counts = Vec::new();
    for _ in 0..4 {
        sim.fetch(&slot);
        counts.push(slot.failures());
    }
    assert_eq!((counts, held(&slot)), (vec![1, 2, 3, 0], Some(2)));
    for (t, failures) in [(1, 1), (5000, 1), (5001, 2), (15_000, 2), (15_001, 0)] {
        sim.to(t);
        sim.fetch(&slot);
        assert_eq!(slot.failures(), failures, "at {t}");
    }
}
