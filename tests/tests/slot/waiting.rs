//! Fetches that take too long: lock age, lock timeout, budget, and a spawner that finishes abandoned ones.

use larder::{LookupOptions, OnTimeout, Ttl, parts::Local};
use larder_tests::*;

use crate::{ends, held, set};

on_every_runtime! {
    a_stalled_ticket_holds_nobody_back_beyond_the_lock_age
    a_stalled_refresh_is_taken_over_by_a_plain_caller
    as_many_attempts_as_are_allowed
    a_ticket_of_a_slot_without_a_fetch_begins_nothing_of_its_own
    the_budget_of_a_first_fetch
    the_budget_of_a_refresh
    the_budget_of_a_ticket_that_is_not_polled
    stale_calls_notice_the_budget
    patience_and_what_then
    patience_of_a_refresher
    a_ticket_is_patient
    kinds_of_callers_beyond_the_limit
}

/// D57: a ticket that is held and not polled counts until it reaches the lock age; then the next call gets one.
fn a_stalled_ticket_holds_nobody_back_beyond_the_lock_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.lock_age(ms(100)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let first = sim.fetch_stale(&slot);
    assert_eq!(loads.calls(), 0, "an unpolled ticket costs no fetch");
    sim.to(99);
    let none = sim.fetch_stale(&slot);
    assert_eq!(loads.calls(), 1, "until a stale call comes");
    sim.to(100);
    let second = sim.fetch_stale(&slot);
    let saw = ["0: V0 Stale(0) +ticket", "99: V0 Stale(99)", "100: V0 Stale(100) +ticket"];
    assert_eq!([first, none, second].map(|i| sim.saw(i)), saw);
    let second = sim.refresh(second);
    sim.to(110);
    assert_eq!((sim.saw(second), held(&slot)), ("109: done".into(), Some(1)));
    let first = sim.refresh(first);
    assert_eq!(sim.saw(first), "110: done");
    assert_eq!(slot.stats().takeovers, 1);
    assert_clean(&slot.stats());
}

/// P6: a plain caller takes over as well; the first fetch's late answer is used if no other came before it.
fn a_stalled_refresh_is_taken_over_by_a_plain_caller<R: Host>() {
    for late in [120, 5000] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(late).gives(1), after(50).gives(2)]);
        let slot = sim.slot::<R>(&loads, |s| s.lock_age(ms(100)));
        set(&slot, 0, Ttl::ExpiresAtOnce);
        let stalls = sim.fetch(&slot);
        sim.to(99);
        let other = sim.fetch(&slot);
        assert_eq!(sim.saw(other), "99: V0 Stale(99)");
        sim.to(100);
        let takes_over = sim.fetch(&slot);
        sim.to(150);
        let saw = if late == 120 { "120: V1 Expired" } else { "150: V2 Expired" };
        assert_eq!(ends(&sim, &[stalls, takes_over]), [saw]);
        assert_eq!((loads.calls(), loads.live(), slot.stats().takeovers), (2, 0, 1));
        assert_clean(&slot.stats());
    }
}

/// At the limit of attempts others get the copy; a waiting caller takes over like any, once for each lock age that
/// passes.
fn as_many_attempts_as_are_allowed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s.lock_age(ms(10)).attempts(3));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    for t in 0..10 {
        sim.to(10 * t);
        let i = sim.fetch(&slot);
        assert_eq!(sim.saw(i) == "waits", t < 2, "at {t}");
    }
    assert_eq!((loads.begun(), loads.most()), (vec![0, 10, 20], 3));
}

/// A ticket cannot take over from other fetches, because it has only its own. No panic is reported.
fn a_ticket_of_a_slot_without_a_fetch_begins_nothing_of_its_own<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.bare_slot::<R>(|s| s.lock_age(ms(100)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let tickets: Vec<_> = (0..3)
        .map(|n| {
            sim.to(n * 100);
            let i = sim.fetch_stale_by(&slot, &loads);
            assert!(sim.saw(i).ends_with("+ticket"), "{}", sim.saw(i));
            sim.refresh(i)
        })
        .collect();
    sim.to(1000);
    assert_eq!(ends(&sim, &tickets), ["waits"]);
    assert_eq!((loads.calls(), slot.stats().loads_panicked, slot.stats().loads_begun), (3, 0, 3));
}

/// C93 for the slot: a first fetch over its budget is dropped, and all waiting callers are told. (P4)
fn the_budget_of_a_first_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s.fetch_budget(ms(100)));
    let first = sim.fetch(&slot);
    sim.to(50);
    let second = sim.fetch(&slot);
    sim.to(100);
    assert_eq!(ends(&sim, &[first, second]), ["100: BudgetExceeded"]);
    assert_eq!((loads.live(), slot.failures()), (0, 1));
    sim.to(101);
    sim.fetch(&slot);
    assert_eq!(loads.begun(), [0, 101]);
}

