//! A waiter waits for a limited time, and then acts by the option.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c27_load_for_oneself
    c28_the_stale_value
    c28_fail
    c28_do_not_store
    c29_from_ones_own_call
    c29_one_of_them_is_dropped
    c30_the_same_instant
    c31_zero
    c31_zero_and_the_poll_that_ends_the_load
    c31_endless
    at_the_bound_a_timed_out_caller_fails
    c103_something_fresh_has_come
    c103_by_many_keys
}

/// C27: by default a timed-out waiter begins a newer attempt, which serves all and is stored. (P6, P7)
fn c27_load_for_oneself<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(500).gives(1), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Load));
    let a = sim.get(&cache, 7);
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(150);
    assert_eq!(loads.begun(), [0, 120]);
    assert_eq!(sim.saw(a), "150: V2 Miss");
    assert_eq!(sim.saw(b), "150: V2 Miss");
    assert_eq!(cache.stats().timeouts, 1);
    sim.to(1000);
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "1000: V2 Hit");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// The start of C28: V0 expired at t=0; A leads without a timeout, B joins at 20 with a timeout of 100.
fn c28<R: Host>(on_timeout: OnTimeout, with_value: bool) -> (Sim, Loads, Scripted<R>, usize, usize) {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(500).gives(1), after(30).gives(2)]);
    let cache =
        sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(200)).ttl(ms(1000)).lock_timeout(ms(100), on_timeout));
    if with_value {
        cache.insert(7, V::new(0));
    }
    sim.to(1000);
    sim.time.zero();
    let a = sim.ask(&cache, 7, LookupOptions::new().no_lock_timeout());
    sim.to(20);
    let b = sim.get(&cache, 7);
    (sim, loads, cache, a, b)
}

/// The end of C28: A gets V1 in the end, and it is stored.
#[track_caller]
fn c28_end<R: Host>(mut sim: Sim, cache: &Scripted<R>, a: usize, status: &str) {
    sim.to(500);
    assert_eq!(sim.saw(a), format!("500: V1 {status}"));
    assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
    assert_eq!(cache.stats().timeouts, 1);
    assert_clean(&cache.stats());
}

/// C28: option "stale": the waiter gets the expired value within the limit, or fails without one. (P7)
fn c28_the_stale_value<R: Host>() {
    let (mut sim, loads, cache, a, b) = c28::<R>(OnTimeout::Stale, true);
    sim.to(120);
    assert_eq!(sim.saw(b), "120: V0 Stale(120)");
    c28_end(sim, &cache, a, "Expired");
    assert_eq!(loads.calls(), 1);

    let (mut sim, loads, cache, a, b) = c28::<R>(OnTimeout::Stale, false);
    sim.to(120);
    assert_eq!(sim.saw(b), "120: LockTimeout");
    c28_end(sim, &cache, a, "Miss");
    assert_eq!(loads.calls(), 1);
}

/// C28: option "fail": the waiter fails, with or without a value; the load goes on. (P7)
fn c28_fail<R: Host>() {
    let (mut sim, loads, cache, a, b) = c28::<R>(OnTimeout::Fail, true);
    sim.to(120);
    assert_eq!(sim.saw(b), "120: LockTimeout");
    c28_end(sim, &cache, a, "Expired");
    assert_eq!(loads.calls(), 1);
}

/// C28: option "do not store": the waiter loads alone, beside the others. (P7)
fn c28_do_not_store<R: Host>() {
    let (mut sim, loads, cache, a, b) = c28::<R>(OnTimeout::LoadAlone, true);
    sim.to(150);
    assert_eq!(sim.saw(b), "150: V2 Expired");
    let Answer::Outcome(outcome, _) = sim.answer(b) else { panic!("{}", sim.saw(b)) };
    assert_eq!((outcome.led(), outcome.waited()), (true, ms(130)), "from its first poll on");
    assert_eq!(cache.peek(&7).map(|outcome| **outcome.value()), Some(0), "unstored");
    c28_end(sim, &cache, a, "Expired");
    assert_eq!(loads.begun(), [0, 120]);
}

