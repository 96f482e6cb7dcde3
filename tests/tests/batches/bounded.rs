//! Loads of many keys, with a limit on the keys of one load.

use std::collections::BTreeSet;

use larder::{Loaded, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c107_at_most_so_many
    c107_by_a_closure
    c107_each_load_by_itself
    c107_hits_and_joins_do_not_count
    c107_single_keys
    c107_surplus
    c107_takeovers
    c107_loads_alone
}

/// The keys of each load, and the number of loads.
fn sizes(batches: &Batches) -> Vec<usize> {
    batches.begun().iter().map(|(_, keys)| keys.len()).collect()
}

/// C107: 64 000 keys are 640 calls of the loader with at most 100 keys, all begun before the call waits. (P1, D62)
fn c107_at_most_so_many<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(100));
    let keys: Vec<u32> = (0..64_000).collect();
    let many = sim.spawn({
        let (cache, keys) = (cache.clone(), keys.clone());
        async move { cache.get_many(&keys).await }
    });
    sim.poll(many);
    assert_eq!(sizes(&batches), [100; 640], "in one poll");
    assert_eq!(batches.polls(), 640, "each of them was polled, too");
    let asked: BTreeSet<u32> = batches.begun().into_iter().flat_map(|(_, keys)| keys).collect();
    assert!(asked.into_iter().eq(keys), "each key once");
    sim.to(50);
    let Answer::Many(answers) = sim.answer(many) else { panic!("it has many answers") };
    assert!(answers.iter().enumerate().all(|(n, answer)| answer.to_string() == format!("V{n}")));
    assert_eq!((batches.begun().len(), batches.live()), (640, 0));
    assert_clean(&cache.stats());
}

/// C107: the same for a load that the call brings, and if the last load has fewer keys. (D62)
fn c107_by_a_closure<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(3));
    let many = sim.many_with(&cache, &[1, 2, 3, 2, 4, 5, 6, 7], &batches);
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (0, vec![4, 5, 6]), (0, vec![7])]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, V2 Miss, V3 Miss, V2 Miss, V4 Miss, V5 Miss, V6 Miss, V7 Miss");
    assert_clean(&cache.stats());
}

/// C107: each load ends, fails and is dropped independently. (P2, P4)
fn c107_each_load_by_itself<R: Host>() {
    let mut sim = Sim::new();
    let script = |keys: &[u32], _| match keys[0] {
        1 => after(10),
        3 => after(20).fails(3),
        _ => never(),
    };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(2).load_budget(ms(30)));
    let many = sim.many(&cache, &[1, 2, 3, 4, 5, 6]);
    let single = sim.get(&cache, 4);
    sim.to(10);
    assert!(cache.contains(&1) && cache.contains(&2) && batches.live() == 2);
    sim.to(20);
    assert_eq!((sim.saw(single), batches.live()), ("20: E3".into(), 1));
    sim.to(30);
    let ends = "30: V1 Miss, V2 Miss, E3, E3, BudgetExceeded, BudgetExceeded";
    assert_eq!((sim.saw(many), batches.live()), (ends.into(), 0));
    let dropped = sim.many(&cache, &[7, 8, 9]);
    assert_eq!(batches.live(), 2);
    sim.drop(dropped);
    assert_eq!(batches.live(), 0);
    assert_clean(&cache.stats());
}

/// C107: keys that are present or being loaded take no place in a load. (P1)
fn c107_hits_and_joins_do_not_count<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(2));
    cache.insert(1, V::new(1));
    let first = sim.many(&cache, &[2]);
    let many = sim.many(&cache, &[1, 2, 3, 4]);
    assert_eq!(batches.begun(), [(0, vec![2]), (0, vec![3, 4])]);
    sim.to(50);
    assert_eq!(sim.saw(first), "50: V2 Miss");
    assert_eq!(sim.saw(many), "50: V1 Hit, V2 LockHit, V3 Miss, V4 Miss");
    assert_clean(&cache.stats());
}

