//! Many keys at once.

use larder::Coalescing;
use larder_tests::*;

on_every_runtime! {
    multi_get
    inconsistent_miss_results
    lookup_error_in_a_multi_get
}

/// `test_multi_get`: of three keys one is a hit; next time all are. Here duplicates cost nothing, and lookups of single
/// keys join. (P1)
fn multi_get<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    let alone = sim.get(&cache, 1);
    sim.to(50);
    assert_eq!(sim.saw(alone), "50: V1 Miss");
    let again = sim.get(&cache, 1);
    assert_eq!(sim.saw(again), "50: V1 Hit");
    let many = sim.many(&cache, &[1, 2, 3, 2]);
    let single = sim.get(&cache, 2);
    sim.to(100);
    assert_eq!(sim.saw(many), "100: V1 Hit, V2 Miss, V3 Miss, V2 Miss");
    assert_eq!(sim.saw(single), "100: V2 LockHit");
    let again = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(again), "100: V1 Hit, V2 Hit, V3 Hit");
    assert_eq!(batches.begun(), [(0, vec![1]), (50, vec![2, 3])]);
    assert_clean(&cache.stats());
}

/// `test_inconsistent_miss_results`: a batch load without answers panics there. Here each key fails separately, also
/// for callers that joined its load; a hit stays a hit, and the next caller loads anew. (P4, P5)
fn inconsistent_miss_results<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::saying(&sim.time, |_, _| after(50), |_| Vec::new());
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    cache.insert(1, V::new(1));
    for t in [50, 100] {
        let many = sim.many(&cache, &[4, 1, 5, 6]);
        let joined = sim.get(&cache, 5);
        sim.to(t);
        assert_eq!(sim.saw(joined), format!("{t}: Missing"));
        assert_eq!(sim.saw(many), format!("{t}: Missing, V1 Hit, Missing, Missing"));
        let Answer::Many(answers) = sim.answer(many) else { panic!("it asked for many") };
        assert!(matches!(&answers[0], Answer::Error(error) if error.is_missing()));
    }
    assert_eq!(batches.begun(), [(0, vec![4, 5, 6]), (50, vec![4, 5, 6])]);
    assert_clean(&cache.stats());
}

/// Documented there, but not tested: an error of the batch load discards the hits. Here they are returned. (P4)
fn lookup_error_in_a_multi_get<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50).fails(1));
    let cache = sim.batched::<R>(&batches, |c| c.coalescing(Coalescing::pingora(None, None)));
    cache.insert(1, V::new(1));
    let many = sim.many(&cache, &[1, 2, 3]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Hit, E1, E1");
    assert_clean(&cache.stats());
}
