//! Loads of many keys whose answers are only for the caller that began them.

use larder::{Loaded, Ttl};
use larder_tests::*;

use super::private::alone_for;

on_every_runtime! {
    c106_by_many_keys
    c106_a_single_caller_beside_many
    the_call_has_left
    a_private_answer_that_nobody_asked_for
    c106_at_most_so_many
    d104_surplus_of_a_key_that_is_not_shared
}

/// Odd keys are private; each value is the number of earlier loads.
fn odd_ones(sim: &Sim) -> Batches {
    let calls = Cell::new(0);
    Batches::saying(
        &sim.time,
        |_, _| after(30),
        move |keys| {
            calls.set(calls.get() + 1);
            let ttl = |key: u32| if key % 2 == 1 { alone_for(10_000) } else { Ttl::Inherit };
            keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(100 * key + calls.get())).ttl(ttl(*key))))).collect()
        },
    )
}

/// C106: the private keys of a batch go to its caller; joined callers load them for themselves. (D104)
fn c106_by_many_keys<R: Host>() {
    let mut sim = Sim::new();
    let batches = odd_ones(&sim);
    let cache = sim.batched::<R>(&batches, |c| c);
    let first = sim.many(&cache, &[1, 2, 3]);
    let second = sim.many(&cache, &[1, 2, 3]);
    sim.to(30);
    assert_eq!(sim.saw(first), "30: V101 Miss, V201 Miss, V301 Miss");
    assert_eq!(sim.saw(second), "waits");
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3]), (30, vec![1, 3])]);
    sim.to(60);
    assert_eq!(sim.saw(second), "60: V102 Miss, V201 LockHit, V302 Miss");
    let late = [sim.many(&cache, &[3, 2, 1]), sim.many(&cache, &[3, 2, 1])];
    assert_eq!(batches.begun()[2..], [(60, vec![3, 1]), (60, vec![3, 1])], "each at once, and together");
    sim.to(90);
    assert_eq!(sim.saw(late[0]), "90: V303 Miss, V201 Hit, V103 Miss");
    assert_eq!(sim.saw(late[1]), "90: V304 Miss, V201 Hit, V104 Miss");
    assert_eq!((cache.len(), cache.weight()), (1, 3));
    assert_clean(&cache.stats());
}

/// C106: single gets join a key of a batch, and batches join that of a single get. (D104)
fn c106_a_single_caller_beside_many<R: Host>() {
    let mut sim = Sim::new();
    let batches = odd_ones(&sim);
    let cache = sim.batched::<R>(&batches, |c| c.attempts(1));
    let many = sim.many(&cache, &[1, 2]);
    let singles = [sim.get(&cache, 1), sim.get(&cache, 1)];
    sim.to(100);
    assert_eq!(sim.saw(many), "30: V101 Miss, V201 Miss");
    assert_eq!(singles.map(|caller| sim.saw(caller)), ["60: V102 Miss", "90: V103 Miss"]);
    assert_clean(&cache.stats());

    let single = sim.get(&cache, 5);
    let many = sim.many(&cache, &[4, 5]);
    sim.to(200);
    assert_eq!(sim.saw(single), "130: V504 Miss");
    assert_eq!(sim.saw(many), "160: V405 Miss, V506 Miss");
    assert_clean(&cache.stats());
}

/// C106: the answers for its keys serve no caller, and the load goes on for callers that joined other keys. (D104)
fn the_call_has_left<R: Host>() {
    let mut sim = Sim::new();
    let batches = odd_ones(&sim);
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    let joined = [sim.get(&cache, 1), sim.get(&cache, 2)];
    sim.to(10);
    sim.drop(many);
    sim.to(100);
    assert_eq!(joined.map(|caller| sim.saw(caller)), ["60: V102 Miss", "30: V201 LockHit"]);
    assert_eq!((cache.len(), cache.weight()), (1, 3), "of key 3 it is remembered, too");
    let stats = cache.stats();
    assert_eq!((stats.loads_begun, stats.loads_succeeded), (4, 4));
    assert_clean(&stats);
}

/// D60, D104: it serves no caller, and is not stored.
fn a_private_answer_that_nobody_asked_for<R: Host>() {
    let mut sim = Sim::new();
    let says = |keys: &[u32]| {
        let answer = |key: &u32| (*key, Ok(Loaded::new(V::new(*key)).ttl(alone_for(10_000))));
        keys.iter().chain(&[8, 9]).map(answer).collect()
    };
    let batches = Batches::saying(&sim.time, |_, _| after(30), says);
    let cache = sim.batched::<R>(&batches, |c| c.store_surplus());
    let singles = [sim.get(&cache, 1), sim.get(&cache, 1)];
    sim.to(100);
    assert_eq!(singles.map(|caller| sim.saw(caller)), ["30: V1 Miss", "60: V1 Miss"]);
    assert_eq!((batches.begun().len(), cache.len()), (2, 0));
    assert_clean(&cache.stats());
}

/// C106: ten calls wait for a key; at most two load it at a time, by loads of many keys.
fn c106_at_most_so_many<R: Host>() {
    let mut sim = Sim::new();
    let batches = odd_ones(&sim);
    let cache = sim.batched::<R>(&batches, |c| c.attempts(2));
    let calls: Vec<_> = (0..11).map(|_| sim.many(&cache, &[1, 3])).collect();
    for t in [30, 60, 90, 120, 150] {
        sim.to(t + 1);
        // (A caller that waits for its turn at both keys gets it at both.)
        assert!(batches.live() <= 4, "at {t}: {}", batches.live());
    }
    sim.to(1000);
    let mut seen: Vec<String> = calls.iter().map(|call| sim.saw(*call)).collect();
    assert!(seen.iter().all(|saw| saw.matches("Miss").count() == 2), "{seen:?}");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 11);
    assert_clean(&cache.stats());
}

/// D104: an answer that nobody asked for does not undo that the loads of its key are not shared.
fn d104_surplus_of_a_key_that_is_not_shared<R: Host>() {
    let mut sim = Sim::new();
    let says = |keys: &[u32]| match keys {
        [1] => [1, 2].map(|key| (key, Ok(Loaded::new(V::new(key))))).into(),
        _ => keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)).ttl(alone_for(10_000))))).collect(),
    };
    let batches = Batches::saying(&sim.time, |keys, _| if *keys == [1] { after(30) } else { ready() }, says);
    let cache = sim.batched::<R>(&batches, |c| c.store_surplus());
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 2);
    assert_eq!(sim.saw(second), "0: V2 Miss");
    sim.to(30);
    assert_eq!((sim.saw(first), cache.len(), cache.contains(&2)), ("30: V1 Miss".into(), 1, false));
    assert_clean(&cache.stats());
}
