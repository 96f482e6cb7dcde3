//! A load that is too old blocks no other caller, and its answer is still used.

use larder::{Coalescing, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    d21_who_loads_alone_is_patient_for_so_long
    a_beginner_is_woken_by_the_failure_of_his_attempt
    a_beginner_is_woken_by_the_panic_of_his_attempt
    c22_takeover
    c23_the_age_passes_while_one_waits
    c23_without_the_first_caller
    c24_a_late_answer_is_used
    c25_the_bound
    c26_over_age_callers_load_alone
    a_failed_attempt_ends_the_call_of_who_began_it
    lock_age_zero
    the_age_counts_from_the_newest_attempt
    a_borrowed_load_is_taken_over
}

/// C22: the next caller after the lock age begins a newer attempt, whose answer serves all and stays. (P6)
fn c22_takeover<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(300).gives(1), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let a = sim.get(&cache, 7);
    sim.to(150);
    let b = sim.get(&cache, 7);
    sim.to(160);
    let c = sim.get(&cache, 7);
    sim.to(180);
    assert_eq!(sim.saw(a), "180: V2 Miss");
    assert_eq!(sim.saw(b), "180: V2 Miss");
    assert_eq!(sim.saw(c), "180: V2 LockHit");
    for i in [a, b, c] {
        let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("a lookup has an outcome") };
        assert_eq!((outcome.attempt(), outcome.led()), (Some(2), i != c));
    }
    assert_eq!(loads.live(), 0, "the first attempt is dropped");
    for t in [180, 1000] {
        sim.to(t);
        let i = sim.get(&cache, 7);
        assert_eq!(sim.saw(i), format!("{t}: V2 Hit"));
    }
    assert_eq!((loads.calls(), cache.stats().takeovers), (2, 1));
    assert_clean(&cache.stats());
}

/// C23: the first caller is parked; at the lock age the longest waiter takes over, and no other caller. (P6)
fn c23_the_age_passes_while_one_waits<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let a = sim.get(&cache, 7);
    sim.park(a);
    sim.to(10);
    let b = sim.get(&cache, 7);
    sim.to(20);
    let c = sim.get(&cache, 7);
    sim.to(99);
    assert_eq!(loads.calls(), 1);
    sim.to(130);
    assert_eq!(loads.begun(), [0, 100]);
    assert_eq!(sim.saw(b), "130: V2 Miss");
    assert_eq!(sim.saw(c), "130: V2 LockHit");
    sim.unpark(a);
    assert_eq!(sim.saw(a), "130: V2 Miss");
    assert_eq!((loads.live(), cache.stats().takeovers), (0, 1));
    assert_clean(&cache.stats());
}

/// C23: if the longest waiter is parked as well, or has been dropped, the next one takes over. (P3, P6)
fn c23_without_the_first_caller<R: Host>() {
    for park in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
        let a = sim.get(&cache, 7);
        sim.park(a);
        let b = sim.get(&cache, 7);
        sim.to(20);
        let c = sim.get(&cache, 7);
        let d = sim.get(&cache, 7);
        if park {
            sim.park(b);
        } else {
            sim.drop(b);
        }
        sim.to(130);
        assert_eq!(loads.begun(), [0, 100]);
        assert_eq!(sim.saw(c), "130: V2 Miss");
        assert_eq!(sim.saw(d), "130: V2 LockHit");
    }
}

/// C24: the older attempt succeeds while the newer one still runs: its answer is used, the newer one is dropped. (P6)
fn c24_a_late_answer_is_used<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(120).gives(1), after(100).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let a = sim.get(&cache, 7);
    sim.to(110);
    let b = sim.get(&cache, 7);
    assert_eq!(loads.live(), 2);
    sim.to(120);
    assert_eq!(sim.saw(a), "120: V1 Miss");
    assert_eq!(sim.saw(b), "120: V1 Miss");
    assert_eq!(loads.live(), 0);
    assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
    let stats = cache.stats();
    assert_eq!((stats.loads_succeeded, stats.loads_dropped), (1, 1));
    assert_clean(&stats);
}