/// C29: option "fail" bounds the wait of the beginner, too; when the last caller leaves, the load is dropped. (P2, P7)
fn c29_from_ones_own_call<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Fail));
    let mut callers = Vec::new();
    for t in [0, 20, 60] {
        sim.to(t);
        callers.push(sim.get(&cache, 7));
    }
    for (i, end) in callers.into_iter().zip([100, 120, 160]) {
        sim.to(end - 1);
        assert_eq!((sim.saw(i).as_str(), loads.live()), ("waits", 1));
        sim.to(end);
        assert_eq!(sim.saw(i), format!("{end}: LockTimeout"));
    }
    assert_eq!((loads.calls(), loads.live()), (1, 0));
    assert_eq!(cache.stats().timeouts, 3);
    assert_clean(&cache.stats());
}

/// C29: a waiter that is dropped meanwhile changes nothing for the others. (P2, P7)
fn c29_one_of_them_is_dropped<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Fail));
    let a = sim.get(&cache, 7);
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(50);
    sim.drop(b);
    sim.to(60);
    let c = sim.get(&cache, 7);
    sim.to(160);
    assert_eq!(sim.saw(a), "100: LockTimeout");
    assert_eq!(sim.saw(c), "160: LockTimeout");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C30: the answer and the timeout fall on the same instant: the answer wins, whichever caller is polled first. (P7,
/// P10)
fn c30_the_same_instant<R: Host>() {
    for option in [OnTimeout::Load, OnTimeout::LoadAlone, OnTimeout::Stale, OnTimeout::Fail] {
        for b_first in [false, true] {
            let mut sim = Sim::new();
            let loads = sim.loads(after(120).gives(1));
            let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(1)).ttl(ms(1000)));
            let a = sim.get(&cache, 7);
            sim.to(20);
            let b = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(100), option));
            sim.to(119);
            sim.jump(120);
            sim.poll(if b_first { b } else { a });
            sim.run();
            assert_eq!(sim.saw(a), "120: V1 Miss");
            assert_eq!(sim.saw(b), "120: V1 LockHit");
            assert_eq!((loads.calls(), cache.stats().timeouts), (1, 0));
            assert_clean(&cache.stats());
        }
    }
}

/// C31: timeout zero: the waiter acts at once by its option. (P7, P11)
fn c31_zero<R: Host>() {
    for (option, at, expected, calls) in [
        (OnTimeout::Load, 50, "50: V2 Miss", 2),
        (OnTimeout::LoadAlone, 50, "50: V2 Miss", 2),
        (OnTimeout::Fail, 20, "20: LockTimeout", 1),
        (OnTimeout::Stale, 20, "20: LockTimeout", 1),
    ] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(500).gives(1), after(30).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(1)).ttl(ms(1000)));
        let a = sim.get(&cache, 7);
        sim.to(20);
        let b = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(0), option));
        assert_eq!(loads.calls(), calls);
        sim.to(at);
        assert_eq!(sim.saw(b), expected);
        sim.to(500);
        assert_ne!(sim.saw(a), "waits");
        assert_clean(&cache.stats());
    }
}

/// C31: timeout zero still polls the load once, and takes its answer if it is ready then. (P7, P11)
fn c31_zero_and_the_poll_that_ends_the_load<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(0), OnTimeout::Fail));
    let a = sim.ask(&cache, 7, LookupOptions::new().no_lock_timeout());
    gate.open_quietly();
    let b = sim.get(&cache, 7);
    assert_eq!(sim.saw(b), "0: V1 LockHit");
    assert_eq!(sim.saw(a), "0: V1 Miss");
    assert_eq!(cache.stats().timeouts, 0);
    // The same for the beginner: it gets the answer of a load that is ready at once.
    let c = sim.get(&cache, 8);
    assert_eq!(sim.saw(c), "0: V1 Miss");
    assert_clean(&cache.stats());
}

