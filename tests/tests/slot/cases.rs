//! The numbered cases of the slot.

use larder::{LazySlot, Loaded, LookupOptions, OnTimeout, Previous, Status, TimeLeft, Ttl};
use larder_tests::*;

use crate::{ends, handed, held, set};

on_every_runtime! {
    c65_the_first_fetch_fails
    c66_a_callers_deadline
    c67_a_refresher_is_dropped
    c68_failures_delays_panic
    c69_empty
    c69_never
    c69_at_once
    c70_a_stale_limit
    c70_set_during_a_first_fetch
    c70_invalidate_during_a_first_fetch
    c70_a_forced_refresh_joins
    c70_a_watcher_made_before_a_change_and_polled_after_it
    c98_a_token
}

/// C65: 20 callers and one fetch that fails: 20 equal errors, and the next caller fetches at once. (P4)
fn c65_the_first_fetch_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 20);
    sim.to(20);
    assert_eq!(ends(&sim, &callers), ["20: E1"]);
    assert_eq!(loads.begun(), [0]);
    sim.fetch(&slot);
    assert_eq!(loads.begun(), [0, 20]);
    sim.to(40);
    assert_clean(&slot.stats());
    assert_eq!((slot.failures(), slot.stats().errors), (2, 21));
}

/// C66: a first fetch of 2000: a second caller with a timeout of 50 returns at 50, and leaves nothing. (P2)
fn c66_a_callers_deadline<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(2000).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let patient = sim.fetch(&slot);
    let hurried = sim.fetch_with(&slot, LookupOptions::new().lock_timeout(ms(50), OnTimeout::Fail));
    let dropped = sim.fetch(&slot);
    sim.to(49);
    assert_eq!(slot.stats().waiters, 3);
    sim.to(50);
    sim.drop(dropped);
    assert_eq!(sim.saw(hurried), "50: LockTimeout");
    assert_eq!((slot.stats().waiters, slot.stats().abandoned), (1, 1));
    sim.to(2000);
    assert_eq!((sim.saw(patient), loads.calls()), ("2000: V1 Miss".into(), 1));
    assert_clean(&slot.stats());
}

/// C67: a refresh that is dropped halfway is no failure and delays nothing; meanwhile others get the stale copy. (P2,
/// P4)
fn c67_a_refresher_is_dropped<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(steps(3, 10).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(100));
    sim.to(100);
    let a = sim.fetch(&slot);
    sim.to(110);
    let other = sim.fetch(&slot);
    assert_eq!(sim.saw(other), "110: V0 Stale(10)");
    sim.drop(a);
    assert_eq!((slot.failures(), loads.live()), (0, 0));
    let b = sim.fetch(&slot);
    let other = sim.fetch(&slot);
    assert_eq!(sim.saw(other), "110: V0 Stale(10)");
    assert_eq!(loads.begun(), [100, 110]);
    sim.to(130);
    assert_eq!(sim.saw(b), "130: V1 Expired");
    assert_eq!(slot.stats().abandoned, 1);
    assert_clean(&slot.stats());
}

/// C68: retry 5 s, factor 2, cap 20 s, a call every second; fail, fail, panic, fail, succeed. (P4, P5)
fn c68_failures_delays_panic<R: Host>() {
    let mut sim = Sim::new();
    let loads =
        sim.loads_in_turn([ready().fails(1), ready().fails(2), ready().panics(3), ready().fails(4), ready().gives(5)]);
    let slot = sim.slot::<R>(&loads, |s| s.retry_backoff(2.0, ms(20_000)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let mut failures = Vec::new();
    for second in 0..=55 {
        let t = second * 1000;
        sim.to(t);
        let i = sim.fetch(&slot);
        let error = match second {
            0..5 => "E1",
            5..15 => "E2",
            15..35 => "Panicked",
            _ => "E4",
        };
        let expected = match second {
            15 => format!("{t}: unwound 3"),
            55 => format!("{t}: V5 Expired"),
            _ => format!("{t}: V0 Stale({t}) +{error}"),
        };
        assert_eq!(sim.saw(i), expected);
        if failures.last() != Some(&slot.failures()) {
            failures.push(slot.failures());
        }
    }
    assert_eq!(loads.begun(), [0, 5000, 15_000, 35_000, 55_000]);
    assert_eq!(failures, [1, 2, 3, 4, 0]);
    assert!(slot.last_failure().is_none());
    assert_clean(&slot.stats());
}

/// C69: `None` is a value like any, and is passed to the next fetch.
fn c69_empty<R: Host>() {
    let sim = Sim::new();
    let handed = Rc::new(RefCell::new(Vec::new()));
    let noted = handed.clone();
    let slot = LazySlot::builder(R::on(sim.clock()))
        .fetch_fn(move |previous: Option<Previous<Option<u32>>>| {
            noted.borrow_mut().push(previous.map(Previous::into_value));
            async { Ok::<_, Boom>(Loaded::new(None)) }
        })
        .ttl(ms(100))
        .build()
        .expect("valid");
    for (t, status) in [(0, Status::Miss), (99, Status::Hit), (100, Status::Expired)] {
        sim.time.set(t);
        let outcome = wakers::now(slot.lookup(LookupOptions::new())).expect("it is fetched");
        assert_eq!((*outcome.value(), outcome.status()), (None, status));
    }
    assert_eq!(*handed.borrow(), [None, Some(None)]);
}

/// C69: a value that lives for ever stays, and may still be replaced.
fn c69_never<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).ttl(Ttl::Forever), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)));
    sim.fetch(&slot);
    sim.to(1 << 40);
    let late = sim.fetch(&slot);
    assert_eq!(sim.saw(late), format!("{}: V1 Hit", 1_u64 << 40));
    assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::Forever));
    sim.force(&slot);
    assert_eq!(held(&slot), Some(2));
}