/// C93: if there is an old value, it is served; the budget counts as a failure and delays the next fetch. An answer in
/// time counts.
fn the_budget_of_a_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(100).gives(1)]);
    let slot = sim.slot::<R>(&loads, |s| s.fetch_budget(ms(100)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let first = sim.fetch(&slot);
    sim.to(100);
    let next = sim.fetch(&slot);
    let told = ["100: V0 Stale(100) +BudgetExceeded", "100: V0 Stale(100) +BudgetExceeded"];
    assert_eq!([first, next].map(|i| sim.saw(i)), told);
    sim.to(5100);
    let retry = sim.fetch(&slot);
    sim.to(5200);
    assert_eq!((sim.saw(retry), slot.failures()), ("5200: V1 Expired".into(), 0));
    assert_clean(&slot.stats());
}

/// D93: the budget counts from the claim; a ticket that is not polled in time fails at its next poll.
fn the_budget_of_a_ticket_that_is_not_polled<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.fetch_budget(ms(100)).stale_limit(ms(150)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let kept = sim.fetch_stale(&slot);
    sim.to(151);
    let beyond = sim.fetch(&slot);
    sim.refresh(kept);
    sim.to(1000);
    assert_eq!(sim.saw(beyond), "151: BudgetExceeded");
    assert_clean(&slot.stats());
}

/// C28, D21: each option of the lock timeout, for a caller that waits beyond the stale limit.
fn patience_and_what_then<R: Host>() {
    for (then, saw, calls) in [
        (OnTimeout::Load, "130: V2 Expired", 2),
        (OnTimeout::Fail, "120: LockTimeout", 1),
        (OnTimeout::Stale, "120: V0 Stale(120)", 1),
        (OnTimeout::LoadAlone, "130: V2 Expired", 2),
    ] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(500).gives(1), after(10).gives(2)]);
        let slot = sim.slot::<R>(&loads, |s| s);
        set(&slot, 0, Ttl::ExpiresAtOnce);
        let leads = sim.fetch(&slot);
        sim.to(20);
        // So that it waits; the limit that counts in the end is the slot's or, for this option, the caller's.
        let limit = if then == OnTimeout::Stale { ms(120) } else { ms(0) };
        let waits = LookupOptions::new().lock_timeout(ms(100), then).stale_while_refresh(limit).reload();
        let waits = sim.fetch_with(&slot, waits);
        sim.to(120);
        sim.to(500);
        let expected = saw.replace("Expired", "Miss");
        assert_eq!(sim.saw(waits), expected, "{then:?}");
        assert_eq!(loads.calls(), calls);
        let led = if then == OnTimeout::Load { "130: V2 Expired" } else { "500: V1 Expired" };
        assert_eq!(sim.saw(leads), led, "{then:?}");
        assert_eq!(held(&slot), Some(if then == OnTimeout::Load { 2 } else { 1 }));
        assert_clean(&slot.stats());
    }
}

/// D21: "stale" and "fail" also bound a caller that refreshes an expired value; its fetch is dropped.
fn patience_of_a_refresher<R: Host>() {
    for (then, saw) in [(OnTimeout::Stale, "10: V0 Stale(10)"), (OnTimeout::Fail, "10: LockTimeout")] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let slot = sim.slot::<R>(&loads, |s| s.lock_timeout(ms(10), then));
        set(&slot, 0, Ttl::ExpiresAtOnce);
        let leads = sim.fetch(&slot);
        sim.to(10);
        assert_eq!((sim.saw(leads), loads.live(), slot.failures()), (saw.into(), 0, 0));
        assert_eq!(slot.stats().timeouts, 1);
        assert_clean(&slot.stats());
        let next = sim.fetch(&slot);
        assert_eq!((sim.saw(next), loads.calls()), ("waits".into(), 2));
    }
}

/// The callers' lock timeout does not bound the refresh in a ticket: it has its own budget.
fn a_ticket_is_patient<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.lock_timeout(ms(10), OnTimeout::Fail));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let i = sim.fetch_stale(&slot);
    let refresh = sim.refresh(i);
    sim.to(100);
    assert_eq!((sim.saw(refresh), held(&slot)), ("100: done".into(), Some(1)));
}

