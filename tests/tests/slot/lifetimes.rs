//! What happens to an answer, depending on its lifetime.

use larder::{LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

use crate::{ends, handed, held, set};

on_every_runtime! {
    answers_of_zero_are_paced
    the_pace_of_zeros_is_that_of_failures
    a_good_value_ends_the_pace
    zero_beyond_the_stale_limit
    zero_displaces_no_good_value
    zero_by_setting_call_and_hand
    expires_at_once_is_not_paced
    expires_at_once_at_the_end_of_time
    not_stored
    unchanged
    unchanged_and_expired
    whose_lifetime_counts
}

/// D74: a source that returns values which have already expired is asked at the pace of the back-off, and does not
/// fail.
fn answers_of_zero_are_paced<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(ms(0)));
    let slot = sim.slot::<R>(&loads, |s| s);
    for second in 0..=80 {
        sim.to(second * 1000);
        let callers = sim.fetchers(&slot, 2);
        let [first, ..] = callers[..] else { unreachable!() };
        let t = second * 1000;
        let fetched = loads.begun().last() == Some(&t);
        let (n, begun) = (loads.calls() - 1, *loads.begun().last().expect("it was fetched"));
        match (second, fetched) {
            (0, _) => assert_eq!(sim.saw(first), "0: V0 Miss"),
            (_, true) => assert_eq!(sim.saw(first), format!("{t}: V{n} Expired")),
            (_, false) => assert_eq!(sim.saw(first), format!("{t}: V{n} Stale({})", t - begun)),
        }
        assert!(slot.failures() == 0 && slot.last_failure().is_none());
        assert_eq!(held(&slot), Some(n as u32));
    }
    assert_eq!(loads.begun(), [0, 5000, 15_000, 35_000, 75_000]);
    assert_clean(&slot.stats());
}

/// The delay grows with each failure and each expired value; only failures count as failures.
fn the_pace_of_zeros_is_that_of_failures<R: Host>() {
    let mut sim = Sim::new();
    let zero = ready().gives(1).ttl(ms(0));
    let loads = sim.loads_in_turn([zero.clone(), ready().fails(1), ready().fails(2), zero, ready().fails(3)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let mut failures = Vec::new();
    for second in 0..=75 {
        sim.to(second * 1000);
        sim.fetch(&slot);
        if loads.calls() > failures.len() {
            failures.push(slot.failures());
        }
    }
    assert_eq!(loads.begun(), [0, 5000, 15_000, 35_000, 75_000]);
    assert_eq!(failures, [0, 1, 2, 0, 1]);
}

/// A value with a lifetime resets the pace.
fn a_good_value_ends_the_pace<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(1).ttl(ms(if call == 2 { 1 } else { 0 })));
    let slot = sim.slot::<R>(&loads, |s| s);
    for second in 0..=30 {
        sim.to(second * 1000);
        sim.fetch(&slot);
    }
    assert_eq!(loads.begun(), [0, 5000, 15_000, 16_000, 21_000]);
}

/// Beyond the stale limit a value that arrived expired is an error until the next fetch, and the error says so.
fn zero_beyond_the_stale_limit<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1).ttl(ms(0)));
    let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(0)));
    let callers = sim.fetchers(&slot, 2);
    assert_eq!(callers.into_iter().map(|i| sim.saw(i)).collect::<Vec<_>>(), ["0: V1 Miss", "0: V1 Stale(0)"]);
    sim.to(1);
    let i = sim.fetch(&slot);
    assert_eq!((sim.saw(i), loads.calls()), ("1: AlreadyExpired cached".into(), 1));
    assert_eq!(slot.failures(), 0);
    sim.to(5000);
    let i = sim.fetch(&slot);
    assert_eq!(sim.saw(i), "5000: V1 Expired");
}

/// The callers that asked get a value that arrived expired; a stored one that is still good stays, and the next fetch
/// waits. (D100)
fn zero_displaces_no_good_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).ttl(ms(100_000)), ready().gives(2).ttl(ms(0)), ready().gives(3)]);
    let slot = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(40_000)).stale_limit(ms(0)));
    sim.fetch(&slot);
    sim.to(60_000);
    let i = sim.fetch_stale(&slot);
    sim.refresh(i);
    sim.to(61_000);
    let i = sim.fetch_stale(&slot);
    assert_eq!((sim.saw(i), slot.failures()), ("61000: V1 Hit".into(), 0));
    let refreshes = slot.clone();
    sim.to(65_000);
    let i = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(i), "65000: V1 Hit +ticket");
    let i = sim.call(async move { refreshes.refresh().await });
    assert_eq!(sim.saw(i), "65000: V3 LockHit", "the caller that asks gets the value");
    assert_eq!(loads.begun(), [0, 60_000, 65_000]);
}

/// The resulting lifetime has to be zero for this; a value that is set by hand is not paced.
fn zero_by_setting_call_and_hand<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(0)));
    sim.fetchers(&slot, 2);
    assert_eq!(loads.calls(), 1);
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.fetch_with(&slot, LookupOptions::new().ttl(ms(0)));
    sim.fetch(&slot);
    assert_eq!(loads.calls(), 2);
    set(&slot, 2, ms(0));
    assert_eq!(slot.peek().map(|found| (**found.value(), found.status().stale())), Some((2, Some(ms(0)))));
    let i = sim.fetch(&slot);
    assert_eq!((sim.saw(i), loads.calls()), ("0: V1 Expired".into(), 3));
}