/// C69: "expires at once" with a clock that stands still: the next call fetches, and other callers get the copy. (P11)
fn c69_at_once<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| polls(1 + call as u32).gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    let first = sim.fetch(&slot);
    assert_eq!(sim.saw(first), "0: V0 Miss");
    for call in 1..5 {
        let (fetches, other) = (slot.clone(), slot.clone());
        let fetches = sim.spawn(async move { fetches.lookup(LookupOptions::new()).await });
        sim.poll(fetches);
        let other = sim.spawn(async move { other.lookup(LookupOptions::new()).await });
        sim.poll(other);
        assert_eq!(sim.saw(other), format!("0: V{} Stale(0)", call - 1));
        sim.run();
        assert_eq!(sim.saw(fetches), format!("0: V{call} Expired"));
    }
    assert_eq!(handed(&loads), [None, Some(0), Some(1), Some(2), Some(3)]);
    assert_clean(&slot.stats());
}

/// C70: beyond the stale limit callers wait, and get the error if the fetch fails. (P8)
fn c70_a_stale_limit<R: Host>() {
    for fails in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(if fails { after(10).fails(1) } else { after(10).gives(1) });
        let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(60_000)));
        set(&slot, 0, ms(1000));
        sim.to(61_000);
        let first = sim.fetch(&slot);
        let last = sim.fetch(&slot);
        assert_eq!(sim.saw(last), "61000: V0 Stale(60000)", "its last instant");
        sim.drop(first);
        sim.to(61_001);
        let (one, other) = (sim.fetch(&slot), sim.fetch(&slot));
        assert_eq!([sim.saw(one), sim.saw(other)], ["waits", "waits"]);
        sim.to(61_011);
        let told = if fails { ["61011: E1", "61011: E1"] } else { ["61011: V1 Expired", "61011: V1 LockHit"] };
        assert_eq!([sim.saw(one), sim.saw(other)], told);
        assert_eq!(handed(&loads), [Some(0), Some(0)], "the fetch is handed it all the same");
        assert_clean(&slot.stats());
    }
}

/// C70: `set` during a first fetch: all waiting callers get the set value at once. (P8)
fn c70_set_during_a_first_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 11);
    sim.to(30);
    slot.set(V::new(9));
    sim.run();
    assert_eq!(ends(&sim, &callers), ["30: V9 LockHit", "30: V9 Miss"]);
    assert_eq!((loads.live(), held(&slot)), (0, Some(9)));
    sim.to(1000);
    assert_eq!((loads.calls(), held(&slot)), (1, Some(9)));
    assert_clean(&slot.stats());
}

/// C70: `invalidate` during a first fetch: waiting callers get the fetched value, and it is not kept. (P8)
fn c70_invalidate_during_a_first_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).gives(1), after(20).gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let before = sim.fetchers(&slot, 3);
    sim.to(30);
    assert!(slot.invalidate().is_none());
    sim.to(40);
    let after = sim.fetch(&slot);
    assert_eq!(loads.begun(), [0, 40]);
    sim.to(100);
    assert_eq!(sim.saw(after), "60: V2 Miss");
    assert_eq!(ends(&sim, &before), ["100: V1 LockHit", "100: V1 Miss"]);
    assert_eq!(held(&slot), Some(2));
    assert_clean(&slot.stats());
}

/// C70: a forced refresh during a fetch joins it. (P1)
fn c70_a_forced_refresh_joins<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let first = sim.fetch(&slot);
    let forced = sim.force(&slot);
    sim.to(20);
    assert_eq!([sim.saw(first), sim.saw(forced)], ["20: V1 Miss", "20: V1 LockHit"]);
    let (one, other) = (sim.force(&slot), sim.force(&slot));
    let hit = sim.fetch(&slot);
    assert_eq!(sim.saw(hit), "20: V1 Hit", "others have the old value meanwhile");
    sim.to(40);
    assert_eq!([sim.saw(one), sim.saw(other)], ["40: V1 Miss", "40: V1 LockHit"]);
    assert_eq!(loads.calls(), 2);
    assert_clean(&slot.stats());
}

/// C70: a watcher that was made before a change and is polled after it sees the change.
fn c70_a_watcher_made_before_a_change_and_polled_after_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let mut watcher = slot.watch();
    sim.fetch(&slot);
    let saw = sim.call(async move {
        assert!(watcher.changed().await);
    });
    assert_eq!(sim.saw(saw), "0: done");
}

/// C98: lifetime 100 s, margin 10 s. At 89 the value is fresh; from 90 on there is a ticket. While the refresh stalls,
/// callers get the value at once until 100, without a second ticket within the lock age. (P3)
fn c98_a_token<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), never()]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100_000)).refresh_ahead(ms(10_000)).lock_age(ms(30_000)));
    sim.fetch(&slot);
    sim.to(89_999);
    let fresh = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(fresh), "89999: V1 Hit");
    sim.to(90_000);
    let due = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(due), "90000: V1 Hit +ticket");
    let refresh = sim.refresh(due);
    for second in 90..100 {
        sim.to(second * 1000);
        for i in [sim.fetch_stale(&slot), sim.fetch(&slot)] {
            assert_eq!(sim.saw(i), format!("{}: V1 Hit", second * 1000));
        }
    }
    sim.to(119_999);
    let still = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(still), "119999: V1 Stale(19999)");
    sim.to(120_000);
    let next = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(next), "120000: V1 Stale(20000) +ticket");
    // A waiting caller drives the newer attempt, too.
    assert_eq!((sim.saw(refresh), loads.begun()), ("waits".into(), vec![0, 90_000, 120_000]));
}