/// C31: the longest timeout waits for ever, without overflow. (P7, P11)
fn c31_endless<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(1_000_000_000).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(Duration::MAX, OnTimeout::Fail).lock_age(Duration::MAX));
    sim.to(5);
    let a = sim.get(&cache, 7);
    let b = sim.get(&cache, 7);
    sim.to(1_000_000_005);
    assert_eq!(sim.saw(a), "1000000005: V1 Miss");
    assert_eq!(sim.saw(b), "1000000005: V1 LockHit");
    assert_clean(&cache.stats());
}

/// At the limit of attempts, a caller that wants to load by itself gets `LockTimeout`: its wait is bounded. (P6, P7)
fn at_the_bound_a_timed_out_caller_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Load).attempts(2));
    let callers = sim.crowd(&cache, 7, 3);
    sim.to(100);
    assert_eq!(loads.begun(), [0, 100]);
    assert_eq!(sim.saw(callers[2]), "100: LockTimeout");
    assert_eq!(sim.saw(callers[1]), "waits", "no second timeout after loading for oneself");
    sim.to(1000);
    assert_eq!(sim.saw(callers[1]), "waits");
}

/// The start of C103: A and B wait for a load that never ends; `remove` at 50; C gets V1 by 90, with this lifetime.
fn c103<R: Host>(then: OnTimeout, ttl: u64, many: bool) -> (Sim, Loads, Scripted<R>, [usize; 2]) {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(40).gives(1).ttl(ms(ttl))]);
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(500)).lock_timeout(ms(100), then));
    let ask = |sim: &mut Sim| if many { sim.many(&cache, &[7]) } else { sim.get(&cache, 7) };
    let callers = [ask(&mut sim), ask(&mut sim)];
    sim.to(50);
    cache.remove(&7);
    let newer = sim.get(&cache, 7);
    sim.to(90);
    assert_eq!((sim.saw(newer), loads.begun()), ("90: V1 Miss".into(), vec![0, 50]));
    (sim, loads, cache, callers)
}

/// C103, D23: "stale" takes what is stored at the timeout: a fresh value that came after a write, or one that is stale
/// by then. "Fail" takes neither. (P7)
fn c103_something_fresh_has_come<R: Host>() {
    for (then, ttl, saw) in [
        (OnTimeout::Stale, 1000, "100: V1 Hit"),
        (OnTimeout::Stale, 11, "100: V1 Hit"),
        (OnTimeout::Stale, 10, "100: V1 Stale(0)"),
        (OnTimeout::Stale, 5, "100: V1 Stale(5)"),
        (OnTimeout::Fail, 1000, "100: LockTimeout"),
    ] {
        let (mut sim, loads, cache, callers) = c103::<R>(then, ttl, false);
        sim.to(99);
        assert_eq!(callers.map(|i| sim.saw(i)), ["waits", "waits"]);
        sim.to(100);
        assert_eq!(callers.map(|i| sim.saw(i)), [saw, saw]);
        assert_eq!((loads.calls(), loads.live()), (2, 0), "the load that never ends is dropped with its last caller");
        assert_clean(&cache.stats());
    }
}

/// C103: the same for callers of many keys. (D23)
fn c103_by_many_keys<R: Host>() {
    for (ttl, saw) in [(1000, "100: V1 Hit"), (5, "100: V1 Stale(5)")] {
        let (mut sim, loads, cache, callers) = c103::<R>(OnTimeout::Stale, ttl, true);
        sim.to(100);
        assert_eq!(callers.map(|i| sim.saw(i)), [saw, saw]);
        assert_eq!((loads.calls(), loads.live()), (2, 0));
        assert_clean(&cache.stats());
    }
}
