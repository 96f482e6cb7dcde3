//! Slots that are kept fresh without callers.

mod ends;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{OnTimeout, Ttl};
use larder_tests::*;

use crate::{handed, held, set};

on_every_runtime! {
    at_once_and_by_the_margin
    retries_after_failures
    at_most_once_a_second
    d4_a_clock_that_jumps_back
    set_and_invalidate_wake_it
    expire_wakes_it
    a_life_that_somebody_else_has_shortened
    what_somebody_else_has_fetched
    a_failure_of_somebody_else_puts_it_off
    others_have_the_old_value_meanwhile
    the_slots_patience_does_not_bind_it
    values_for_ever
    unpolled_it_does_nothing
}

/// Keeps the slot fresh, as a caller of the simulation.
fn keep<R: Host>(sim: &mut Sim, slot: &Slot<R>) -> usize {
    sim.call(slot.keep_fresh())
}

/// It fetches at once, and then at the margin before each end.
fn at_once_and_by_the_margin<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(100).gives(call as u32));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(60_000)).refresh_ahead(ms(10_000)));
    let task = keep(&mut sim, &slot);
    for second in 1..=150 {
        sim.to(second * 1000);
        let i = sim.fetch(&slot);
        assert!(sim.saw(i).ends_with(" Hit"), "{}", sim.saw(i));
    }
    assert_eq!(loads.begun(), [0, 50_100, 100_200]);
    assert_eq!((handed(&loads), sim.saw(task)), (vec![None, Some(0), Some(1)], "waits".into()));
}

/// After failures it waits as configured, even if there is no value yet.
fn retries_after_failures<R: Host>() {
    for has_value in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_by(|_, call| if call < 3 { ready().fails(1) } else { ready().gives(1) });
        let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100_000)));
        if has_value {
            set(&slot, 0, Ttl::ExpiresAtOnce);
        }
        keep(&mut sim, &slot);
        sim.to(200_000);
        assert_eq!(loads.begun(), [0, 5000, 15_000, 35_000, 135_000]);
        assert_eq!((held(&slot), slot.failures()), (Some(1), 0));
    }
}

/// It asks at most once a second, whatever the source and the settings.
fn at_most_once_a_second<R: Host>() {
    let every = |n: u64| (0..10).map(|i| i * n).collect::<Vec<u64>>();
    for (ttl, begun) in [
        (Ttl::ExpiresAtOnce, every(1000)),
        (Ttl::NotStored, every(1000)),
        (Ttl::For(ms(1)), every(1000)),
        (Ttl::For(ms(999)), every(1000)),
        (Ttl::For(ms(1001)), every(1001)),
        (Ttl::For(ms(0)), every(2000)),
    ] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(1).ttl(ttl));
        let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(2000)).retry_backoff(1.0, ms(2000)));
        keep(&mut sim, &slot);
        sim.to(begun[9]);
        assert_eq!(loads.begun(), begun, "{ttl:?}");
    }
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(0)));
    keep(&mut sim, &slot);
    sim.to(9000);
    assert_eq!(loads.begun(), every(1000));
    // Dropping the value again and again does not speed it up.
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    keep(&mut sim, &slot);
    for t in 9000..11_000 {
        sim.to(t);
        slot.invalidate();
        sim.run();
    }
    assert_eq!(loads.begun(), [9000, 10_000]);
}

/// D4: the pace is that of the present time, not of the time before the jump.
fn d4_a_clock_that_jumps_back<R: Host>() {
    let mut sim = Sim::new();
    sim.jump(3_600_000);
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    keep(&mut sim, &slot);
    assert_eq!(loads.begun(), [3_600_000]);
    sim.jump(0);
    sim.to(5000);
    slot.invalidate();
    sim.to(10_000);
    assert_eq!(loads.begun(), [3_600_000, 6000]);
}