/// C25: at most two attempts are in flight; later callers join, however old these are. (P6)
fn c25_the_bound<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(1000).gives(1), after(1000).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).attempts(2));
    let mut callers = Vec::new();
    for t in [0, 150, 300, 450] {
        sim.to(t);
        callers.push(sim.get(&cache, 7));
    }
    sim.to(1000);
    for (i, status) in callers.into_iter().zip(["Miss", "Miss", "LockHit", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("1000: V1 {status}"));
    }
    assert_eq!(loads.begun(), [0, 150]);
    assert_clean(&cache.stats());
}

/// C26: by option, or by the preset, callers of a load over its age load alone, without sharing or storing. (P6)
fn c26_over_age_callers_load_alone<R: Host>() {
    let setups: [fn(Setup<R>) -> Setup<R>; 2] =
        [|c| c.lock_age(ms(100)).over_age_alone(), |c| c.coalescing(Coalescing::pingora(Some(ms(100)), None))];
    for setup in setups {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(300).gives(1), after(30).gives(2), after(30).gives(3)]);
        let cache = sim.cache::<R>(&loads, setup);
        let a = sim.get(&cache, 7);
        sim.to(150);
        let c = sim.get(&cache, 7);
        sim.to(180);
        assert_eq!(sim.saw(c), "180: V2 Miss");
        assert!(!cache.contains(&7));
        sim.to(200);
        let d = sim.get(&cache, 7);
        sim.to(230);
        assert_eq!(sim.saw(d), "230: V3 Miss");
        assert!(!cache.contains(&7));
        sim.to(300);
        assert_eq!(sim.saw(a), "300: V1 Miss");
        assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
        assert_eq!(loads.calls(), 3);
        assert_clean(&cache.stats());
    }
}

/// D21: "fail" and "stale" also bound a caller that loads alone because of the lock age; the other policies do not.
fn d21_who_loads_alone_is_patient_for_so_long<R: Host>() {
    for (then, saw) in [
        (OnTimeout::Fail, "180: LockTimeout"),
        (OnTimeout::Stale, "180: V0 Stale(80)"),
        (OnTimeout::Load, "450: V2 Expired"),
        (OnTimeout::LoadAlone, "450: V2 Expired"),
    ] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(500).gives(1), after(300).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| {
            c.ttl(ms(100)).stale_while_refresh(ms(1000)).lock_age(ms(30)).over_age_alone().lock_timeout(ms(30), then)
        });
        cache.insert(7, V::new(0));
        sim.to(100);
        let options = LookupOptions::new().no_lock_timeout();
        let first = sim.ask(&cache, 7, options);
        sim.to(150);
        let alone = sim.get(&cache, 7);
        assert_eq!(loads.begun(), [100, 150]);
        sim.to(1000);
        assert_eq!((sim.saw(alone), sim.saw(first)), (saw.into(), "600: V1 Expired".into()));
        assert_eq!(loads.calls(), 2);
        assert_clean(&cache.stats());
    }
}

/// Only the beginner gets a failed attempt while another runs; if that one succeeds, no failure is cached. (P4, P6)
fn a_failed_attempt_ends_the_call_of_who_began_it<R: Host>() {
    for (last, joined, kept) in
        [(after(100).gives(2), "210: V2 LockHit", true), (after(100).fails(2), "210: E2", false)]
    {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(120).fails(1), last]);
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).error_ttl(ms(1000)));
        let a = sim.get(&cache, 7);
        let waiter = sim.get(&cache, 7);
        sim.to(99);
        sim.park(waiter); // so that the next one takes over
        sim.to(110);
        let b = sim.get(&cache, 7);
        sim.unpark(waiter);
        assert_eq!(loads.begun(), [0, 110]);
        sim.to(210);
        assert_eq!(sim.saw(a), "120: E1");
        assert_eq!(sim.saw(b), joined.replace("LockHit", "Miss"));
        assert_eq!(sim.saw(waiter), joined);
        assert_eq!(cache.contains(&7), kept);
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next), if kept { "210: V2 Hit" } else { "210: E2 cached" });
        assert_clean(&cache.stats());
    }
}

