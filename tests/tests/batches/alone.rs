//! Loads of many keys outside any flight.

use larder::OnTimeout;
use larder_tests::*;

on_every_runtime! {
    a_single_key_by_a_loader_of_many
    a_single_key_over_age
    a_single_key_without_an_answer
    nothing_of_it_is_stored
    a_panic_of_a_load_alone
}

/// D25, P7: a lookup of one key that loads alone calls the loader of many keys with that key only.
fn a_single_key_by_a_loader_of_many<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { after(500) } else { after(30) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(100), OnTimeout::LoadAlone));
    let first = sim.many(&cache, &[1, 2]);
    sim.to(20);
    let second = sim.get(&cache, 2);
    sim.to(200);
    assert_eq!(sim.saw(second), "150: V2 Miss");
    assert!(!cache.contains(&2), "it is not stored");
    assert_eq!(batches.begun(), [(0, vec![1, 2]), (120, vec![2])]);
    sim.to(500);
    assert_eq!(sim.saw(first), "500: V1 Miss, V2 Miss");
    assert_clean(&cache.stats());
}

/// C26, for a loader of many keys.
fn a_single_key_over_age<R: Host>() {
    let mut sim = Sim::new();
    let script = |_: &[u32], call| if call == 0 { never() } else { after(30).fails(call as u32) };
    let batches = Batches::new(&sim.time, script);
    let cache = sim.batched::<R>(&batches, |c| c.lock_age(ms(100)).over_age_alone());
    let first = sim.get(&cache, 1);
    sim.to(100);
    let second = sim.get(&cache, 1);
    let third = sim.get(&cache, 1);
    sim.to(130);
    assert_eq!((sim.saw(second), sim.saw(third)), ("130: E1".into(), "130: E2".into()));
    assert_eq!((sim.saw(first), batches.live()), ("waits".into(), 1));
    sim.drop(first);
    assert_clean(&cache.stats());
}

/// D34: the key has failed, whatever other keys the load returned.
fn a_single_key_without_an_answer<R: Host>() {
    let mut sim = Sim::new();
    let batches =
        Batches::saying(&sim.time, |_, call| if call == 0 { never() } else { after(30) }, |_| vec![(8, Err(Boom(8)))]);
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(0), OnTimeout::LoadAlone));
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 1);
    sim.to(30);
    assert_eq!(sim.saw(second), "30: Missing");
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.errors), (1, 1));
    sim.drop(first);
    assert_clean(&cache.stats());
}

/// D25: neither the key that was asked for nor the other keys of the answer are stored.
fn nothing_of_it_is_stored<R: Host>() {
    let mut sim = Sim::new();
    let says =
        |keys: &[u32]| keys.iter().chain(&[9]).map(|key| (*key, Ok(larder::Loaded::new(V::new(*key))))).collect();
    let script = |_: &[u32], call| if call == 0 { never() } else { after(30) };
    let batches = Batches::saying(&sim.time, script, says);
    let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(0), OnTimeout::LoadAlone).store_surplus());
    let first = sim.many(&cache, &[1, 2]);
    let many = sim.many(&cache, &[1, 2]);
    let single = sim.get(&cache, 2);
    sim.to(30);
    assert_eq!((sim.saw(many), sim.saw(single)), ("30: V1 Miss, V2 Miss".into(), "30: V2 Miss".into()));
    assert_eq!(cache.len(), 0);
    sim.drop(first);
    assert_clean(&cache.stats());
}

/// P5: the caller unwinds and the load has panicked; the future, kept and polled again, does not wait for ever.
fn a_panic_of_a_load_alone<R: Host>() {
    for again in [false, true] {
        let mut sim = Sim::new();
        let script = |_: &[u32], call| if call == 0 { never() } else { ready().panics(7) };
        let batches = Batches::new(&sim.time, script);
        let cache = sim.batched::<R>(&batches, |c| c.lock_timeout(ms(0), OnTimeout::LoadAlone));
        let first = sim.many(&cache, &[1, 2]);
        let mut alone = cache.lookup_many(&[1, 2]);
        let polled =
            std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| wakers::poll_once(&mut alone).is_ready()));
        assert!(polled.is_err());
        if again {
            let Poll::Ready(told) = wakers::poll_once(&mut alone) else { panic!("it does not wait") };
            let told: Vec<_> = told.into_iter().map(Result::unwrap_err).collect();
            assert!(
                told.iter().all(|error| matches!(error, larder::LoadError::Failed(failure) if failure.is_panicked()))
            );
        }
        drop(alone);
        let stats = cache.stats();
        assert_eq!((stats.loads_panicked, stats.loads_dropped, stats.loads_in_flight), (2, 0, 2));
        sim.drop(first);
        assert_clean(&cache.stats());
    }
}
