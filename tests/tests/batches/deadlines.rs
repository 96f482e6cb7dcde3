//! Many keys at once, with deadlines and writes.

use larder::{Loaded, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    keys_that_time_out_together_are_loaded_together
    keys_that_are_over_age_together_are_taken_over_together
    each_caller_has_a_timeout_of_his_own
    alone_by_option
    alone_over_age
    one_budget
    a_write_ends_the_wait_for_that_key_alone
    a_clear_voids_all_of_a_batch
    reload_loads_what_is_fresh
    capacity_zero_and_ttl_zero
    limits_of_zero_come_after_the_first_poll
    who_brings_a_load_may_take_over_again
}

/// D63, C27: keys that reach the lock timeout in the same poll go into one further load.
fn keys_that_time_out_together_are_loaded_together<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { after(500) } else { after(30) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::Load));
    let first = sim.many(&cache, &[1, 2, 3]);
    sim.to(20);
    let second = sim.many(&cache, &[3, 2, 1]);
    sim.to(500);
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (120, vec![3, 2, 1])]);
    assert_eq!(sim.saw(first), "150: V1 Miss, V2 Miss, V3 Miss");
    assert_eq!(sim.saw(second), "150: V3 Miss, V2 Miss, V1 Miss");
    assert_eq!(cache.stats().timeouts, 3);
    assert_clean(&cache.stats());
}

/// P6, C22, C23.
fn keys_that_are_over_age_together_are_taken_over_together<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { never() } else { after(30) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_age(ms(100)));
    let first = sim.many(&cache, &[1, 2, 3]);
    sim.park(first);
    sim.to(10);
    let second = sim.many(&cache, &[2, 3]);
    let third = sim.get(&cache, 1);
    sim.to(130);
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (100, vec![2, 3]), (100, vec![1])]);
    assert_eq!((sim.saw(second), sim.saw(third)), ("130: V2 Miss, V3 Miss".into(), "130: V1 Miss".into()));
    sim.unpark(first);
    assert_eq!(sim.saw(first), "130: V1 Miss, V2 Miss, V3 Miss");
    assert_eq!((cache.stats().takeovers, batches.live()), (3, 0));
    assert_clean(&cache.stats());
}

/// P7, C29: "fail" bounds the wait of every caller, key by key.
fn each_caller_has_a_timeout_of_his_own<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::Fail));
    let first = sim.many(&cache, &[1, 2]);
    sim.to(20);
    let second = sim.many(&cache, &[2]);
    sim.to(100);
    assert_eq!((sim.saw(first), batches.live()), ("100: LockTimeout, LockTimeout".into(), 1));
    sim.to(120);
    assert_eq!((sim.saw(second), batches.live()), ("120: LockTimeout".into(), 0));
    assert_clean(&cache.stats());
}

/// D25: "do not store" loads those keys by one load for this caller alone.
fn alone_by_option<R: Host>() {
    for borrowed in [false, true] {
        let mut sim = Sim::new();
        let script = |_: &[u32], call| if call == 0 { after(500) } else { after(30) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::LoadAlone));
        let first = sim.many(&cache, &[1, 2]);
        sim.to(20);
        let second = if borrowed { sim.many_with(&cache, &[2, 1], &batches) } else { sim.many(&cache, &[2, 1]) };
        sim.to(200);
        assert_eq!(sim.saw(second), "150: V2 Miss, V1 Miss");
        assert!(!cache.contains(&1));
        sim.to(500);
        assert_eq!(sim.saw(first), "500: V1 Miss, V2 Miss");
        assert_eq!(batches.begun(), [(0, vec![1, 2]), (120, vec![2, 1])]);
        assert_clean(&cache.stats());
    }
}

/// C26, for many keys and a loader of single ones.
fn alone_over_age<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, call| if call < 2 { after(300).gives(key) } else { after(30).gives(key + 10) });
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).over_age_alone());
    let first = sim.many(&cache, &[1, 2]);
    sim.to(150);
    let second = sim.many(&cache, &[2, 1]);
    sim.to(180);
    assert_eq!(sim.saw(second), "180: V12 Miss, V11 Miss");
    sim.to(300);
    assert_eq!((sim.saw(first), loads.calls()), ("300: V1 Miss, V2 Miss".into(), 4));
    assert_eq!(cache.get_if_present(&1), Some(V::new(1)));
    assert_clean(&cache.stats());
}

/// D93, C93: a load of many keys has one budget.
fn one_budget<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(never());
    let cache = sim.batched::<R>(&batches, |c| c.load_budget(ms(100)));
    let first = sim.many(&cache, &[1, 2]);
    sim.to(50);
    let second = sim.get(&cache, 2);
    sim.to(100);
    assert_eq!(sim.saw(first), "100: BudgetExceeded, BudgetExceeded");
    assert_eq!((sim.saw(second), batches.live()), ("100: BudgetExceeded".into(), 0));
    assert_clean(&cache.stats());
}