/// D74: "expires at once" keeps the value as a stale one, and each next call fetches; set by answer, call or
/// configuration.
fn expires_at_once_is_not_paced<R: Host>() {
    let mut sim = Sim::new();
    let answers = sim.loads(ready().gives(1).ttl(Ttl::ExpiresAtOnce));
    let plain = sim.loads(ready().gives(1));
    let (said, asked) = (sim.slot::<R>(&answers, |s| s), sim.slot::<R>(&plain, |s| s));
    let by_setting = sim.slot::<R>(&plain, |s| s.ttl(Ttl::ExpiresAtOnce));
    for n in 1..4 {
        let calls = [
            sim.fetch(&said),
            sim.fetch_with(&asked, LookupOptions::new().ttl(Ttl::ExpiresAtOnce)),
            sim.fetch(&by_setting),
        ];
        let saw = if n == 1 { "0: V1 Miss" } else { "0: V1 Expired" };
        assert_eq!(ends(&sim, &calls), [saw]);
        let Answer::Outcome(outcome, _) = sim.answer(calls[0]) else { panic!("{saw}") };
        assert!(outcome.time_left() == TimeLeft::For(ms(0)) && outcome.generation().is_some());
        assert_eq!((answers.calls(), plain.calls()), (n, 2 * n));
    }
    let stale = sim.fetch_stale(&said);
    assert_eq!(sim.saw(stale), "0: V1 Stale(0) +ticket");
}

/// D3: at the end of the clock, too, the value has expired, and does not live for ever. (P11)
fn expires_at_once_at_the_end_of_time<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready().gives(1).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.clock().set(larder::Instant::NEVER);
    for calls in 1..4 {
        assert!(wakers::now(slot.get()).is_ok());
        assert_eq!(loads.calls(), calls);
    }
    slot.set_with(larder::Loaded::new(V::new(2)).ttl(Ttl::ExpiresAtOnce));
    assert!(wakers::now(slot.get()).is_ok());
    assert_eq!(loads.calls(), 4);
}

/// D74: "not stored" is delivered to all waiting callers and leaves the slot empty, whatever was there.
fn not_stored<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1).ttl(Ttl::NotStored));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let (_, seen) = sim.watch(&slot);
    let callers = [sim.fetch(&slot), sim.force(&slot)];
    sim.to(10);
    assert_eq!(callers.map(|i| sim.saw(i)), ["10: V1 Expired", "10: V1 LockHit"]);
    assert_eq!((held(&slot), seen.changes()), (None, 1));
    let Answer::Outcome(outcome, _) = sim.answer(callers[0]) else { panic!() };
    assert!(outcome.generation().is_none());
    sim.fetch(&slot);
    sim.to(20);
    assert_eq!((loads.begun(), seen.changes()), (vec![0, 10], 1));
    assert_eq!(handed(&loads), [Some(0), None]);
    set(&slot, 2, ms(10));
    assert!(slot.set_with(larder::Loaded::new(V::new(3)).ttl(Ttl::NotStored)).is_none());
    assert_eq!(held(&slot), None);
    assert_clean(&slot.stats());
}

/// D95: a fetch that finds the value still good prolongs it: same value, same generation, age from its first
/// publication, failures reset, and no change for watchers.
fn unchanged<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), after(10).unchanged().ttl(ms(50))]);
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(10)));
    let generation = slot.set_with(larder::Loaded::new(V::new(1)).ttl(ms(100)));
    let (_, seen) = sim.watch(&slot);
    sim.to(100);
    sim.fetch(&slot);
    assert_eq!(slot.failures(), 1);
    sim.to(110);
    let i = sim.fetch(&slot);
    sim.to(120);
    assert_eq!(sim.saw(i), "120: V1 Expired");
    let found = slot.peek().expect("it is held");
    assert_eq!((found.age(), found.time_left(), found.generation()), (ms(120), TimeLeft::For(ms(50)), generation));
    assert!(slot.failures() == 0 && found.error().is_none());
    assert_eq!((seen.changes(), handed(&loads)), (0, vec![Some(1), Some(1)]));
    // Without a value to confirm, it is a failure.
    slot.invalidate();
    let i = sim.fetch(&slot);
    sim.to(130);
    assert_eq!(sim.saw(i), "130: NothingToKeep");
    assert_clean(&slot.stats());
}

/// A value that is found still good, but has expired at once: the next fetch is paced if it arrived expired, begins at
/// once if that was requested, and the value is removed if it is not to be stored.
fn unchanged_and_expired<R: Host>() {
    for (ttl, calls, left) in
        [(Ttl::For(ms(0)), 1, Some(1)), (Ttl::ExpiresAtOnce, 3, Some(1)), (Ttl::NotStored, 3, None)]
    {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().unchanged().ttl(ttl));
        let slot = sim.slot::<R>(&loads, |s| s);
        set(&slot, 1, Ttl::ExpiresAtOnce);
        let first = sim.fetch(&slot);
        assert_eq!((sim.saw(first), held(&slot)), ("0: V1 Expired".into(), left), "{ttl:?}");
        sim.fetchers(&slot, 2);
        assert_eq!(loads.calls(), calls, "{ttl:?}");
        assert_clean(&slot.stats());
    }
}

/// D52, D20: the lifetime of the answer counts first, then that of the call that began the fetch, then that of the
/// slot.
fn whose_lifetime_counts<R: Host>() {
    for (answer, call, life) in [(Some(10), Some(20), 10), (None, Some(20), 20), (Some(10), None, 10), (None, None, 30)]
    {
        let mut sim = Sim::new();
        let loads = sim.loads(answer.map_or(after(1), |ttl| after(1).ttl(ms(ttl))));
        let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(30)));
        let options = call.map_or_else(LookupOptions::new, |ttl| LookupOptions::new().ttl(ms(ttl)));
        sim.fetch_with(&slot, options);
        sim.fetch_with(&slot, LookupOptions::new().ttl(ms(7)).reload());
        sim.to(1);
        assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(ms(life))));
    }
}
