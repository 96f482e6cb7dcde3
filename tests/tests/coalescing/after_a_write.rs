//! A load belongs to the epoch in which it begins, whichever caller begins it. (D11)

use larder::{Load, LookupOptions, OnTimeout, Status, TimeLeft};
use larder_tests::*;

on_every_runtime! {
    d11_an_older_caller_is_told_what_is_stored
    c102_at_the_timeout
    c102_over_the_lock_age
    c102_an_heir
    c102_by_many_keys
    c102_its_caller_is_dropped
    c102_it_fails
    c102_a_takeover_joins_what_is_younger
    c102_one_bound_for_both
    c102_another_write
    d11_what_a_newer_caller_begins_is_not_for_older_ones
}

/// A waits from 0 on for a load that never ends, B from 20 on; the key is removed at 50. Later loads take 30 and return
/// V2.
fn removed<R: Host>(setup: impl FnOnce(Setup<R>) -> Setup<R>) -> (Sim, Loads, Scripted<R>, usize, usize) {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, setup);
    let a = sim.get(&cache, 7);
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(50);
    assert_eq!(cache.remove(&7), None);
    (sim, loads, cache, a, b)
}

/// The results of all: C joins B's load, which serves A as well, and is stored.
#[track_caller]
fn one_load<R: Host>(sim: &mut Sim, loads: &Loads, cache: &Scripted<R>, [a, b, c]: [usize; 3], ends: u64) {
    assert_eq!(loads.calls(), 2, "C leads one more");
    sim.to(ends);
    let saw = |status: &str| format!("{ends}: V2 {status}");
    assert_eq!((sim.saw(b), sim.saw(c), sim.saw(a)), (saw("Miss"), saw("LockHit"), saw("Miss")));
    assert_eq!(cache.get_if_present(&7).as_deref(), Some(&2));
    let stats = cache.stats();
    assert_eq!((loads.calls(), loads.live(), stats.loads_begun, stats.loads_succeeded), (2, 0, 2, 1));
    assert_clean(&stats);
}

/// C102: B loads by itself at its timeout, after the write; C joins that load, and it is stored. (P1, D11)
fn c102_at_the_timeout<R: Host>() {
    let (mut sim, loads, cache, a, b) = removed::<R>(|c| c.lock_timeout(ms(100), OnTimeout::Load));
    sim.to(130);
    assert_eq!(loads.begun(), [0, 120]);
    let c = sim.get(&cache, 7);
    one_load(&mut sim, &loads, &cache, [a, b, c], 150);
}

/// C102: the same if B takes over at the lock age.
fn c102_over_the_lock_age<R: Host>() {
    let (mut sim, loads, cache, a, b) = removed::<R>(|c| c.lock_age(ms(100)));
    sim.to(110);
    assert_eq!((loads.begun(), cache.stats().takeovers), (vec![0, 100], 1));
    let c = sim.get(&cache, 7);
    one_load(&mut sim, &loads, &cache, [a, b, c], 130);
}

/// C102: the same if B inherits from a lent load whose caller is dropped after the write.
fn c102_an_heir<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(30).gives(2));
    let cache = sim.cache::<R>(&loads, |c| c);
    let lender = cache.clone();
    let a = sim.call(async move { lender.get_with(&7, core::future::pending::<Result<V, Boom>>).await });
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(50);
    cache.remove(&7);
    sim.to(60);
    sim.drop(a);
    sim.to(70);
    assert_eq!(loads.begun(), [60]);
    let c = sim.get(&cache, 7);
    sim.to(90);
    assert_eq!((sim.saw(b), sim.saw(c)), ("90: V2 Miss".into(), "90: V2 LockHit".into()));
    assert_eq!((cache.get_if_present(&7).as_deref(), loads.calls()), (Some(&2), 1));
    assert_clean(&cache.stats());
}

/// C102: the same for callers of many keys, of which one is removed and two are inserted or left alone. (D63, D65)
fn c102_by_many_keys<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::new(&sim.time, |_, call| if call == 0 { never() } else { after(30) });
    let cache = sim.batched::<R>(&batches, |c| c.lock_age(ms(100)));
    let a = sim.many(&cache, &[6, 7, 8]);
    sim.to(20);
    let b = sim.many(&cache, &[7, 8, 6]);
    sim.to(50);
    cache.remove(&7);
    cache.insert(6, V::new(60));
    sim.to(110);
    assert_eq!(batches.begun(), [(0, vec![6, 7, 8]), (100, vec![7, 8])]);
    let (c, d) = (sim.many(&cache, &[8, 7]), sim.get(&cache, 7));
    assert_eq!(batches.begun().len(), 2, "C leads one more");
    sim.to(130);
    assert_eq!(sim.saw(b), "130: V7 Miss, V8 Miss, V60 LockHit");
    assert_eq!((sim.saw(c), sim.saw(d)), ("130: V8 LockHit, V7 LockHit".into(), "130: V7 LockHit".into()));
    assert_eq!((sim.saw(a), batches.live()), ("130: V60 Miss, V7 Miss, V8 Miss".into(), 0));
    assert!([6, 7, 8].iter().all(|key| cache.contains(key)));
    assert_clean(&cache.stats());
}

/// C102, P2: B is dropped, and callers from after the write drive its load; so do callers from before.
fn c102_its_caller_is_dropped<R: Host>() {
    for parked in [false, true] {
        let (mut sim, loads, cache, a, b) = removed::<R>(|c| c.lock_timeout(ms(100), OnTimeout::Load));
        sim.to(130);
        let c = sim.get(&cache, 7);
        sim.park(if parked { a } else { c });
        sim.to(140);
        sim.drop(b);
        sim.to(150);
        sim.unpark(a);
        sim.unpark(c);
        assert_eq!((sim.saw(a), sim.saw(c)), ("150: V2 Miss".into(), "150: V2 LockHit".into()));
        assert_eq!((cache.get_if_present(&7).as_deref(), loads.calls()), (Some(&2), 2));
        assert_clean(&cache.stats());
    }
}

