//! Keys that a load of many keys returns without being asked for them.

use larder::{Cache, Load, Loaded, RemovalCause, Ttl};
use larder_tests::*;

on_every_runtime! {
    by_whom_a_load_is_made
    a_write_is_not_undone_by_surplus
    a_write_of_before_does_not_matter
    a_listener_that_panics_for_surplus_fails_nobody
    d5_surplus_is_of_the_same_instant
    d60_surplus_that_is_not_to_be_stored
    c111_surplus_of_a_load_from_before_a_growth
}

/// A cache whose loads of many keys also return 90 for key 9, after 50 ms.
fn with_nine<R: Host>(setup: impl FnOnce(Setup<R>) -> Setup<R>) -> (Sim, Batched<R>) {
    let sim = Sim::new();
    let says = |keys: &[u32]| {
        let own = keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)))));
        own.chain([(9, Ok(Loaded::new(V::new(90))))]).collect()
    };
    let batches = Batches::saying(&sim.time, |_, _| after(50), says);
    let cache = sim.batched::<R>(&batches, |c| setup(c.store_surplus().shards(1)));
    (sim, cache)
}

/// P8, D42: after any kind of write, because the load has read its value before.
fn a_write_is_not_undone_by_surplus<R: Host>() {
    type Write<R> = fn(&Batched<R>);
    let writes: [Write<R>; 7] = [
        |cache| drop(cache.remove(&9)),
        |cache| cache.clear(),
        |cache| cache.retain(|key, _| *key != 9),
        |cache| assert!(cache.expire(&9)),
        |cache| {
            let found = cache.peek(&9).and_then(|found| found.generation());
            assert!(found.is_some_and(|generation| cache.invalidate_if(&9, generation)));
        },
        |cache| drop(cache.compute(&9, |_| larder::Change::Remove)),
        |cache| drop((cache.insert(9, V::new(91)), cache.remove(&9))),
    ];
    for write in writes {
        let (mut sim, cache) = with_nine::<R>(|c| c);
        cache.insert(9, V::new(89));
        let many = sim.many(&cache, &[1, 2]);
        sim.to(30);
        write(&cache);
        sim.to(50);
        assert_eq!((sim.saw(many), cache.contains(&9)), ("50: V1 Miss, V2 Miss".into(), false));
        let later = sim.get(&cache, 3);
        sim.to(100);
        assert_eq!(sim.saw(later), "100: V3 Miss");
        assert_eq!(cache.get_if_present(&9), Some(V::new(90)), "this load began after the write");
        assert_clean(&cache.stats());
    }
}

/// A load that began after the writes to key 9 may store its surplus for it.
fn a_write_of_before_does_not_matter<R: Host>() {
    let (mut sim, cache) = with_nine::<R>(|c| c);
    cache.insert(9, V::new(89));
    cache.remove(&9);
    let many = sim.many(&cache, &[1, 2]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, V2 Miss");
    assert_eq!(cache.get_if_present(&9), Some(V::new(90)));
}

/// D29, P5: all callers get what they asked for, and the panic unwinds through the call that stored the surplus.
fn a_listener_that_panics_for_surplus_fails_nobody<R: Host>() {
    let mut sim = Sim::new();
    let time = sim.time.clone();
    let load = move |keys: Vec<u32>| {
        let time = time.clone();
        async move {
            sleep(&time, 50).await;
            Ok::<_, Boom>(keys.into_iter().chain([9]).map(|key| (key, V::new(key))))
        }
    };
    let bang = |key: &u32, _: &V, cause: RemovalCause| {
        if *key == 8 {
            assert_eq!(cause, RemovalCause::Evicted);
            std::panic::panic_any(Bang(8));
        }
    };
    let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).listener(bang).store_surplus();
    let cache = cache.capacity(1).build().expect("valid");
    cache.insert(8, V::new(8));
    let (own, other) = (cache.clone(), cache.clone());
    let many = sim.call(async move { own.get_many(&[1, 2]).await });
    let single = sim.call(async move { other.get(&2).await });
    sim.to(50);
    assert_eq!((sim.saw(many), sim.saw(single)), ("50: unwound 8".into(), "50: V2".into()));
    assert_clean(&cache.stats());
}

