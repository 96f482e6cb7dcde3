//! Which caller is woken by a load of many keys, and drives it.

use larder::Cache;
use larder_tests::*;

on_every_runtime! {
    who_was_slow_carries_it_on
    an_end_that_nobody_was_woken_for
    a_wake_within_a_poll
    more_loads_than_keys
}

/// P3: a caller that was not polled for a while notices that the load was woken, and polls it, though others have
/// polled it since.
fn who_was_slow_carries_it_on<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(steps(3, 10));
    let cache = sim.batched::<R>(&batches, |c| c);
    let first = sim.many(&cache, &[1, 2]);
    let [one, two] = [1, 2].map(|key| sim.get(&cache, key));
    sim.drop(first);
    sim.park(two);
    sim.to(10);
    sim.park(one);
    sim.to(20);
    sim.unpark(two);
    assert_eq!(sim.saw(two), "20: V2 LockHit");
    sim.unpark(one);
    assert_eq!((sim.saw(one), batches.begun().len()), ("20: V1 LockHit".into(), 1));
    assert_clean(&cache.stats());
}

/// P3, D15: the caller that polls the load to its end wakes the waiters of its other keys.
fn an_end_that_nobody_was_woken_for<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let batches = sim.batches(gate.script());
    let cache = sim.batched::<R>(&batches, |c| c);
    let first = sim.many(&cache, &[1, 2]);
    let [one, two] = [1, 2].map(|key| sim.get(&cache, key));
    sim.park(first);
    gate.open_quietly();
    sim.poll(one);
    assert_eq!(sim.saw(one), "0: V1 LockHit");
    sim.run();
    assert_eq!(sim.saw(two), "0: V2 LockHit");
    sim.unpark(first);
    assert_eq!(sim.saw(first), "0: V1 Miss, V2 Miss");
    assert_clean(&cache.stats());
}

/// P3: a load that is woken while it is polled wakes a caller that joined for another key after that wake.
fn a_wake_within_a_poll<R: Host>() {
    let sim = Sim::new();
    let inside: Rc<RefCell<Option<Box<dyn FnOnce()>>>> = Rc::default();
    let joins = inside.clone();
    // Pending; then a caller joins from inside; then it wakes itself within its poll; then it is ready.
    let load = move |keys: Vec<u32>| {
        let (joins, mut stage) = (joins.clone(), 0);
        core::future::poll_fn(move |context| {
            stage += 1;
            match joins.take() {
                Some(join) => {
                    context.waker().wake_by_ref();
                    join();
                    Poll::Pending
                }
                None if stage == 1 => Poll::Pending,
                None => Poll::Ready(Ok::<_, Boom>(keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>())),
            }
        })
    };
    let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
    let mut parked = cache.get_many(&[1, 2]);
    assert!(wakers::poll_once(&mut parked).is_pending());
    let own = cache.clone();
    let two = Rc::new(RefCell::new(Box::pin(async move { own.get(&2).await.ok() })));
    let (counter, waker) = wakers::Counting::new();
    let (comes, by) = (two.clone(), waker.clone());
    let join = move || assert!(wakers::poll_with(&mut *comes.borrow_mut(), &by).is_pending());
    inside.replace(Some(Box::new(join)));
    // Joins, polls the load although it was not woken, and is not polled again.
    let mut one = cache.get(&1);
    assert!(wakers::poll_once(&mut one).is_pending());
    assert!(wakers::poll_once(&mut one).is_pending());
    assert_eq!(counter.wakes(), 1);
    assert_eq!(wakers::poll_with(&mut *two.borrow_mut(), &waker), Poll::Ready(Some(2)));
}

/// D15, P6: a call that has begun more loads than it has keys polls the one that is woken.
fn more_loads_than_keys<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::new(&sim.time, |_, call| if call < 2 { never() } else { after(30) });
    let cache = sim.batched::<R>(&batches, |c| c.lock_age(ms(100)));
    let (many, other) = (sim.many(&cache, &[7]), sim.get(&cache, 7));
    sim.to(200);
    assert_eq!(batches.begun(), [0, 100, 200].map(|at| (at, vec![7])), "they take over from each other in turn");
    sim.park(other);
    sim.to(230);
    assert_eq!(sim.saw(many), "230: V7 Miss");
    sim.unpark(other);
    assert_clean(&cache.stats());
}