/// C102, P4, D9: its failure ends B's call and the calls after the write; A waits for its own load, which is still in
/// flight.
fn c102_it_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(500).gives(1), after(30).fails(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_timeout(ms(100), OnTimeout::Load));
    let a = sim.get(&cache, 7);
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(50);
    cache.remove(&7);
    sim.to(130);
    let c = sim.get(&cache, 7);
    sim.to(150);
    assert_eq!((sim.saw(b), sim.saw(c), sim.saw(a)), ("150: E2".into(), "150: E2".into(), "waits".into()));
    sim.to(500);
    assert_eq!((sim.saw(a), cache.get_if_present(&7)), ("500: V1 Miss".into(), None));
    let stats = cache.stats();
    assert_eq!((stats.loads_begun, stats.loads_failed, stats.loads_succeeded), (2, 1, 1));
    assert_clean(&stats);
}

/// C102: if a newer caller's load is in flight and younger than the lock age, B joins it instead of taking over.
fn c102_a_takeover_joins_what_is_younger<R: Host>() {
    let (mut sim, loads, cache, a, b) = removed::<R>(|c| c.lock_age(ms(100)));
    sim.to(90);
    let c = sim.get(&cache, 7);
    sim.to(110);
    assert_eq!((loads.begun(), sim.saw(b), cache.stats().takeovers), (vec![0, 90], "waits".into(), 0));
    sim.to(120);
    assert_eq!((sim.saw(c), sim.saw(b), sim.saw(a)), ("120: V2 Miss".into(), "120: V2 LockHit".into(), "waits".into()));
    assert_eq!((cache.get_if_present(&7).as_deref(), loads.calls()), (Some(&2), 2));
    sim.drop(a);
    assert_clean(&cache.stats());
}

/// C102, D10: the limit of attempts in the newer epoch counts loads of older callers there, and those of newer callers.
fn c102_one_bound_for_both<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.attempts(2).lock_timeout(ms(100), OnTimeout::Load));
    let a = sim.get(&cache, 7);
    sim.to(20);
    let b = sim.get(&cache, 7);
    sim.to(50);
    cache.remove(&7);
    let c = sim.get(&cache, 7);
    sim.to(130);
    assert_eq!(loads.begun(), [0, 50, 120]);
    let d = sim.get(&cache, 7);
    sim.to(230);
    assert_eq!((sim.saw(d), loads.calls()), ("230: LockTimeout".into(), 3));
    for i in [a, b, c] {
        assert_eq!(sim.saw(i), "waits");
        sim.drop(i);
    }
    assert_clean(&cache.stats());
}

/// C102: a load that another write came after is not stored, whichever caller began it; a later caller leads. (P8)
fn c102_another_write<R: Host>() {
    let (mut sim, loads, cache, a, b) = removed::<R>(|c| c.lock_timeout(ms(100), OnTimeout::Load));
    sim.to(130);
    let c = sim.get(&cache, 7);
    sim.to(140);
    cache.remove(&7);
    let d = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 120, 140]);
    sim.to(150);
    let joined = ["150: V2 Miss", "150: V2 Miss", "150: V2 LockHit"];
    assert_eq!([a, b, c].map(|i| sim.saw(i)), joined);
    assert_eq!(cache.get_if_present(&7), None);
    sim.to(170);
    assert_eq!((sim.saw(d), cache.contains(&7)), ("170: V2 Miss".into(), true));
    assert_clean(&cache.stats());
}

/// D11, C50: a load that a caller from after the write begins does not serve callers from before.
fn d11_what_a_newer_caller_begins_is_not_for_older_ones<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).gives(1), after(20).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(1000)).lock_timeout(ms(1000), OnTimeout::Load));
    let (a, b) = (sim.get(&cache, 7), sim.get(&cache, 7));
    sim.to(50);
    cache.remove(&7);
    let c = sim.ask(&cache, 7, LookupOptions::new());
    sim.to(70);
    assert_eq!((sim.saw(c), sim.saw(a), sim.saw(b)), ("70: V2 Miss".into(), "waits".into(), "waits".into()));
    sim.to(100);
    assert_eq!((sim.saw(a), sim.saw(b)), ("100: V1 Miss".into(), "100: V1 LockHit".into()));
    assert_eq!((cache.get_if_present(&7).as_deref(), loads.calls()), (Some(&2), 2));
    assert_clean(&cache.stats());
}

/// D7, D11: who came before the write is told how long what it loaded is fresh, and its name, as all others are.
fn d11_an_older_caller_is_told_what_is_stored<R: Host>() {
    for lends in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(400)));
        let a = sim.get(&cache, 7);
        sim.to(20);
        let (asks, brings) = (cache.clone(), loads.clone());
        let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
        let b = sim.call(async move {
            let lookup = asks.lookup(&7).options(options);
            if lends { lookup.lend(|| brings.load(7)).await } else { lookup.await }
        });
        sim.to(50);
        cache.remove(&7);
        sim.to(150);
        let stored = cache.peek(&7).expect("it is stored");
        for (i, status) in [(a, Status::LockHit), (b, Status::Miss)] {
            let Answer::Outcome(told, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
            assert_eq!(told.time_left(), TimeLeft::For(ms(400)));
            assert_eq!((told.generation(), told.age()), (stored.generation(), ms(0)));
            // (A has begun a load of its own before.)
            assert!(told.status() == status || i == a);
        }
        assert_clean(&cache.stats());
    }
}