/// C97 for the slot: if the fetch never ends, each caller gets what it asked for at its own time. (P7)
fn kinds_of_callers_beyond_the_limit<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.to(30);
    let fussy = LookupOptions::new().stale_while_refresh(ms(0));
    let a = sim.fetch_with(&slot, fussy);
    let b = LookupOptions::new().reload().stale_while_refresh(ms(60)).lock_timeout(ms(10), OnTimeout::Stale);
    let b = sim.fetch_with(&slot, b);
    let c = sim.fetch_with(&slot, fussy.lock_timeout(ms(200), OnTimeout::Fail));
    sim.to(1000);
    assert_eq!([a, b, c].map(|i| sim.saw(i)), ["waits", "40: V0 Stale(40)", "230: LockTimeout"]);
    assert_eq!((loads.calls(), loads.live()), (1, 1));
}

/// C96 for the slot: the spawner finishes a fetch that its callers have left; the next caller joins it or finds its
/// value. (P2)
#[test]
fn c96_an_abandoned_first_fetch_is_finished() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::<Local<larder::ManualClock>>::new(sim.clock());
        let slot = larder::LazySlot::builder(spawner.clone()).fetch_fn(loads.fetcher());
        let slot = slot.finish_abandoned().build().expect("valid");
        let impatient = {
            let slot = slot.clone();
            sim.call(async move { slot.lookup(LookupOptions::new()).await })
        };
        sim.to(50);
        sim.drop(impatient);
        let mut tasks = spawner.take();
        assert_eq!((tasks.len(), loads.live()), (1, 1));
        let task = sim.call(tasks.remove(0));
        sim.to(100);
        let joins = {
            let slot = slot.clone();
            sim.call(async move { slot.lookup(LookupOptions::new()).await })
        };
        sim.to(150);
        assert_eq!([sim.saw(task), sim.saw(joins)], ["150: done", "150: V1 LockHit"]);
        // A refresh as well.
        slot.expire();
        let refresher = {
            let slot = slot.clone();
            sim.call(async move { slot.get().await })
        };
        sim.drop(refresher);
        let task = sim.call(spawner.take().remove(0));
        sim.to(300);
        assert_eq!((sim.saw(task), held(&slot), loads.calls()), ("300: done".into(), Some(1), 2));
        assert_eq!(slot.stats().abandoned, 2);
        assert_clean(&slot.stats());
    });
}

/// The spawning call hands the refresh to the spawner, if there is one to hand over.
#[test]
fn a_refresh_that_is_spawned() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let spawner = Spawning::<Local<larder::ManualClock>>::new(sim.clock());
        let slot = larder::LazySlot::builder(spawner.clone()).fetch_fn(loads.fetcher()).build().expect("valid");
        set(&slot, 0, Ttl::ExpiresAtOnce);
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let slot = slot.clone();
                sim.call(async move { slot.get_stale_spawn().await })
            })
            .collect();
        assert_eq!(ends(&sim, &callers), ["0: V0 Stale(0)"]);
        let mut tasks = spawner.take();
        assert_eq!(tasks.len(), 1);
        sim.call(tasks.remove(0));
        sim.to(10);
        assert_eq!((held(&slot), loads.calls()), (Some(1), 1));
        assert_clean(&slot.stats());
    });
}

/// The spawner may be set before the fetch: settings come in any order. (D87, D102)
#[test]
fn finish_abandoned_may_come_first() {
    let mut sim = Sim::new();
    let spawner = Spawning::<Local<larder::ManualClock>>::new(sim.clock());
    let loads = sim.loads(after(10));
    let builder = larder::LazySlot::builder(spawner.clone()).finish_abandoned();
    let slot = builder.fetch_fn(loads.fetcher()).build().expect("valid");
    let asks = slot.clone();
    let first = sim.call(async move { asks.get().await });
    sim.drop(first);
    let mut tasks = spawner.take();
    assert_eq!(tasks.len(), 1);
    sim.call(tasks.remove(0));
    sim.to(10);
    assert_eq!((held(&slot), loads.calls()), (Some(0), 1));
    assert_clean(&slot.stats());
}

/// D93, D57: a refresh that is over its budget fails at the next call, though its ticket is parked and no caller waits.
fn stale_calls_notice_the_budget<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(1)]);
    let slot = sim.slot::<R>(&loads, |s| s.fetch_budget(ms(100)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let stale = sim.fetch_stale(&slot);
    let ticket = sim.refresh(stale);
    sim.park(ticket);
    sim.to(100);
    let late = sim.fetch_stale(&slot);
    assert_eq!((sim.saw(late), loads.live(), slot.failures()), ("100: V0 Stale(100)".into(), 0, 1));
    sim.to(5100);
    let next = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(next), "5100: V0 Stale(5100) +ticket");
    sim.refresh(next);
    assert_eq!((held(&slot), slot.failures()), (Some(1), 0));
    sim.unpark(ticket);
    sim.run();
    assert_eq!(sim.saw(ticket), "5100: done");
    assert_clean(&slot.stats());
}
