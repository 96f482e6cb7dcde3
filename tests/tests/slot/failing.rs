//! What a failed fetch leaves: the value, the error, the count and the delay.

use larder::{ConfigError, LookupOptions, Ttl};
use larder_tests::*;

use crate::{ends, held, set};

on_every_runtime! {
    p3_a_kept_failure_and_a_forced_refresh
    whoever_waits_for_a_failed_refresh_has_the_old_value
    beyond_the_stale_limit_and_before_the_retry
    a_forced_refresh_ignores_the_delay_and_restarts_it
    a_forced_refresh_that_fails_tells_the_error
    jitter_shortens_the_delay
    an_empty_slot_waits_only_if_it_is_told_to
    the_count_goes_on_for_ever
    set_and_invalidate_forget_the_failures
    a_failure_of_before_a_write_is_not_kept
    a_joined_waiter_has_the_old_value_by_limits_of_his_own
    a_clock_that_jumps_back
    what_the_builder_refuses
}

/// Callers that wait for a refresh, forced or beyond their own limit, get the old value if it fails. (P4)
fn whoever_waits_for_a_failed_refresh_has_the_old_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(100));
    sim.to(100);
    let leads = sim.fetch(&slot);
    let waits = sim.fetch_with(&slot, LookupOptions::new().reload());
    sim.to(101);
    let fussy = sim.fetch_with(&slot, LookupOptions::new().stale_while_refresh(ms(0)));
    sim.to(110);
    let told = ["110: V0 Stale(10) +E1", "110: E1", "110: V0 Stale(10) +E1"];
    assert_eq!([leads, waits, fussy].map(|i| sim.saw(i)), told);
    let stats = slot.stats();
    assert_eq!((stats.stale, stats.errors, stats.loads_failed), (2, 1, 1));
    let Answer::Outcome(outcome, _) = sim.answer(leads) else { panic!("{}", sim.saw(leads)) };
    assert_eq!((outcome.led(), outcome.waited()), (true, ms(10)));
    assert_clean(&stats);
}

/// D70: beyond the stale limit and before the retry time, callers get the last error at once, without a fetch.
fn beyond_the_stale_limit_and_before_the_retry<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(100)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.fetch(&slot);
    for (t, saw, stale) in [
        (100, "100: V0 Stale(100) +E1", "100: V0 Stale(100) +E1"),
        (101, "101: E1 cached", "101: E1 cached"),
        (4999, "4999: E1 cached", "4999: E1 cached"),
    ] {
        sim.to(t);
        let (plain, ticket) = (sim.fetch(&slot), sim.fetch_stale(&slot));
        assert_eq!([sim.saw(plain), sim.saw(ticket)], [saw, stale]);
    }
    assert_eq!(loads.begun(), [0]);
    sim.to(5000);
    let retry = sim.fetch(&slot);
    assert_eq!((sim.saw(retry), loads.begun()), ("5000: E1".into(), vec![0, 5000]));
}

/// D71: a forced refresh ignores the delay; if it fails, it counts and the delay begins again.
fn a_forced_refresh_ignores_the_delay_and_restarts_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.fetch(&slot);
    sim.to(3000);
    let forced = sim.force(&slot);
    assert_eq!((sim.saw(forced), slot.failures()), ("3000: E1".into(), 2));
    assert_eq!(slot.last_failure().and_then(|failure| failure.retry_at()), Some(sim.time.instant(13_000)));
    for t in [5000, 12_999, 13_000] {
        sim.to(t);
        sim.fetch(&slot);
    }
    assert_eq!(loads.begun(), [0, 3000, 13_000]);
}

/// D97: a caller that forces a refresh of a fresh value gets its error; the value stays fresh, and others get it
/// without one.
fn a_forced_refresh_that_fails_tells_the_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(1000));
    let forced = [sim.force(&slot), sim.force(&slot)];
    let other = sim.fetch(&slot);
    sim.to(10);
    let next = sim.fetch(&slot);
    assert_eq!(ends(&sim, &forced), ["10: E1"]);
    assert_eq!([sim.saw(other), sim.saw(next)], ["0: V0 Hit", "10: V0 Hit"]);
    assert_eq!((slot.failures(), loads.calls()), (1, 1));
}

