//! A load of many keys publishes once, for all its keys, in whatever order callers are polled.

use std::{cell::RefCell, rc::Rc};

use larder::{Cache, Loaded, Status};
use larder_tests::*;

on_every_runtime! {
    d19_a_key_that_was_answered_in_the_same_poll
    c100_a_batch_answers_once
    c100_the_other_way_round
    d5_the_clock_is_read_once_for_all_answers
    d29_all_is_stored_before_anybody_is_woken
}

const HOUR: u64 = 3_600_000;

/// C100: a parked caller's key is stored with the rest; that the caller gets it an hour later does not change that.
/// (D5)
fn c100_a_batch_answers_once<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(10_000)).stale_if_error(ms(2 * HOUR)));
    let many = sim.many(&cache, &[1, 2]);
    let [one, two] = [1, 2].map(|key| sim.get(&cache, key));
    sim.drop(many);
    sim.park(one);
    sim.to(50);
    assert_eq!((sim.saw(one), sim.saw(two)), ("waits".into(), "50: V2 LockHit".into()));
    assert_eq!(cache.get_if_present(&1), Some(V::new(1)));
    sim.to(50 + HOUR);
    sim.unpark(one);
    assert_eq!(sim.saw(one), format!("{}: V1 LockHit", 50 + HOUR));
    an_hour_old(&cache, &[1, 2]);
    assert_eq!((batches.begun().len(), cache.stats().stored), (1, 2));
    assert_clean(&cache.stats());
}

/// C100: the same if the call itself is parked, and a single lookup drives the load. (D5)
fn c100_the_other_way_round<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(10_000)).stale_if_error(ms(2 * HOUR)));
    let many = sim.many(&cache, &[1, 2, 3]);
    let two = sim.get(&cache, 2);
    sim.park(many);
    sim.to(50);
    assert_eq!((sim.saw(many), sim.saw(two)), ("waits".into(), "50: V2 LockHit".into()));
    assert!([1, 2, 3].iter().all(|key| cache.contains(key)));
    sim.to(50 + HOUR);
    sim.unpark(many);
    assert_eq!(sim.saw(many), format!("{}: V1 Miss, V2 Miss, V3 Miss", 50 + HOUR));
    an_hour_old(&cache, &[1, 2, 3]);
    assert_eq!((batches.begun().len(), cache.stats().stored), (1, 3));
    assert_clean(&cache.stats());
}

#[track_caller]
fn an_hour_old(cache: &Batched<impl Host>, keys: &[u32]) {
    for key in keys {
        let found = cache.peek(key).expect("it is held as a stale value");
        assert_eq!((found.age(), found.status()), (ms(HOUR), Status::Stale(ms(HOUR - 10_000))));
        assert_eq!(cache.get_if_present(key), None);
    }
}

/// D5: when a load of many keys has ended, the clock is read once for all its answers, not once for each.
fn d5_the_clock_is_read_once_for_all_answers<R: Host>() {
    let settings: [fn(BatchSetup<R>) -> BatchSetup<R>; 3] =
        [|c| c.ttl(ms(100)), |c| c.ttl(ms(100)).load_budget(ms(100)).error_ttl(ms(10)), |c| c.lock_age(ms(100))];
    let keys: Vec<u32> = (0..100).collect();
    for setup in settings {
        for fails in [false, true] {
            let gate = Gate::default();
            let mut sim = Sim::new();
            let script = if fails { gate.script().fails(1) } else { gate.script() };
            let cache = sim.batched::<R>(&sim.batches(script), setup);
            let mut many = cache.lookup_many(&keys);
            assert!(wakers::poll_once(&mut many).is_pending());
            let waiters: Vec<_> = (0..10).map(|key| sim.get(&cache, key)).collect();
            gate.open_quietly();
            let before = sim.clock().reads();
            sim.poll(waiters[3]);
            assert_eq!(sim.clock().reads() - before, 1, "at the end of the load");
            sim.run();
            assert!(wakers::poll_once(&mut many).is_ready());
            assert!(waiters.iter().all(|i| sim.end(*i).is_some()));
            assert_eq!(sim.clock().reads() - before, 1, "by those that are told");
        }
    }
}

/// D29: the first caller that is woken finds everything that the load returned.
fn d29_all_is_stored_before_anybody_is_woken<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let cache = sim.batched::<R>(&sim.batches(gate.script()), |c| c.shards(16));
    let keys: Vec<u32> = (0..100).collect();
    let mut many = cache.get_many(&keys);
    let mut others: Vec<_> = keys.iter().map(|key| cache.get(key)).collect();
    assert!(wakers::poll_once(&mut many).is_pending());
    let found: Rc<RefCell<Vec<usize>>> = Rc::default();
    let (finds, own) = (found.clone(), cache.clone());
    let asked = keys.clone();
    let look = move || finds.borrow_mut().push(asked.iter().filter(|key| own.contains(*key)).count());
    wakers::calling(look, |waker| {
        assert!(others.iter_mut().all(|other| wakers::poll_with(other, waker).is_pending()));
        gate.open_quietly();
        found.take();
        assert!(wakers::poll_once(&mut many).is_ready());
    });
    assert_eq!(*found.borrow(), [100; 100]);
}

/// P1, D19: what one load of a call inserts by hand is the answer of its key: no further load of the call asks for it.
fn d19_a_key_that_was_answered_in_the_same_poll<R: Host>() {
    let (sim, loaded) = (Sim::new(), Rc::new(RefCell::new(Vec::new())));
    let inserts: Rc<RefCell<Option<Box<dyn Fn(u32)>>>> = Rc::default();
    let (asked, tells) = (Rc::clone(&loaded), Rc::clone(&inserts));
    let load = move |keys: Vec<u32>| {
        asked.borrow_mut().push(keys.clone());
        // The first one knows of others as well.
        if keys[0] == 0 {
            [1, 2, 4, 5].iter().for_each(|key| tells.borrow().iter().for_each(|insert| insert(*key)));
        }
        let answers: Vec<_> = keys.into_iter().map(|key| (key, Ok::<_, Boom>(Loaded::new(V::new(key))))).collect();
        async move { Ok::<_, Boom>(answers) }
    };
    let builder = Cache::<u32, V, Boom, R>::builder(R::on(sim.clock()));
    let cache = builder.loaded_many_fn(load).max_batch(2).build().expect("valid");
    let own = cache.clone();
    inserts.replace(Some(Box::new(move |key| _ = own.insert(key, V::new(100 + key)))));
    let told = wakers::now(cache.get_many(&[0, 1, 2, 3, 4, 5]));
    let told: Vec<_> = told.into_iter().map(|told| *told.expect("it is loaded")).collect();
    assert_eq!((told, loaded.take()), (vec![0, 101, 102, 3, 104, 105], vec![vec![0, 1], vec![3]]));
    assert_clean(&cache.stats());
    inserts.take();
}
