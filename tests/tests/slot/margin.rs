//! Values that are refreshed ahead of time.

use larder::{LookupOptions, OnTimeout, TimeLeft, Ttl};
use larder_tests::*;

use crate::{handed, held, set};

on_every_runtime! {
    from_the_margin_on
    one_refresh_in_flight
    a_failed_one_waits_for_the_back_off_inside_the_margin
    a_dropped_one_is_handed_out_again
    jitter_only_makes_it_earlier
    jitter_makes_no_loop
    a_life_shorter_than_the_margin
    values_that_do_not_expire
    inline
    inline_and_failing
    inline_and_slow
    inline_by_options_and_by_get
    a_renewed_value_has_a_margin_of_its_own
}

/// D100: from the margin on, inclusive, the status is Hit and one caller gets the refresh; plain calls begin nothing.
fn from_the_margin_on<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)));
    set(&slot, 0, Ttl::Inherit);
    sim.to(89);
    let early = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(early), "89: V0 Hit");
    sim.to(90);
    let plain = sim.fetch(&slot);
    let due = sim.fetch_stale(&slot);
    assert_eq!([sim.saw(plain), sim.saw(due)], ["90: V0 Hit", "90: V0 Hit +ticket"]);
    sim.refresh(due);
    assert_eq!((held(&slot), handed(&loads)), (Some(1), vec![Some(0)]));
    assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(ms(100))));
    assert_eq!(slot.stats().hits, 3);
    assert_clean(&slot.stats());
}

/// One refresh is in flight, with any number and kind of callers, until the value expires and after.
fn one_refresh_in_flight<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)));
    set(&slot, 0, Ttl::Inherit);
    sim.to(90);
    let due = sim.fetch_stale(&slot);
    let refresh = sim.refresh(due);
    for (t, saw) in [(90, "90: V0 Hit"), (99, "99: V0 Hit"), (100, "100: V0 Stale(0)"), (139, "139: V0 Stale(39)")] {
        sim.to(t);
        for i in [sim.fetch_stale(&slot), sim.fetch(&slot)] {
            assert_eq!(sim.saw(i), saw);
        }
    }
    sim.to(140);
    assert_eq!((sim.saw(refresh), loads.begun()), ("140: done".into(), vec![90]));
}

/// D100: while the old value is good, a failed refresh does not affect callers, and is retried after the delay.
fn a_failed_one_waits_for_the_back_off_inside_the_margin<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100_000)).refresh_ahead(ms(50_000)));
    set(&slot, 0, Ttl::Inherit);
    for second in 50..=100 {
        let t = second * 1000;
        sim.to(t);
        let i = sim.fetch_stale(&slot);
        let begins = matches!(second, 50 | 55 | 65 | 85);
        let expected = match (second, begins) {
            (100, _) => format!("{t}: V0 Stale(0) +E1"),
            (_, true) => format!("{t}: V0 Hit +ticket"),
            (_, false) => format!("{t}: V0 Hit"),
        };
        assert_eq!(sim.saw(i), expected);
        if begins {
            sim.refresh(i);
        }
    }
    assert_eq!(slot.failures(), 4);
}

/// A ticket that is dropped, polled or not, is no failure: the next call gets another.
fn a_dropped_one_is_handed_out_again<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)));
    set(&slot, 0, Ttl::Inherit);
    sim.to(95);
    for polled in [false, true, false] {
        let i = sim.fetch_stale(&slot);
        assert_eq!(sim.saw(i), "95: V0 Hit +ticket");
        let mut ticket = sim.ticket(i);
        assert!(!polled || wakers::poll_once(&mut ticket).is_pending());
        drop(ticket);
        assert_clean(&slot.stats());
    }
    assert_eq!((loads.calls(), slot.failures(), slot.stats().loads_dropped), (1, 0, 1));
}

/// D100: jitter only lengthens the margin, by up to its share, and differently for each value and seed.
fn jitter_only_makes_it_earlier<R: Host>() {
    let starts = |seed| {
        let sim = Sim::new();
        let loads = sim.loads(ready());
        let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(1000)).refresh_ahead(ms(100)).jitter(0.5, seed));
        (0..50)
            .map(|n| {
                sim.time.set(n);
                set(&slot, 0, Ttl::Inherit);
                (slot.refresh_at().as_nanos() - n * 1_000_000) / 1000
            })
            .collect::<Vec<_>>()
    };
    let mut one = starts(1);
    assert_eq!(one, starts(1));
    assert_ne!(one, starts(2));
    assert!(one.iter().all(|at| (850_000..=900_000).contains(at)), "{one:?}");
    one.sort_unstable();
    one.dedup();
    assert!(one.len() > 40 && one[0] < 860_000 && one[one.len() - 1] > 890_000, "{one:?}");
}