/// Jitter shortens each delay by up to its share, differently each time, and equally for the same seed.
fn jitter_shortens_the_delay<R: Host>() {
    let delays = |seed| {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().fails(1));
        let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(1000)).retry_backoff(1.0, ms(1000)).jitter(0.5, seed));
        set(&slot, 0, Ttl::ExpiresAtOnce);
        (0..20)
            .map(|n| {
                sim.to(n * 1000);
                sim.fetch(&slot);
                assert_eq!(slot.failures(), n as u32 + 1, "no delay is longer than the whole");
                let retry_at = slot.last_failure().and_then(|failure| failure.retry_at()).expect("it is put off");
                retry_at.as_nanos() / 1000 - n * 1_000_000
            })
            .collect::<Vec<u64>>()
    };
    let mut one = delays(1);
    assert_eq!(one, delays(1));
    assert_ne!(one, delays(2));
    assert!(one.iter().all(|delay| (500_000..=1_000_000).contains(delay)), "{one:?}");
    one.sort_unstable();
    one.dedup();
    assert_eq!(one.len(), 20);
    assert!(one[0] < 700_000 && one[19] > 800_000, "{one:?}");
}

/// D68: an empty slot is fetched by the next caller, unless it is configured to wait as well.
fn an_empty_slot_waits_only_if_it_is_told_to<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 3);
    assert_eq!((ends(&sim, &callers), loads.calls()), (vec!["0: E1".into()], 3));
    // When a value is dropped, its delay is, too.
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.fetchers(&slot, 2);
    slot.invalidate();
    sim.fetchers(&slot, 2);
    assert_eq!((loads.calls(), slot.failures()), (6, 2));

    let loads = sim.loads(ready().panics(1));
    let slot = sim.slot::<R>(&loads, |s| s.retry_when_empty());
    let callers = sim.fetchers(&slot, 3);
    assert_eq!(ends(&sim, &callers), ["0: Panicked cached", "0: unwound 1"]);
    let forced = sim.force(&slot);
    assert_eq!((sim.saw(forced), slot.failures()), ("0: unwound 1".into(), 2));
}

/// The count and the delay continue however long ago the last failure was.
fn the_count_goes_on_for_ever<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    for (t, failures) in [(0, 1), (1_000_000, 2), (1_009_999, 2), (1_010_000, 3), (1 << 40, 4)] {
        sim.to(t);
        sim.fetch(&slot);
        assert_eq!(slot.failures(), failures, "at {t}");
    }
}

/// Earlier failures do not count for a value that was set or dropped.
fn set_and_invalidate_forget_the_failures<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.fetch(&slot);
    set(&slot, 1, Ttl::ExpiresAtOnce);
    assert!(slot.failures() == 0 && slot.last_failure().is_none());
    let next = sim.fetch(&slot);
    assert_eq!(sim.saw(next), "0: V1 Stale(0) +E1", "it was fetched at once");
    assert_eq!(slot.peek().and_then(|found| found.error().map(|error| error.is_cached())), Some(true));
    slot.invalidate();
    assert!(slot.failures() == 0 && slot.peek().is_none());
    // `expire` keeps them.
    set(&slot, 2, ms(1000));
    sim.force(&slot);
    slot.expire();
    let next = sim.fetch(&slot);
    assert_eq!((sim.saw(next), slot.failures()), ("0: V2 Stale(0) +E1".into(), 1));
    assert_eq!(loads.calls(), 3);
}

/// P8: if a fetch from before a write fails after it, this does not affect the new value.
fn a_failure_of_before_a_write_is_not_kept<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).fails(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(1000));
    let before = sim.force(&slot);
    slot.invalidate();
    let after = sim.fetch(&slot);
    sim.to(10);
    assert_eq!([sim.saw(before), sim.saw(after)], ["10: E1", "0: V2 Miss"]);
    assert_eq!((slot.failures(), held(&slot)), (0, Some(2)));
    assert_clean(&slot.stats());
}

