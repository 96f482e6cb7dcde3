//! A stale value at once, and a ticket for a caller that wants to refresh it.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    an_outcome_in_place_of_a_failure
    c40_while_it_is_refreshed
    c40_only_the_stale_call
    c41_one_refresh
    c42_a_ticket_dropped
    c42_a_ticket_kept
    c42_a_ticket_dropped_while_others_wait
    c43_the_refresh_fails
    c43_with_an_error_ttl
    a_ticket_older_than_the_lock_age
    a_ticket_refreshes
    a_ticket_has_no_timeout
}

/// A cache whose value V0 expires at 100, with a stale limit.
fn stored<R: Host>(sim: &Sim, loads: &Loads, limit: u64, setup: fn(Setup<R>) -> Setup<R>) -> Scripted<R> {
    let cache = sim.cache::<R>(loads, |c| setup(c.ttl(ms(100)).stale_while_refresh(ms(limit))));
    cache.insert(7, V::new(0));
    cache
}

/// C40: within the limit a caller gets the value at once and a ticket; beyond it, it waits for a load. (P1)
fn c40_while_it_is_refreshed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stored::<R>(&sim, &loads, 50, |c| c);
    sim.to(99);
    let fresh = sim.stale(&cache, 7);
    assert_eq!(sim.saw(fresh), "99: V0 Hit");
    sim.to(150);
    let inside = sim.stale(&cache, 7);
    assert_eq!(sim.saw(inside), "150: V0 Stale(50) +ticket");
    drop(sim.ticket(inside));
    assert_eq!(loads.calls(), 0);
    sim.to(151);
    let beyond = sim.stale(&cache, 7);
    sim.to(161);
    assert_eq!(sim.saw(beyond), "161: V1 Expired");
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.stale, stats.expired), (1, 1, 1));
    assert_clean(&stats);
}

/// C40: plain calls wait, also within the limit. (P1)
fn c40_only_the_stale_call<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stored::<R>(&sim, &loads, 50, |c| c);
    sim.to(120);
    assert!(cache.get_if_present(&7).is_none());
    let plain = sim.get(&cache, 7);
    let stale = sim.stale(&cache, 7);
    assert_eq!(sim.saw(stale), "120: V0 Stale(20)", "a load is under way already, so no ticket");
    sim.to(130);
    assert_eq!(sim.saw(plain), "130: V1 Expired");
    assert_clean(&cache.stats());
}

/// C41: 20 000 stale hits while the refresh hangs: one ticket, and no more memory than for the first. (P1, P12)
fn c41_one_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = stored::<R>(&sim, &loads, 1000, |c| c);
    sim.to(150);
    let first = sim.stale(&cache, 7);
    assert_eq!(sim.saw(first), "150: V0 Stale(50) +ticket");
    let hanging = sim.refresh(first);
    memory::assert_no_growth(|| {
        for _ in 0..10_000 {
            let answer = wakers::now(cache.get_stale(&7)).expect("a value is there");
            assert!(answer.refresh.is_none() && **answer.outcome.value() == 0);
        }
    });
    assert_eq!(loads.calls(), 1);
    assert_eq!(sim.saw(hanging), "waits");
    sim.drop(hanging);
    assert_eq!((loads.live(), cache.stats().stale), (0, 20_001));
    assert_clean(&cache.stats());
}

/// C42: a ticket that is dropped unpolled costs no load, and the next stale hit gets a new one. (P2)
fn c42_a_ticket_dropped<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stored::<R>(&sim, &loads, 50, |c| c);
    sim.to(150);
    for _ in 0..3 {
        let i = sim.stale(&cache, 7);
        assert_eq!(sim.saw(i), "150: V0 Stale(50) +ticket");
        drop(sim.ticket(i));
    }
    assert_eq!(loads.calls(), 0);
    // If another caller polled it, its load is dropped with it.
    for n in 1..4 {
        let i = sim.stale(&cache, 7);
        assert_eq!(sim.saw(i), "150: V0 Stale(50) +ticket");
        let second = sim.stale(&cache, 7);
        assert_eq!(sim.saw(second), "150: V0 Stale(50)");
        assert_eq!((loads.calls(), loads.live()), (n, 1));
        drop(sim.ticket(i));
        assert_eq!(loads.live(), 0);
    }
    assert_clean(&cache.stats());
}

/// C42: a ticket is kept unpolled: a caller beyond the limit is served all the same, and then the ticket ends. (P2, P3)
fn c42_a_ticket_kept<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stored::<R>(&sim, &loads, 50, |c| c);
    sim.to(150);
    let i = sim.stale(&cache, 7);
    let ticket = sim.ticket(i);
    assert_eq!(loads.calls(), 0);
    sim.to(151);
    let beyond = sim.stale(&cache, 7);
    assert_eq!(loads.calls(), 1);
    sim.to(161);
    assert!(sim.saw(beyond).starts_with("161: V1 "), "{}", sim.saw(beyond));
    let late = sim.call(ticket);
    assert_eq!(sim.saw(late), "161: done");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C42: a ticket is a waiter like any: if it is dropped, the load stays for the callers that joined it. (P2)