/// Age zero: every caller begins its own attempt, up to the limit. (P6)
fn lock_age_zero<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(50).gives(call as u32));
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(0)).attempts(3));
    let callers = sim.crowd(&cache, 7, 5);
    assert_eq!((loads.calls(), loads.live()), (3, 3));
    sim.to(50);
    for i in callers {
        assert!(sim.saw(i).starts_with("50: V"), "{}", sim.saw(i));
    }
    assert_eq!(loads.calls(), 3);
    assert_clean(&cache.stats());
}

/// The age counts from the newest attempt, ended or not: two callers right after each other begin one. (P6)
fn the_age_counts_from_the_newest_attempt<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(20).fails(2), never(), after(20).gives(4)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let a = sim.get(&cache, 7);
    sim.park(a);
    sim.to(150);
    let b = sim.get(&cache, 7);
    let c = sim.get(&cache, 7);
    sim.to(170);
    assert_eq!(sim.saw(b), "170: E2", "its own attempt failed");
    assert_eq!(sim.saw(c), "waits", "the first attempt is still in flight");
    sim.to(249);
    assert_eq!(loads.begun(), [0, 150]);
    sim.to(250);
    assert_eq!(loads.begun(), [0, 150, 250]);
    sim.ask(&cache, 7, LookupOptions::new());
    assert_eq!(loads.calls(), 3);
    sim.to(349);
    assert_eq!(loads.calls(), 3);
    sim.to(370);
    assert_eq!(loads.begun(), [0, 150, 250, 350]);
    assert_eq!(sim.saw(c), "370: V4 Miss");
}

/// Others cannot poll a load that borrows from a parked caller: the lock age lets them go on. (P3, P6)
fn a_borrowed_load_is_taken_over<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(30).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let own = cache.clone();
    let time = sim.time.clone();
    let a = sim.call(async move {
        own.get_with(&7, || async {
            sleep(&time, 10).await;
            Ok::<V, Boom>(V::new(1))
        })
        .await
    });
    sim.park(a);
    let b = sim.get(&cache, 7);
    sim.to(130);
    assert_eq!(sim.saw(b), "130: V2 Miss");
    sim.unpark(a);
    assert_eq!(sim.saw(a), "130: V2");
    assert_clean(&cache.stats());
}

/// If another caller polls an attempt that fails while an older one is in flight, its beginner is told at once. (P3,
/// P4, P6)
fn a_beginner_is_woken_by_the_failure_of_his_attempt<R: Host>() {
    a_beginner_is_woken::<R>(false);
}

/// The same when it panics: the panic unwinds through the caller that polled it. (P3, P5, P6)
fn a_beginner_is_woken_by_the_panic_of_his_attempt<R: Host>() {
    a_beginner_is_woken::<R>(true);
}

fn a_beginner_is_woken<R: Host>(by_a_panic: bool) {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let second = if by_a_panic { gate.script().panics(2) } else { gate.script().fails(2) };
    let loads = sim.loads_in_turn([never(), second]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let (mut a, mut b) = (cache.get(&7), cache.get(&7));
    assert!(wakers::poll_once(&mut a).is_pending());
    sim.to(100);
    let (count, waker) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut b, &waker).is_pending());
    gate.open_quietly();
    let before = count.wakes();
    let polled = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_once(&mut a).is_pending()));
    assert_eq!(polled.ok(), (!by_a_panic).then_some(true), "attempt 1 goes on, unless A itself unwinds");
    assert_eq!(count.wakes() - before, 1);
    let Poll::Ready(Err(error)) = wakers::poll_with(&mut b, &waker) else { panic!("told at once") };
    assert_eq!(error.is_panicked(), by_a_panic);
    drop((a, b));
    assert_clean(&cache.stats());
}