/// D5: surplus values have the same instant as the others, whatever listeners do meanwhile.
fn d5_surplus_is_of_the_same_instant<R: Host>() {
    let sim = Sim::new();
    let says = |_: &[u32]| [1, 2, 9].map(|key| (key, Ok(Loaded::new(V::new(key))))).into();
    let batches = Batches::saying(&sim.time, |_, _| ready(), says);
    let time = sim.time.clone();
    // A slow listener: a second passes while it is told of a replaced value.
    let slow = move |_: &u32, _: &V, _| time.set(time.ms() + 1000);
    let held = ms(100_000);
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(10_000)).stale_if_error(held).store_surplus().listener(slow));
    cache.insert(1, V::new(0));
    sim.time.set(10_000);
    let before = sim.clock().reads();
    assert!(wakers::now(cache.get_many(&[1, 2])).iter().all(Result::is_ok));
    assert_eq!(sim.clock().reads() - before, 2, "at the claim and at the end");
    let ages = [1, 2, 9].map(|key| cache.peek(&key).map(|found| found.age()));
    assert_eq!(ages, [Some(ms(1000)); 3]);
}

/// D17, D57: a call that brings its load begins with that, and drives a refresh that others have claimed by the loader, which
/// may tell of more.
fn by_whom_a_load_is_made<R: Host>() {
    let (mut sim, cache) = with_nine::<R>(|c| c.stale_while_refresh(ms(1000)));
    let loads = sim.loads(after(10).gives(70));
    let (asks, brings) = (cache.clone(), loads.clone());
    let own = sim.call(async move { asks.lookup(&7).by(move || brings.load(7)).await });
    sim.to(10);
    assert_eq!((sim.saw(own), cache.contains(&9), loads.calls()), ("10: V70 Miss".into(), false, 1));
    cache.expire(&7);
    let claimed = sim.stale(&cache, 7);
    let (asks, brings) = (cache.clone(), loads.clone());
    let served = sim.call(async move { asks.lookup(&7).by(move || brings.load(7)).stale().await });
    assert_eq!((sim.saw(claimed), sim.saw(served)), ("10: V70 Stale(0) +ticket".into(), "10: V70 Stale(0)".into()));
    let refresh = sim.refresh(claimed);
    sim.to(60);
    assert_eq!((cache.get_if_present(&7), cache.get_if_present(&9)), (Some(V::new(7)), Some(V::new(90))));
    assert!(sim.end(refresh).is_some() && loads.calls() == 1);
    assert_clean(&cache.stats());
}

/// D60: surplus that is not to be stored does not keep the rest from it, whatever is held.
fn d60_surplus_that_is_not_to_be_stored<R: Host>() {
    for ttl in [Ttl::NotStored, Ttl::from(ms(0)), Ttl::private(ms(10))] {
        for is_held in [false, true] {
            let mut sim = Sim::new();
            let says = move |keys: &[u32]| {
                let lives = |key| if key == 8 { ttl } else { Ttl::from(ms(3_600_000)) };
                keys.iter().chain(&[8, 9]).map(|key| (*key, Ok(Loaded::new(V::new(*key)).ttl(lives(*key))))).collect()
            };
            let batches = Batches::saying(&sim.time, |_, _| after(50), says);
            let cache = sim.batched::<R>(&batches, |c| c.store_surplus().stale_if_error(ms(1000)).shards(1));
            if is_held {
                cache.insert_with(8, Loaded::new(V::new(80)).ttl(ms(10)));
            }
            let one = sim.many(&cache, &[1]);
            sim.to(50);
            assert_eq!(sim.saw(one), "50: V1 Miss");
            let held = [8, 9].map(|key| cache.peek(&key).map(|found| **found.value()));
            assert_eq!(held, [None, Some(9)], "{ttl:?}");
            assert_clean(&cache.stats());
        }
    }
}

/// C111, D42, D60: shards that split meanwhile are no write, and hide none.
fn c111_surplus_of_a_load_from_before_a_growth<R: Host>() {
    for first in [90, 200] {
        for (is_written, grows_first) in [(false, false), (true, false), (true, true)] {
            let mut sim = Sim::new();
            let says = |keys: &[u32]| {
                let own = keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)))));
                own.chain((100..150).map(|key| (key, Ok(Loaded::new(V::new(90)))))).collect()
            };
            let batches = Batches::saying(&sim.time, |_, _| after(50), says);
            let cache = sim.batched::<R>(&batches, |c| c.store_surplus().capacity(first).processors(8));
            _ = cache.remove(&1000);
            let many = sim.many(&cache, &[1, 2]);
            let steps: [&dyn Fn(); 2] = [&|| cache.set_capacity(100_000), &|| {
                (100..150).filter(|_| is_written).for_each(|key| _ = cache.remove(&key));
            }];
            steps[usize::from(!grows_first)]();
            steps[usize::from(grows_first)]();
            sim.to(50);
            assert_eq!(sim.saw(many), "50: V1 Miss, V2 Miss");
            let stored = (100..150).filter(|key| cache.contains(key)).count();
            assert_eq!(stored, if is_written { 0 } else { 50 }, "{first} {is_written} {grows_first}");
        }
    }
}