/// D99: the limits of a call are its own, also if it has joined.
fn a_joined_waiter_has_the_old_value_by_limits_of_his_own<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(50)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.to(100);
    let limit = |limit| LookupOptions::new().stale_if_error(ms(limit));
    let callers = [109, 110].map(|limited| sim.fetch_with(&slot, limit(limited)));
    sim.to(110);
    assert_eq!(callers.map(|i| sim.saw(i)), ["110: E1", "110: V0 Stale(110) +E1"]);
}

/// D4: a clock that jumps back lengthens lives and waits, and nothing else. (P11)
fn a_clock_that_jumps_back<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(10)));
    sim.to(10_000);
    set(&slot, 0, ms(100));
    sim.to(10_095);
    let due = sim.fetch_stale(&slot);
    sim.refresh(due);
    assert_eq!(slot.failures(), 1);
    sim.jump(0);
    for i in [sim.fetch(&slot), sim.fetch_stale(&slot)] {
        assert_eq!(sim.saw(i), "0: V0 Hit");
    }
    assert_eq!(slot.peek().map(|found| found.age()), Some(ms(0)));
    assert!(slot.expire(), "it does not come back");
    let i = sim.fetch(&slot);
    assert_eq!(sim.saw(i), "0: V0 Stale(0) +E1");
    assert_eq!(loads.calls(), 1);
    sim.to(15_095);
    sim.fetch(&slot);
    assert_eq!(loads.calls(), 2);
}

/// Settings that make no sense are refused by name; others are not.
fn what_the_builder_refuses<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready());
    let refused = |setup: fn(SlotSetup<R>) -> SlotSetup<R>| sim.try_slot(&loads, setup).err();
    assert_eq!(refused(|s| s.attempts(0)), Some(ConfigError::Attempts));
    assert_eq!(refused(|s| s.refresh_inline()), Some(ConfigError::RefreshInline));
    assert_eq!(refused(|s| s.retry_backoff(0.9, ms(60_000))), Some(ConfigError::RetryFactor));
    assert_eq!(refused(|s| s.retry_backoff(f64::NAN, ms(60_000))), Some(ConfigError::RetryFactor));
    assert_eq!(refused(|s| s.retry_backoff(2.0, ms(4999))), Some(ConfigError::RetryCap));
    for share in [-0.1, 1.1, f64::NAN] {
        let refused = sim.try_slot::<R>(&loads, |s| s.jitter(share, 1)).err();
        assert_eq!(refused, Some(ConfigError::SlotJitter), "{share}");
    }
    let taken: [fn(SlotSetup<R>) -> SlotSetup<R>; 6] = [
        |s| s.ttl(ms(0)),
        |s| s.refresh_ahead(ms(0)).refresh_inline(),
        |s| s.retry_after(ms(10_000_000)),
        |s| s.retry_backoff(1.0, ms(5000)),
        |s| s.jitter(1.0, 1).stale_limit(ms(0)),
        |s| s.lock_timeout(ms(1), larder::OnTimeout::Stale),
    ];
    taken.into_iter().for_each(|setup| assert_eq!(refused(setup), None));
    assert_eq!(ConfigError::SlotJitter.field(), "jitter");
}

/// P3, D57: a failure that is kept does not stop stale calls from polling a forced refresh that was woken.
fn p3_a_kept_failure_and_a_forced_refresh<R: Host>() {
    for is_stale in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([ready().fails(1), after(10).gives(2)]);
        let slot = sim.slot::<R>(&loads, |s| s);
        set(&slot, 0, Ttl::ExpiresAtOnce);
        sim.fetch(&slot);
        assert_eq!(slot.failures(), 1);
        sim.to(1000);
        let forced = sim.force(&slot);
        sim.park(forced);
        sim.to(1010);
        let late = if is_stale { sim.fetch_stale(&slot) } else { sim.fetch(&slot) };
        assert!(sim.saw(late).starts_with("1010: V0 Stale(1010)"), "{}", sim.saw(late));
        assert_eq!((held(&slot), slot.failures(), loads.calls()), (Some(2), 0, 2), "{is_stale}");
        sim.unpark(forced);
        sim.run();
        assert_clean(&slot.stats());
    }
}