fn c42_a_ticket_dropped_while_others_wait<R: Host>() {
    for polled in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).gives(1));
        let cache = stored::<R>(&sim, &loads, 50, |c| c);
        sim.to(150);
        let i = sim.stale(&cache, 7);
        let mut ticket = sim.ticket(i);
        if polled {
            assert!(wakers::poll_once(&mut ticket).is_pending());
        }
        let joined = sim.get(&cache, 7);
        drop(ticket);
        sim.to(160);
        assert!(sim.saw(joined).starts_with("160: V1 "), "{}", sim.saw(joined));
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
    }
}

/// C43: a refresh that fails leaves the value with its age; the next stale hit may try again. (P4)
fn c43_the_refresh_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = stored::<R>(&sim, &loads, 5000, |c| c);
    for t in [150, 200] {
        sim.to(t);
        let i = sim.stale(&cache, 7);
        assert_eq!(sim.saw(i), format!("{t}: V0 Stale({}) +ticket", t - 100));
        let refresh = sim.refresh(i);
        sim.to(t + 10);
        assert_eq!(sim.saw(refresh), format!("{}: done", t + 10));
    }
    assert_eq!(loads.begun(), [150, 200]);
    assert_clean(&cache.stats());
}

/// C43: with an error TTL there is no ticket until the failure has expired, and then there is one. (P4)
fn c43_with_an_error_ttl<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = stored::<R>(&sim, &loads, 5000, |c| c.error_ttl(ms(1000)));
    sim.to(200);
    let i = sim.stale(&cache, 7);
    sim.refresh(i);
    for t in [200, 201, 700, 1199] {
        sim.to(t);
        let i = sim.stale(&cache, 7);
        assert!(sim.saw(i).starts_with(&format!("{t}: V0 Stale({})", t - 100)), "{}", sim.saw(i));
        assert!(!sim.saw(i).contains("ticket"), "{}", sim.saw(i));
    }
    sim.to(1200);
    let i = sim.stale(&cache, 7);
    assert_eq!(sim.saw(i), "1200: V0 Stale(1100) +ticket");
    // The callers behind it poll the refresh, and are served all the same.
    let second = sim.stale(&cache, 7);
    assert_eq!(sim.saw(second), "1200: V0 Stale(1100)");
    assert_eq!(loads.calls(), 2);
    drop(sim.ticket(i));
    assert_clean(&cache.stats());
}

/// A ticket that was never polled ages as well: beyond the lock age the next stale hit gets a newer one. (P6)
fn a_ticket_older_than_the_lock_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(1)]);
    let cache = stored::<R>(&sim, &loads, 5000, |c| c.lock_age(ms(100)));
    sim.to(150);
    let old = sim.stale(&cache, 7);
    sim.to(249);
    let between = sim.stale(&cache, 7);
    assert_eq!(sim.saw(between), "249: V0 Stale(149)");
    sim.to(250);
    let new = sim.stale(&cache, 7);
    assert_eq!(sim.saw(new), "250: V0 Stale(150) +ticket");
    sim.refresh(new);
    let after = sim.stale(&cache, 7);
    assert_eq!(sim.saw(after), "250: V1 Hit");
    let late = sim.refresh(old);
    assert_eq!((sim.saw(late).as_str(), loads.calls()), ("250: done", 2));
    assert_clean(&cache.stats());
}

/// A ticket that is polled to its end renews the value; for callers meanwhile it is a load that they join. (P1)
fn a_ticket_refreshes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = stored::<R>(&sim, &loads, 50, |c| c);
    sim.to(150);
    let i = sim.stale(&cache, 7);
    let refresh = sim.refresh(i);
    sim.to(155);
    let joined = sim.ask(&cache, 7, LookupOptions::new());
    sim.to(160);
    assert_eq!(sim.saw(refresh), "160: done");
    assert_eq!(sim.saw(joined), "160: V1 LockHit");
    sim.to(259);
    assert!(cache.contains(&7));
    sim.to(260);
    assert!(!cache.contains(&7));
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// D33, D7: a caller that gets a stale value because of a failure is told whether it began the load, and how long it
/// waited.
fn an_outcome_in_place_of_a_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(500)).error_ttl(ms(10)));
    cache.insert(7, V::new(0));
    sim.to(200);
    let leads = sim.get(&cache, 7);
    sim.to(220);
    let joins = sim.get(&cache, 7);
    sim.to(255);
    let cached = sim.get(&cache, 7);
    for (i, saw, led, waited) in [
        (leads, "250: V0 Stale(150) +E1", true, 50),
        (joins, "250: V0 Stale(150) +E1", false, 30),
        (cached, "255: V0 Stale(155) +E1", false, 0),
    ] {
        let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
        assert_eq!((outcome.led(), outcome.waited()), (led, ms(waited)), "{saw}");
        assert_eq!(sim.saw(i), saw);
    }
    assert_clean(&cache.stats());
}

/// D57: the lock timeout is for callers that wait for a value; a ticket goes on, and ends with its load. (P7)
fn a_ticket_has_no_timeout<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = stored(&sim, &loads, 100, |c: Setup<R>| c.lock_timeout(ms(10), OnTimeout::Fail));
    sim.to(120);
    let stale = sim.stale(&cache, 7);
    let refresh = sim.refresh(stale);
    sim.to(170);
    assert_eq!((sim.saw(stale), sim.saw(refresh)), ("120: V0 Stale(20)".into(), "170: done".into()));
    assert_eq!((cache.get_if_present(&7).as_deref(), loads.calls()), (Some(&1), 1));
    assert_clean(&cache.stats());
}