/// D100: with any jitter, a value is not refreshed as soon as it is stored.
fn jitter_makes_no_loop<R: Host>() {
    for margin in [1, 400, 490, 500, 900, 999, 1000, 5000] {
        for seed in 0..50 {
            let sim = Sim::new();
            let loads = sim.loads(ready());
            let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(1000)).refresh_ahead(ms(margin)).jitter(1.0, seed));
            set(&slot, 0, Ttl::Inherit);
            let latest = if margin < 1000 { 1000 - margin } else { 500 };
            let at = slot.refresh_at().as_nanos() / 1000;
            assert!((latest * 500..=latest * 1000).contains(&at), "margin {margin}, seed {seed}: {at}");
        }
    }
}

/// D100: a value that does not live longer than the margin is refreshed at half its life.
fn a_life_shorter_than_the_margin<R: Host>() {
    for (life, at) in [(100, 50), (99, 49), (101, 1), (50, 25), (1, 0)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(1).ttl(ms(life)));
        let slot = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(100)));
        sim.fetch(&slot);
        assert_eq!(slot.refresh_at().as_nanos() / 1_000_000, at, "a life of {life}");
        let stays = sim.fetch_stale(&slot);
        assert_eq!(sim.saw(stays), "0: V1 Hit", "not as soon as it is there");
        sim.to(at + 1);
        let due = sim.fetch_stale(&slot);
        assert!(sim.saw(due).ends_with("+ticket"), "a life of {life}");
    }
}

/// A value that lives for ever, or has no margin, is not refreshed ahead of time.
fn values_that_do_not_expire<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(10)));
    sim.fetch(&slot);
    assert_eq!(slot.refresh_at(), larder::Instant::NEVER);
    sim.clock().set(larder::Instant::NEVER);
    let i = sim.fetch_stale(&slot);
    assert!(sim.saw(i).ends_with("V1 Hit"), "{}", sim.saw(i));
}

/// Like the origin: the first caller within the margin refreshes and waits, the others get the value at once.
fn inline<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(5).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)).refresh_inline());
    set(&slot, 0, Ttl::Inherit);
    sim.to(89);
    let early = sim.fetch(&slot);
    sim.to(90);
    let (leads, other, stale) = (sim.fetch(&slot), sim.fetch(&slot), sim.fetch_stale(&slot));
    let saw = ["89: V0 Hit", "waits", "90: V0 Hit", "90: V0 Hit"];
    assert_eq!([early, leads, other, stale].map(|i| sim.saw(i)), saw);
    sim.to(95);
    assert_eq!(sim.saw(leads), "95: V1 Miss");
    assert_clean(&slot.stats());
}

/// If that fails, it gets the old, fresh value with the error; the others do not fetch until the delay has passed.
fn inline_and_failing<R: Host>() {
    for (script, told) in [(ready().fails(1), "90: V0 Hit +E1"), (ready().panics(1), "90: unwound 1")] {
        let mut sim = Sim::new();
        let loads = sim.loads(script);
        let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)).refresh_inline().retry_after(ms(5)));
        set(&slot, 0, Ttl::Inherit);
        sim.to(90);
        let (leads, next) = (sim.fetch(&slot), sim.fetch(&slot));
        assert_eq!([sim.saw(leads), sim.saw(next)], [told, "90: V0 Hit"]);
        sim.to(94);
        sim.fetch(&slot);
        assert_eq!(loads.begun(), [90]);
        sim.to(95);
        sim.fetch(&slot);
        assert_eq!((loads.begun(), slot.failures()), (vec![90, 95], 2));
        assert_clean(&slot.stats());
    }
}

/// A refresh that stalls costs at most the lock timeout while the value is good: callers get the value, not an error.
fn inline_and_slow<R: Host>() {
    for then in [OnTimeout::Stale, OnTimeout::Fail] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let slot =
            sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(50)).refresh_inline().lock_timeout(ms(10), then));
        set(&slot, 0, Ttl::Inherit);
        sim.to(50);
        let leads = sim.fetch(&slot);
        sim.to(60);
        assert_eq!(sim.saw(leads), "60: V0 Hit", "{then:?}");
        let stats = slot.stats();
        assert_eq!((stats.timeouts, stats.hits, stats.loads_dropped), (1, 1, 1));
        assert_clean(&stats);
    }
}

/// The same for calls that want the value alone, and for those with options.
fn inline_by_options_and_by_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32 + 1));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)).refresh_inline());
    set(&slot, 0, Ttl::Inherit);
    sim.to(95);
    let value = sim.fetch_value(&slot);
    assert_eq!(sim.saw(value), "95: V1");
    sim.to(190);
    let told = sim.fetch_with(&slot, LookupOptions::new().ttl(ms(10)));
    assert_eq!(sim.saw(told), "190: V2 Miss");
    assert_eq!(slot.refresh_at(), sim.time.instant(195));
}

/// A value that was found still good is refreshed a margin before its new end.
fn a_renewed_value_has_a_margin_of_its_own<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged().ttl(ms(200)));
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).refresh_ahead(ms(10)));
    set(&slot, 0, Ttl::Inherit);
    sim.to(90);
    let due = sim.fetch_stale(&slot);
    sim.refresh(due);
    assert_eq!(slot.refresh_at(), sim.time.instant(280));
    sim.to(279);
    let early = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(early), "279: V0 Hit");
}