/// C51: an inserted value is the outcome of its key; the other keys are waited for.
fn a_write_ends_the_wait_for_that_key_alone<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2]);
    let single = sim.get(&cache, 2);
    sim.to(30);
    cache.insert(2, V::new(22));
    sim.run();
    assert_eq!((sim.saw(single), sim.saw(many)), ("30: V22 LockHit".into(), "waits".into()));
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, V22 Miss");
    assert_clean(&cache.stats());
}

/// C52, P8.
fn a_clear_voids_all_of_a_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let before = sim.many(&cache, &[1, 2]);
    sim.to(30);
    cache.clear();
    let after = sim.many(&cache, &[2, 3]);
    sim.to(50);
    assert_eq!((sim.saw(before), cache.len()), ("50: V1 Miss, V2 Miss".into(), 0));
    sim.to(80);
    assert_eq!((sim.saw(after), cache.len()), ("80: V2 Miss, V3 Miss".into(), 2));
    assert_eq!(batches.begun().len(), 2);
    assert_clean(&cache.stats());
}

/// D97, by call option.
fn reload_loads_what_is_fresh<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    cache.insert(1, V::new(11));
    let reload = sim.ask_many(&cache, &[1, 2], LookupOptions::new().reload());
    let hit = sim.get(&cache, 1);
    assert_eq!(sim.saw(hit), "0: V11 Hit");
    sim.to(50);
    assert_eq!(sim.saw(reload), "50: V1 Miss, V2 Miss");
    assert_clean(&cache.stats());
}

/// P10, C05: values that cannot be stored are delivered, also to callers that join.
fn capacity_zero_and_ttl_zero<R: Host>() {
    for (capacity, ttl) in [(0, 100), (10, 0)] {
        let mut sim = Sim::new();
        let says =
            move |keys: &[u32]| keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)).ttl(ms(ttl))))).collect();
        let batches = Batches::saying(&sim.time, |_, _| after(50), says);
        let cache = sim.batched::<R>(&batches, |c| c.capacity(capacity));
        let first = sim.many(&cache, &[1, 2]);
        let second = sim.many(&cache, &[2, 1]);
        sim.to(50);
        assert_eq!(sim.saw(first), "50: V1 Miss, V2 Miss");
        assert_eq!((sim.saw(second), cache.len()), ("50: V2 LockHit, V1 LockHit".into(), 0));
        assert_eq!(batches.begun().len(), 1);
        assert_clean(&cache.stats());
    }
}

/// D18, D22, D93: the load is begun and polled once before a limit of zero applies, and its answer is taken.
fn limits_of_zero_come_after_the_first_poll<R: Host>() {
    let fail = |c: BatchSetup<R>| c.lock_timeout(ms(0), OnTimeout::Fail);
    let stale = |c: BatchSetup<R>| c.stale_while_refresh(ms(10)).lock_timeout(ms(0), OnTimeout::Stale);
    let budget = |c: BatchSetup<R>| c.load_budget(ms(0));
    for (setup, late) in
        [(&fail as &dyn Fn(_) -> _, "LockTimeout"), (&stale, "LockTimeout"), (&budget, "BudgetExceeded")]
    {
        let mut sim = Sim::new();
        let slow = |keys: &[u32], _| if keys.contains(&9) { after(1) } else { ready() };
        let batches = Batches::new(&sim.time, slow);
        let cache = sim.batched::<R>(&batches, setup);
        let (loader, closure) = (sim.many(&cache, &[1, 2]), sim.many_with(&cache, &[3, 4], &batches));
        assert_eq!((sim.saw(loader), sim.saw(closure)), ("0: V1 Miss, V2 Miss".into(), "0: V3 Miss, V4 Miss".into()));
        let (loader, closure) = (sim.many(&cache, &[8, 9]), sim.many_with(&cache, &[8, 9], &batches));
        assert_eq!((sim.saw(loader), sim.saw(closure)), (format!("0: {late}, {late}"), format!("0: {late}, {late}")));
        assert_eq!((batches.begun().len(), batches.polls(), batches.live()), (4, 4, 0));
        assert_clean(&cache.stats());
    }
}

/// D9, D12: a call that brings its load takes over like any other, from the load that took over from it. Its first load
/// rests in the flight, and another caller polls it. (P3)
fn who_brings_a_load_may_take_over_again<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(290).fails(2));
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(200)));
    let closures = sim.batches(after(450).fails(1));
    let first = sim.many_with(&cache, &[1], &closures);
    sim.to(210);
    let second = sim.get(&cache, 1);
    sim.to(449);
    let begun: Vec<_> = closures.begun().iter().map(|(at, _)| *at).collect();
    assert_eq!((begun, loads.begun(), cache.stats().loads_in_flight), (vec![0, 410], vec![210], 3));
    sim.to(450);
    assert_eq!((sim.saw(first), closures.live(), cache.stats().loads_in_flight), ("waits".into(), 1, 2));
    sim.to(500);
    assert_eq!(sim.saw(second), "500: E2");
    sim.to(860);
    assert_eq!((sim.saw(first), cache.stats().takeovers), ("860: E1".into(), 2));
    assert_clean(&cache.stats());
}
