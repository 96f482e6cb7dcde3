//! Callers that may not begin a load, because of the limit of attempts, are woken once there is room.

use larder_tests::*;

on_every_runtime! {
    d11_a_write_at_the_bound
    d11_a_write_at_the_bound_before_the_age
    d15_a_write_below_the_bound_wakes_nobody
    d16_a_lent_load_goes_at_the_bound
}

type Write<R> = fn(&Scripted<R>);

/// All writes that void a load and do not end the wait.
fn writes<R: Host>() -> [Write<R>; 5] {
    [
        |cache| assert_eq!(cache.remove(&7), None),
        Scripted::<R>::clear,
        |cache| cache.retain(|_, _| true),
        |cache| assert!(!cache.expire(&7)),
        |cache| _ = cache.insert_with(7, larder::Loaded::new(V::new(9)).ttl(larder::Ttl::NotStored)),
    ]
}

/// D10, D11: B may not take over, because A's load is the only one allowed; a write opens an epoch in which B may.
fn d11_a_write_at_the_bound<R: Host>() {
    for (case, write) in writes::<R>().into_iter().enumerate() {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).attempts(1));
        let a = sim.get(&cache, 7);
        let b = sim.get(&cache, 7);
        sim.to(150);
        assert_eq!(loads.calls(), 1, "it is the one that there may be");
        write(&cache);
        sim.run();
        assert_eq!((loads.begun(), cache.stats().takeovers), (vec![0, 150], 1), "write {case}");
        sim.to(180);
        assert_eq!((sim.saw(a), sim.saw(b)), ("180: V2 Miss".into(), "180: V2 Miss".into()));
        assert_eq!(cache.get_if_present(&7).as_deref(), Some(&2));
        assert_clean(&cache.stats());
    }
}

/// D10, D11, D12: the same with two attempts, and a write before the lock age has passed.
fn d11_a_write_at_the_bound_before_the_age<R: Host>() {
    for write in writes::<R>() {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([never(), never(), after(30).gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).attempts(2));
        let callers = [sim.get(&cache, 7), sim.get(&cache, 7), sim.get(&cache, 7)];
        sim.to(150);
        assert_eq!(loads.begun(), [0, 100]);
        write(&cache);
        sim.to(230);
        assert_eq!(loads.begun(), [0, 100, 200]);
        assert!(callers.iter().all(|i| sim.saw(*i).starts_with("230: V2")));
        assert_clean(&cache.stats());
    }
}

/// D15: a caller that sleeps until a deadline need not be woken by a write.
fn d15_a_write_below_the_bound_wakes_nobody<R: Host>() {
    for write in writes::<R>() {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).attempts(2));
        let callers = [sim.get(&cache, 7), sim.get(&cache, 7), sim.get(&cache, 7)];
        sim.to(50);
        let wakes = callers.map(|i| sim.wakes(i));
        write(&cache);
        assert_eq!(callers.map(|i| sim.wakes(i)), wakes);
    }
}

/// D10, D16: a lent load is dropped with its caller, and there is room for an attempt at once.
fn d16_a_lent_load_goes_at_the_bound<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)).attempts(2));
    let lender = cache.clone();
    let a = sim.call(async move { lender.get_with(&7, core::future::pending::<Result<V, Boom>>).await });
    let (b, c) = (sim.get(&cache, 7), sim.get(&cache, 7));
    sim.to(250);
    assert_eq!(loads.begun(), [100], "there are two");
    sim.drop(a);
    sim.run();
    assert_eq!(loads.begun(), [100, 250]);
    sim.to(280);
    assert_eq!((sim.saw(b), sim.saw(c)), ("280: V2 Miss".into(), "280: V2 Miss".into()));
    assert_clean(&cache.stats());
}
