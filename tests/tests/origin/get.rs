//! One key: a hit, a miss, an error, and several callers at once.

use larder::Coalescing;
use larder_tests::*;

use super::counting;

on_every_runtime! {
    basic_get
    basic_get_error
    concurrent_get
    concurrent_get_error
    concurrent_get_different_value
}

/// `test_basic_get`: a miss, then a hit with the same value.
fn basic_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 1);
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: V1 Miss".into(), "0: V1 Hit".into()));
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_basic_get_error`: the caller gets an error. Here it is the loader's own, and the next caller loads anew.
fn basic_get_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let first = sim.get(&cache, 1);
    let second = sim.get(&cache, 1);
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: E1".into(), "0: V2 Miss".into()));
    assert_eq!(cache.stats().errors, 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get`: three callers at once get the value of one load, which takes time. (P1)
fn concurrent_get<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 50);
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(50);
    for (i, status) in callers.into_iter().zip(["Miss", "LockHit", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("50: V1 {status}"));
    }
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get_error`: three callers at once get an error. Here one load gives all of them that error. (P4)
fn concurrent_get_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = sim.crowd(&cache, 1, 3);
    sim.to(50);
    let errors: Vec<_> = callers
        .into_iter()
        .map(|i| {
            assert_eq!(sim.saw(i), "50: E1");
            let Answer::Error(error) = sim.answer(i) else { panic!("it is an error") };
            core::ptr::from_ref(error.error().expect("it is the loader's own"))
        })
        .collect();
    assert!(errors.iter().all(|error| *error == errors[0]), "one error, by reference");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// `test_concurrent_get_different_value`: callers of three keys do not wait for each other: 1 + 2 + 3 = 6. (P13)
fn concurrent_get_different_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(50).gives(call as u32 + 1));
    let cache = sim.cache::<R>(&loads, |c| c.coalescing(Coalescing::pingora(None, None)));
    let callers = [1, 3, 5].map(|key| sim.get(&cache, key));
    sim.to(50);
    for (i, value) in callers.into_iter().zip(1..) {
        assert_eq!(sim.saw(i), format!("50: V{value} Miss"));
    }
    assert_eq!((loads.keys(), loads.most()), (vec![1, 3, 5], 3));
    assert_clean(&cache.stats());
}