/// C107: a limit of one makes one load for each key; a lookup of a single key loads that key, limit or not.
fn c107_single_keys<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(1));
    let (many, single) = (sim.many(&cache, &[1, 2, 3]), sim.get(&cache, 4));
    assert_eq!(batches.begun(), [1, 2, 3, 4].map(|key| (0, vec![key])));
    sim.to(50);
    assert_eq!((sim.saw(many), sim.saw(single)), ("50: V1 Miss, V2 Miss, V3 Miss".into(), "50: V4 Miss".into()));
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.max_batch(2));
    let many = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(loads.keys(), [1, 2, 3], "where there is no load of many, there is nothing to bound");
    sim.to(100);
    assert_eq!(sim.saw(many), "100: V1 Miss, V1 Miss, V1 Miss");
    assert_clean(&cache.stats());
}

/// C107, D60: a load may return more keys than asked for, but not keys of the call's other loads.
fn c107_surplus<R: Host>() {
    let mut sim = Sim::new();
    let script = |keys: &[u32], _| after(if keys[0] == 1 { 10 } else { 20 });
    let says = |keys: &[u32]| (1..=9).map(|key| (key, Ok(Loaded::new(V::new(100 * keys[0] + key))))).collect();
    let batches = Batches::saying(&sim.time, script, says);
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(2).store_surplus());
    let many = sim.many(&cache, &[1, 2, 3, 4]);
    assert_eq!(batches.begun(), [(0, vec![1, 2]), (0, vec![3, 4])]);
    sim.to(10);
    let held = |key| cache.get_if_present(&key).map(|value| *value);
    assert_eq!((held(2), held(3), held(9)), (Some(102), None, Some(109)));
    sim.to(20);
    assert_eq!(sim.saw(many), "20: V101 Miss, V102 Miss, V303 Miss, V304 Miss");
    assert_eq!((held(3), held(9)), (Some(303), Some(109)), "what is fresh stays");
    assert_clean(&cache.stats());
}

/// C107, D63: keys that time out together, or reach the lock age together, go into as many loads as needed.
fn c107_takeovers<R: Host>() {
    let settings: [fn(BatchSetup<R>) -> BatchSetup<R>; 2] =
        [|c| c.lock_age(ms(100)), |c| c.lock_timeout(ms(100), OnTimeout::Load)];
    for setup in settings {
        let mut sim = Sim::new();
        let batches = Batches::new(&sim.time, |_, call| if call < 3 { never() } else { after(30) });
        let cache = sim.batched::<R>(&batches, |c| setup(c.max_batch(2)));
        let first = sim.many(&cache, &[1, 2, 3, 4, 5]);
        let second = sim.many(&cache, &[5, 4, 3]);
        sim.to(130);
        let later: Vec<_> = batches.begun().into_iter().skip(3).collect();
        assert_eq!(later, [(100, vec![5, 4]), (100, vec![3])]);
        assert_eq!(sim.saw(second), "130: V5 Miss, V4 Miss, V3 Miss");
        sim.drop(first);
        assert_clean(&cache.stats());
    }
}

/// C107, D25: the limit also applies when a call loads alone.
fn c107_loads_alone<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::new(&sim.time, |_, call| if call < 2 { never() } else { after(30) });
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(2).lock_timeout(ms(100), OnTimeout::LoadAlone));
    let first = sim.many(&cache, &[1, 2, 3]);
    sim.to(10);
    let second = sim.many(&cache, &[3, 2, 1]);
    sim.to(140);
    let begun = [(0, vec![1, 2]), (0, vec![3]), (110, vec![3, 2]), (110, vec![1])];
    assert_eq!(batches.begun(), begun);
    assert_eq!((sim.saw(second), cache.len()), ("140: V3 Miss, V2 Miss, V1 Miss".into(), 0));
    sim.drop(first);
    assert_clean(&cache.stats());
}