/// It notices at once if a value with another lifetime is set, and if the value is removed.
fn set_and_invalidate_wake_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(60_000)).refresh_ahead(ms(10_000)));
    keep(&mut sim, &slot);
    sim.to(5000);
    set(&slot, 9, ms(30_000));
    sim.to(24_999);
    assert_eq!((loads.calls(), held(&slot)), (1, Some(9)));
    sim.to(25_000);
    assert_eq!((loads.calls(), held(&slot)), (2, Some(1)));
    sim.to(30_000);
    slot.invalidate();
    sim.run();
    assert_eq!(loads.begun(), [0, 25_000, 30_000]);
    // A longer life delays it.
    set(&slot, 9, ms(200_000));
    sim.to(219_999);
    assert_eq!(loads.calls(), 3);
    sim.to(220_000);
    assert_eq!(loads.calls(), 4);
}

/// It notices if the value is expired by hand.
fn expire_wakes_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(60_000)));
    keep(&mut sim, &slot);
    let (_, seen) = sim.watch(&slot);
    sim.to(5000);
    slot.expire();
    sim.run();
    assert_eq!((loads.begun(), seen.changes()), (vec![0, 5000], 1), "the new value is a change, and nothing else is");
}

/// It notices if another caller's fetch shortens the value's life.
fn a_life_that_somebody_else_has_shortened<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).ttl(ms(60_000)), ready().unchanged().ttl(ms(2000))]);
    let slot = sim.slot::<R>(&loads, |s| s);
    keep(&mut sim, &slot);
    sim.to(5000);
    sim.force(&slot);
    sim.to(9000);
    assert_eq!(loads.begun(), [0, 5000, 7000, 9000]);
}

/// It does not fetch again what a caller has fetched.
fn what_somebody_else_has_fetched<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(10_000)));
    keep(&mut sim, &slot);
    sim.to(5000);
    sim.force(&slot);
    sim.to(14_999);
    assert_eq!(loads.begun(), [0, 5000]);
    sim.to(15_000);
    assert_eq!(loads.begun(), [0, 5000, 15_000]);
}

/// A failure counts for the slot, whichever caller fetched.
fn a_failure_of_somebody_else_puts_it_off<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), ready().fails(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(10_000)));
    keep(&mut sim, &slot);
    sim.to(9000);
    sim.force(&slot);
    sim.to(20_000);
    assert_eq!(loads.begun(), [0, 9000, 14_000]);
}

/// While it refreshes, no caller waits or begins a second fetch.
fn others_have_the_old_value_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), never()]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(10_000)));
    keep(&mut sim, &slot);
    sim.to(12_000);
    for i in [sim.fetch(&slot), sim.fetch_stale(&slot)] {
        assert_eq!(sim.saw(i), "12000: V1 Stale(2000)");
    }
    assert_eq!(loads.begun(), [0, 10_000]);
}

/// Its fetches have a budget, and are not dropped because of the callers' timeouts.
fn the_slots_patience_does_not_bind_it<R: Host>() {
    for then in [OnTimeout::Load, OnTimeout::Stale, OnTimeout::Fail, OnTimeout::LoadAlone] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(2000).gives(1));
        let slot = sim.slot::<R>(&loads, |s| s.lock_timeout(ms(100), then));
        keep(&mut sim, &slot);
        sim.to(2000);
        assert_eq!((held(&slot), loads.begun()), (Some(1), vec![0]), "{then:?}");
    }
}

/// A value that does not expire is fetched once, until it is dropped.
fn values_for_ever<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(10)));
    keep(&mut sim, &slot);
    assert_eq!(sim.time.next_deadline(), None);
    sim.to(1 << 40);
    assert_eq!(loads.calls(), 1);
    slot.invalidate();
    sim.run();
    assert_eq!(loads.calls(), 2);
}

/// D6: nothing is done before the first poll.
fn unpolled_it_does_nothing<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready());
    let slot = sim.slot::<R>(&loads, |s| s);
    drop(slot.keep_fresh());
    let kept = slot.keep_fresh();
    set(&slot, 1, ms(10));
    drop(kept);
    assert_eq!(loads.calls(), 0);
    assert_clean(&slot.stats());
}
