//! Callers leave nothing behind while others go on waiting.

use larder_tests::*;

on_every_runtime! {
    callers_who_come_and_go
    attempts_whose_beginners_left
}

/// Callers that wait for a load and give up, one after another, while it goes on: not a byte for any number. (P2, P12)
fn callers_who_come_and_go<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    let mut patient = [cache.get(&7), cache.get(&7)];
    patient.iter_mut().for_each(|get| assert!(wakers::poll_once(get).is_pending()));
    memory::assert_no_growth(|| {
        for _ in 0..1000 {
            assert!(wakers::poll_once(&mut cache.get(&7)).is_pending());
        }
    });
    assert_eq!(cache.stats().waiters, 2);
}

/// Attempts that fail after their beginners have left, while an older one goes on: no caller is left to be told. (P2,
/// P6)
fn attempts_whose_beginners_left<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads_by(|_, call| if call == 0 { never() } else { after(5).fails(1) });
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(10)));
    let mut patient = cache.get(&7);
    assert!(wakers::poll_once(&mut patient).is_pending());
    memory::assert_no_growth(|| {
        for _ in 0..500 {
            sim.time.set(sim.time.ms() + 10);
            assert!(wakers::poll_once(&mut cache.get(&7)).is_pending());
            sim.time.set(sim.time.ms() + 5);
            assert!(wakers::poll_once(&mut patient).is_pending());
        }
        loads.forget();
    });
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.takeovers, stats.loads_in_flight), (1000, 1000, 1));
}
